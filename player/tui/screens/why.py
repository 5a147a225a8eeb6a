"""Why a track: every part of its score, and less because of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from player.feedback.correction import Correction
from player.tui.keys import IN_WHY, WHY_BAR, bindings
from player.tui.messages import AskStory, Less, PutRight
from player.tui.screens.about_track import AboutTrackScreen
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine, PlainLine
from player.tui.widgets.styled_text import Ink
from player.tui.widgets.why_list import WhyColumns, WhyList, standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.library.tracks import TrackRow
    from player.stations.track_views import Why
    from player.tui.messages import AnswerFound
    from player.tui.port import PlayerPort


class WhyScreen(AboutTrackScreen):
    """The track asked about above, its reasons below."""

    AUTO_FOCUS = "#reasons"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_WHY)]
    QUESTION = "Why"

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__(port, clock, track, port.why)
        self._why: Why | None = None

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

    def on_answer_found(self, message: AnswerFound[Why]) -> None:
        """List the reasons."""
        if self.asks_about(message.asked):
            self._why = why = message.answer
            self.head("" if why is None else f"on {why.station}")
            self.query_one(PlainLine).show("", "" if why is None else standing(why), Ink.TEXT)
            self.query_one(WhyList).show(why)

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
