"""The station's queue: what comes next, how the last event moved it, and why it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from player.tui.keys import QUEUE, bindings
from player.tui.text import clock, column, right, shares
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Line, Piece

if TYPE_CHECKING:
    from textual.binding import BindingType

    from player.stations.snapshot import QueueRow

_MARK = 4
_TIME = 8
"""With the gap before it; an hour and more fits."""
_GAP = 2
_REASON_FROM = 64
"""Narrower than this, the reason is only told for the selected row."""
_WIDE_FROM = 90


class QueueList(RowList):
    """The upcoming tracks."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(QUEUE)]

    _rows: tuple[QueueRow, ...] = ()

    @property
    def selected(self) -> QueueRow | None:
        """The row at the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def show(self, rows: tuple[QueueRow, ...]) -> None:
        """Show another queue. A cursor that was moved stays on its track; at the top it stays at the top."""
        if rows == self._rows:
            return
        followed = self.selected.track.id if self.selected is not None and self.cursor else None
        self._rows = rows
        places = {row.track.id: place for place, row in enumerate(rows)}
        self.set_length(len(rows), places.get(followed, self.cursor) if followed is not None else 0)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """Move, title, artist, reason, length."""
        queued = self._rows[index]
        title_ink = Ink.STRONG if selected else Ink.TEXT
        room = width - _MARK - _TIME
        if width >= _REASON_FROM:
            weights = (5, 3, 5) if width >= _WIDE_FROM else (5, 4, 6)
            title, artist, reason = shares(room - 2 * _GAP, weights)
            # What is told of the row above is not told again.
            again = index > 0 and self._rows[index - 1].reason == queued.reason
            why: Line = [(" " * _GAP + column("″" if again else queued.reason, reason), Ink.DIM)]
        else:
            title, artist = shares(room - _GAP, (4, 3))
            why = []
        return [
            mark(queued, index),
            (column(queued.track.title, title) + " " * _GAP, title_ink),
            (column(queued.track.artist, artist), Ink.TEXT),
            *why,
            (right(clock(queued.track.duration), _TIME), Ink.DIM),
        ]


def mark(row: QueueRow, index: int) -> Piece:
    """Four cells before a row: ◆1 where it is pinned, or how the last re-rank moved it: ▲3, ▼2, ●, or nothing.

    Pins lead the queue, so the place of one is its number.
    """
    if row.pinned:
        return column(f"◆{index + 1}", _MARK), Ink.ACCENT
    match row.move:
        case "up":
            return column(f"▲{row.moved_by}", _MARK), Ink.GOOD
        case "down":
            return column(f"▼{row.moved_by}", _MARK), Ink.BAD
        case "new":
            return column("●", _MARK), Ink.ACCENT
        case _:
            return " " * _MARK, Ink.TEXT
