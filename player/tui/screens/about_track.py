"""What the panels about one track have in common: they ask the player, and ask again when the queue has changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.worker import get_current_worker

from player.errors import PlayerError
from player.tui.messages import AnswerFound
from player.tui.screens.playing import PlayingScreen
from player.tui.text import dotted
from player.tui.widgets.status_lines import Heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.library.tracks import TrackRow
    from player.stations.snapshot import QueueRow, Snapshot
    from player.tui.port import PlayerPort


class AboutTrackScreen(PlayingScreen):
    """A question about a track; a subclass draws the answer as it arrives (:class:`AnswerFound`).

    Args:
        port: the player.
        clock: seconds, for the position bar.
        track: which.
        find: the player's answer about the track of an id, or a :class:`PlayerError` that says why there is none.
    """

    QUESTION: ClassVar[str] = ""

    def __init__(
        self, port: PlayerPort, clock: Callable[[], float], track: TrackRow, find: Callable[[int], object]
    ) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._track = track
        self._find = find
        self._queue: tuple[QueueRow, ...] = ()

    def on_mount(self) -> None:
        """Ask for the first time."""
        snapshot = self._port.snapshot()
        self._queue = snapshot.queue
        self.show(snapshot)
        self.ask(self._track)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; when the queue has changed, something has happened, and the answer may be another."""
        super().show(snapshot)
        if snapshot.queue != self._queue:
            self._queue = snapshot.queue
            self.renew()

    def ask(self, track: TrackRow) -> None:
        """Ask about a track."""
        self._track = track
        self.head()
        self.renew()

    def head(self, beside: str = "") -> None:
        """Say above what is asked, and something at the right."""
        self.query_one(Heading).show(self.QUESTION, dotted((self._track.title, self._track.artist)), beside)

    def renew(self) -> None:
        """Ask again."""
        self.run_worker(partial(self._answer, self._track), group="answer", exclusive=True, thread=True)

    def asks_about(self, track: TrackRow) -> bool:
        """Whether it is the track that was asked about last."""
        return track.id == self._track.id

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _answer(self, track: TrackRow) -> None:
        try:
            message = AnswerFound(track, self._find(track.id))
        except PlayerError as error:
            message = AnswerFound[object](track, None, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(message)
