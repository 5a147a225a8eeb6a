"""The rest menu: how long a track is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from player.feedback.snooze import RESTS
from player.tui.keys import REST_BAR
from player.tui.messages import RestFor
from player.tui.screens.picker import Menu
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading

if TYPE_CHECKING:
    from player.library.tracks import TrackRow
    from player.tui.messages import RowChosen


class RestMenu(Menu):
    """An hour, a day, 30 days.

    Args:
        track: rests, even when another one plays by the time of the choice.
    """

    KEYS = REST_BAR
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "leave", "back", show=False)]

    def __init__(self, track: TrackRow) -> None:
        super().__init__()
        self._track = track

    def on_mount(self) -> None:
        """The lengths, the shortest first."""
        self.query_one(Heading).show("Not now", self._track.title, "no verdict on it")
        self.query_one(ChoiceList).show([Choice("", f"rest for {words}", "", "") for words, _ in RESTS])

    def on_row_chosen(self, message: RowChosen) -> None:
        """Rest the track."""
        message.stop()
        self.app.post_message(RestFor(self._track.id, RESTS[message.index][1]))
        self.dismiss(None)
