"""Similar tracks: what sounds like one, from which one walks on to what sounds like that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from player.library.tracks import TrackRow
from player.tui.keys import IN_SIMILAR, SIMILAR_BAR, bindings
from player.tui.screens.about_track import AboutTrackScreen
from player.tui.text import count
from player.tui.widgets.status_lines import Heading
from player.tui.widgets.track_list import SimilarList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from player.playback.controller import Controller
    from player.tui.messages import AnswerFound

SHOWN = 50
"""Further down the list, "similar" says little."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A track on the way here, and the row that was selected when it was left."""

    track: TrackRow
    cursor: int = 0


class SimilarScreen(AboutTrackScreen):
    """The track asked about above, those like it below, the most alike first."""

    AUTO_FOCUS = "#similar"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(IN_SIMILAR)]
    KEYS = SIMILAR_BAR
    QUESTION = "Sounds like"

    def __init__(self, player: Controller, clock: Callable[[], float], track: TrackRow) -> None:
        super().__init__(player, clock, track)
        self._way: list[_Step] = []
        self._cursor = 0

    @property
    def chosen(self) -> TrackRow | None:
        """The track at the cursor."""
        return self.query_one(SimilarList).selected

    def body(self) -> ComposeResult:
        """The tracks."""
        yield Heading(id="heading")
        yield SimilarList(id="similar")

    def find(self, track_id: int) -> object:
        """The tracks most alike."""
        return self._player.similar(track_id, SHOWN)

    def renew(self) -> None:
        """Nothing: whatever has happened, the same tracks sound alike."""

    def ask(self, track: TrackRow) -> None:
        """Show what sounds like another track; escape comes back."""
        if track.id != self._track.id:
            self._way.append(_Step(self._track, self.query_one(SimilarList).cursor))
            self._cursor = 0
            super().ask(track)

    def on_answer_found(self, message: AnswerFound) -> None:
        """List what was found, unless another track has been asked about since."""
        if message.asked == self._track.id:
            found = message.answer or ()
            self.query_one(SimilarList).show(found, self._cursor)
            self.head(f"{count(len(found), 'track')} · 1.00 is the same sound" if found else "")

    def action_leave(self) -> None:
        """One step back."""
        if self._way:
            step = self._way.pop()
            self._cursor = step.cursor
            super().ask(step.track)
        else:
            super().action_leave()
