"""The mode picker: how the station plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from player.tui.keys import MODE_BAR
from player.tui.messages import SetMode
from player.tui.screens.picker import Menu
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.status_lines import Heading

if TYPE_CHECKING:
    from player.tui.messages import RowChosen

MODE_NAMES = {
    "station": ("Station", "on and on, near its seeds"),
    "albums": ("Album radio", "whole albums, in order"),
    "rediscover": ("Rediscover", "loved, unheard for 30 days"),
    "new": ("New arrivals", "added last, unheard first"),
}
"""By the name a station keeps."""


class ModePicker(Menu):
    """The modes, the present one marked.

    Args:
        mode: the present one.
    """

    KEYS = MODE_BAR
    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "leave", "back", show=False)]

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def on_mount(self) -> None:
        """The cursor on the present mode."""
        self.query_one(Heading).show("How this station plays")
        names = list(MODE_NAMES)
        rows = [Choice("●" if name == self._mode else "", *MODE_NAMES[name], "") for name in names]
        self.query_one(ChoiceList).show(rows, names.index(self._mode) if self._mode in names else 0)

    def on_row_chosen(self, message: RowChosen) -> None:
        """Let the station play so."""
        message.stop()
        self.app.post_message(SetMode(list(MODE_NAMES)[message.index]))
