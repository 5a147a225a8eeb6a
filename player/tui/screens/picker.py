"""What opens over another screen to choose from: a list steered from wherever the cursor is, and a menu of a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from player.tui.keys import CLOSE_BAR
from player.tui.widgets.choice_list import ChoiceList
from player.tui.widgets.status_lines import Heading, KeyBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from player.tui.keys import Key


class Picker(ModalScreen[None]):
    """A list whose cursor moves while one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", show=False),
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
    ]

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.query_one(ChoiceList).action_move(rows)

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        self.query_one(ChoiceList).action_choose()

    def action_leave(self) -> None:
        """Back without a choice."""
        self.dismiss(None)


class Menu(Picker):
    """A heading, a few rows and their keys; nothing to type. A subclass fills it and says what a row means."""

    KEYS: ClassVar[Sequence[Key]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "back", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("enter,space", "choose", "choose", show=False),
    ]

    def compose(self) -> ComposeResult:
        """A box as high as its rows."""
        with Vertical(classes="box -menu"):
            yield Heading(id="heading")
            yield ChoiceList(id="choices")
            yield KeyBar(self.KEYS, CLOSE_BAR, id="keys")
