"""The mode picker: how the station plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from player.tui.keys import CLOSE_BAR, MODE_BAR
from player.tui.messages import SetMode
from player.tui.widgets.choice_list import Choice, ChoiceList
from player.tui.widgets.lines import Heading, KeyBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from player.tui.messages import RowChosen

MODE_NAMES = {
    "station": ("Station", "on and on, near its seeds"),
    "albums": ("Album radio", "whole albums, in order"),
    "rediscover": ("Rediscover", "loved, unheard for 30 days"),
    "new": ("New arrivals", "added last, unheard first"),
}
"""By the name a station keeps."""


class ModePicker(ModalScreen[None]):
    """The modes, the present one marked.

    Args:
        mode: the present one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v", "leave", "back", show=False),
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("enter,space", "choose", "choose", show=False),
    ]

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def compose(self) -> ComposeResult:
        """A box with a list."""
        with Vertical(classes="box -small"):
            yield Heading(id="heading")
            yield ChoiceList(id="choices")
            yield KeyBar(MODE_BAR, CLOSE_BAR, id="keys")

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

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(ChoiceList).action_move(rows)

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        self.query_one(ChoiceList).action_choose()

    def action_leave(self) -> None:
        """Back without a choice."""
        self.dismiss(None)
