"""Why a track: every part of its score, and less because of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from player.listening.story_view import Correction
from player.listening.why_view import Why
from player.tui.keys import IN_WHY, WHY_BAR, bindings
from player.tui.messages import AskStory, Less, PutRight
from player.tui.screens.about_track import AboutTrackScreen
from player.tui.text import dotted
from player.tui.widgets.ink import Ink
from player.tui.widgets.lines import Heading, JobLine, KeyBar, NoticeLine, PlainLine
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.why_list import WhyColumns, WhyList, standing

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class WhyScreen(AboutTrackScreen[Why]):
    """The track asked about above, its reasons below."""

    AUTO_FOCUS = "#reasons"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_WHY)]
    _why: Why | None = None

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

    def head(self) -> None:
        """The track; the station once it is known which one answers."""
        station = f"on {self._why.station}" if self._why is not None else ""
        self.query_one(Heading).show("Why", dotted((self._track.title, self._track.artist)), station)

    def find(self, track_id: int) -> Why:
        """Why the track stands where it stands."""
        return self._port.why(track_id)

    def show_answer(self, answer: Why | None) -> None:
        """List the reasons."""
        self._why = answer
        self.head()
        self.query_one(PlainLine).show("", "" if answer is None else standing(answer), Ink.TEXT)
        self.query_one(WhyList).show(answer)

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
