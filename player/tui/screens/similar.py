"""Similar tracks: what sounds like one, from which one walks on to what sounds like that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.worker import get_current_worker

from player.errors import PlayerError
from player.library.tracks import TrackRow
from player.tui.keys import IN_SIMILAR, SIMILAR_BAR, bindings
from player.tui.messages import AskStory, MoreLike, PinTrack, SimilarFound
from player.tui.screens.playing import PlayingScreen
from player.tui.text import count, dotted
from player.tui.widgets.now_playing import NowPlayingPanel
from player.tui.widgets.position_bar import PositionBar
from player.tui.widgets.similar_list import SimilarList
from player.tui.widgets.status_lines import Heading, JobLine, KeyBar, NoticeLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.tui.port import PlayerPort

SHOWN = 50
"""Further down the list, "similar" says little."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A track on the way here, and the row that was selected when it was left."""

    track: TrackRow
    cursor: int = 0


class SimilarScreen(PlayingScreen):
    """The track asked about above, those like it below, the most alike first."""

    AUTO_FOCUS = "#similar"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_SIMILAR)]

    def __init__(self, port: PlayerPort, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__()
        self._port = port
        self._clock = clock
        self._way: list[_Step] = []
        self._at = _Step(track)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield NowPlayingPanel(id="now")
        yield PositionBar(self._clock, id="position")
        yield Heading(id="heading")
        yield SimilarList(id="similar")
        yield JobLine(id="job")
        yield NoticeLine(id="notice")
        yield KeyBar(SIMILAR_BAR, id="keys")

    def on_mount(self) -> None:
        """Find the first ones."""
        self.show(self._port.snapshot())
        self._find()

    def ask(self, track: TrackRow) -> None:
        """Show what sounds like another track; escape comes back."""
        if track.id != self._at.track.id:
            self._way.append(_Step(self._at.track, self.query_one(SimilarList).cursor))
            self._at = _Step(track)
            self._find()

    def on_similar_found(self, message: SimilarFound) -> None:
        """List what was found, unless another track has been asked about since."""
        if message.asked is not self._at.track:
            return
        self.query_one(SimilarList).show(message.found, self._at.cursor)
        words = dotted((message.asked.title, message.asked.artist))
        facts = f"{count(len(message.found), 'track')} · 1.00 is the same sound" if message.found else ""
        self.query_one(Heading).show("Sounds like", words, facts)

    def action_story_row(self) -> None:
        """Everything known about the selected track."""
        track = self.query_one(SimilarList).selected
        if track is not None:
            self.post_message(AskStory(track))

    def action_similar_row(self) -> None:
        """Walk on to the selected track."""
        track = self.query_one(SimilarList).selected
        if track is not None:
            self.ask(track)

    def action_grow(self) -> None:
        """Start a station from the track asked about."""
        self.post_message(MoreLike(self._at.track.id))

    def action_pin_next(self) -> None:
        """Play the selected track next."""
        self._pin("next")

    def action_pin_last(self) -> None:
        """Pin the selected track, or take its pin off."""
        self._pin("last")

    def _pin(self, place: Literal["next", "last"]) -> None:
        track = self.query_one(SimilarList).selected
        if track is not None:
            self.post_message(PinTrack(track.id, place))

    def action_leave(self) -> None:
        """One step back."""
        if self._way:
            self._at = self._way.pop()
            self._find()
        else:
            self.app.pop_screen()

    def _find(self) -> None:
        self.run_worker(partial(self._search, self._at.track), group="similar", exclusive=True, thread=True)

    def _search(self, track: TrackRow) -> None:
        try:
            message = SimilarFound(track, self._port.similar(track.id, SHOWN))
        except PlayerError as error:
            message = SimilarFound(track, (), str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(message)
