"""A list of things to choose from: a sign, a name, a detail, a fact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.text import column, right, shares
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGN = 3
_GAP = 2
_DETAIL_FROM = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """One row."""

    sign: str
    name: str
    detail: str
    fact: str


class ChoiceList(RowList):
    """Rows steered from a text field above, so that one can type and choose at once."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._choices: Sequence[Choice] = ()
        self._fact_width = 0
        self._detailed = False
        self.add_class("-steered")
        self.can_focus = False

    def show(self, choices: Sequence[Choice], cursor: int = 0) -> None:
        """Show other choices, with the cursor on the first or another one."""
        self._choices = choices
        self._detailed = any(choice.detail for choice in choices)
        self._fact_width = max((cell_len(choice.fact) for choice in choices), default=0)
        self.set_length(len(choices), cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """Sign, name, detail, fact."""
        choice = self._choices[index]
        room = width - _SIGN - self._fact_width - _GAP - 1
        name, detail = shares(room - _GAP, (4, 5)) if width >= _DETAIL_FROM and self._detailed else (room, 0)
        return [
            (column(choice.sign, _SIGN), Ink.ACCENT),
            (column(choice.name, name), Ink.STRONG if selected else Ink.TEXT),
            (" " * _GAP + column(choice.detail, detail) if detail else "", Ink.DIM),
            (" " * _GAP + right(choice.fact, self._fact_width), Ink.DIM),
        ]
