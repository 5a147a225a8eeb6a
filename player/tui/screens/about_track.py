"""What the panels about one track have in common: they ask the player, and ask again when the queue has changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from textual.worker import get_current_worker

from player.errors import PlayerError
from player.tui.messages import AnswerFound
from player.tui.screens.playing import PlayingScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from player.library.rows import TrackRow
    from player.listening.view import QueueRow, Snapshot
    from player.tui.port import PlayerPort

AnswerT = TypeVar("AnswerT")


class AboutTrackScreen(PlayingScreen, Generic[AnswerT]):
    """A question about a track, and what the player answers."""

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._track = track
        self._queue: tuple[QueueRow, ...] = ()

    def head(self) -> None:
        """Say above what is asked about the track; to be overridden."""
        raise NotImplementedError

    def find(self, track_id: int) -> AnswerT:
        """The player's answer, sought in a thread; to be overridden.

        Raises:
            PlayerError: there is none; the sentence says why.
        """
        raise NotImplementedError

    def show_answer(self, answer: AnswerT | None) -> None:
        """Draw the answer, or that there is none; to be overridden."""
        raise NotImplementedError

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

    def renew(self) -> None:
        """Ask again."""
        self.run_worker(partial(self._find, self._track), group="answer", exclusive=True, thread=True)

    def on_answer_found(self, message: AnswerFound[AnswerT]) -> None:
        """Show the answer, unless another track has been asked about since."""
        if message.asked.id == self._track.id:
            self.show_answer(message.answer)

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _find(self, track: TrackRow) -> None:
        try:
            message = AnswerFound(track, self.find(track.id))
        except PlayerError as error:
            message = AnswerFound[AnswerT](track, None, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(message)
