"""Why a track: every part of its score, and less because of one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.worker import get_current_worker

from player.errors import PlayerError
from player.listening.story_view import Correction
from player.tui.keys import IN_WHY, WHY_BAR, bindings
from player.tui.messages import AskStory, Less, PutRight, WhyFound
from player.tui.screens.playing import PlayingScreen
from player.tui.text import dotted
from player.tui.widgets.ink import Ink
from player.tui.widgets.lines import Heading, JobLine, KeyBar, NoticeLine, PlainLine
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.why_list import WhyColumns, WhyList, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.rows import TrackRow
    from player.listening.view import QueueRow, Snapshot
    from player.listening.why_view import Why
    from player.tui.port import PlayerPort


class WhyScreen(PlayingScreen):
    """The track asked about above, its reasons below."""

    AUTO_FOCUS = "#reasons"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_WHY)]

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._track = track
        self._why: Why | None = None
        self._queue: tuple[QueueRow, ...] = ()

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        yield PlainLine(id="standing")
        yield WhyColumns(id="columns")
        yield WhyList(id="reasons")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(WHY_BAR, id="keys")

    def on_mount(self) -> None:
        """Find the reasons."""
        self._queue = self._port.snapshot().queue
        self.show(self._port.snapshot())
        self.ask(self._track)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; when the queue has changed, so have the reasons."""
        self.query_one(NowPlayingPanel).show(snapshot)
        self.query_one(PositionBar).show(snapshot)
        self.query_one(JobLine).show(snapshot.job)
        if snapshot.queue != self._queue:
            self._queue = snapshot.queue
            self.renew()

    def ask(self, track: TrackRow) -> None:
        """Explain a track."""
        self._track = track
        words = dotted((track.title, track.artist))
        self.query_one(Heading).show("Why", words)
        self.renew()

    def renew(self) -> None:
        """Ask again."""
        self.run_worker(partial(self._find, self._track), group="why", exclusive=True, thread=True)

    def on_why_found(self, message: WhyFound) -> None:
        """Show the reasons."""
        if message.asked.id != self._track.id:
            return
        self._why = message.why
        self.query_one(WhyList).show(message.why)
        if message.why is not None:
            self.query_one(PlainLine).show("", standing(message.why), Ink.TEXT)
            words = dotted((self._track.title, self._track.artist))
            self.query_one(Heading).show("Why", words, f"on {message.why.station}")

    def action_less(self) -> None:
        """Take the selected reason away, or let it count again."""
        row, why = self.query_one(WhyList).selected, self._why
        if row is None or why is None or not row.key:
            return
        if row.muted:
            correction = Correction("unmute", self._track.id, station_id=why.station_id, reason=row.key)
            self.post_message(PutRight(correction))
        else:
            self.post_message(Less(self._track.id, row.key))

    def action_story_row(self) -> None:
        """Everything known about this track."""
        self.post_message(AskStory(self._track))

    def action_leave(self) -> None:
        """Back."""
        self.app.pop_screen()

    def _find(self, track: TrackRow) -> None:
        try:
            message = WhyFound(track, self._port.why(track.id))
        except PlayerError as error:
            message = WhyFound(track, None, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(message)
