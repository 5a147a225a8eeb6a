"""A list that draws only the rows in view: 100,000 rows cost what 20 cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView

from player.tui.keys import PLAY_ROW
from player.tui.messages import RowChosen, RowHighlighted
from player.tui.widgets.status_lines import KeyBar
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

_DOUBLE = 2
"""Clicks that make a choice."""
_COUNT_DIGITS = 6
_COUNT_SECONDS = 3.0
"""So long a number waits for what it counts."""
MARGINS = 2
"""Cells for the cursor's mark, and between a row and the scroll bar."""


class RowList(Inked, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of one line each, with a cursor.

    A subclass says how many rows there are (``set_length``) and draws one (``row``).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "first", "first", show=False),
        Binding("end,G,shift+g", "last", "last", show=False),
        *(Binding(str(digit), f"count({digit})", "count", show=False) for digit in range(10)),
        PLAY_ROW.binding(),
    ]

    cursor: reactive[int] = reactive(0)
    """The selected row."""

    _length = 0
    _count = ""
    """The number typed before a movement, as in vim."""

    @property
    def length(self) -> int:
        """How many rows there are."""
        return self._length

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """The pieces of one row; to be overridden."""
        raise NotImplementedError

    def set_length(self, length: int, cursor: int) -> None:
        """Show other rows.

        Args:
            length: How many there are now.
            cursor: The row to select; the nearest there is.
        """
        self._length = length
        self.virtual_size = Size(self.scrollable_content_region.width, length)
        self.cursor = cursor
        self._keep_in_view()
        self.refresh()
        self._tell()

    def validate_cursor(self, cursor: int) -> int:
        """Within the rows."""
        return max(0, min(cursor, self._length - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two rows concerned, and say so."""
        self._refresh_row(before)
        self._refresh_row(after)
        self._keep_in_view()
        self._tell()

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of what is in view."""
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= self._length:
            return self.strip([], width)
        selected = index == self.cursor
        mark = (
            ("▌", Ink.ACCENT if self.has_focus or self.has_class("-steered") else Ink.DIM)
            if selected
            else (" ", Ink.TEXT)
        )
        return self.strip([mark, *self.row(index, width - MARGINS, selected=selected)], width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A digit begins a number only where no screen has it for something else."""
        del parameters
        return action != "count" or getattr(self.screen, "COUNTS", True)

    def action_count(self, digit: int) -> None:
        """Begin a number, or go on with it; a movement takes it, and a pause lets it go."""
        if digit or self._count:
            self._count = (self._count + str(digit))[:_COUNT_DIGITS]
            self._tell_count()
            self.set_timer(_COUNT_SECONDS, partial(self._forget_count, self._count))

    def _forget_count(self, count: str) -> None:
        if self._count == count:
            self._take_count()

    def _take_count(self) -> int:
        count, self._count = int(self._count or 0), ""
        self._tell_count()
        return count

    def _tell_count(self) -> None:
        for bar in self.screen.query(KeyBar):
            bar.show_typed(self._count)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.cursor += rows * (self._take_count() or 1)

    def action_page(self, pages: int) -> None:
        """Move the cursor by as much as is in view."""
        self.cursor += pages * max(self.scrollable_content_region.height - 1, 1) * (self._take_count() or 1)

    def action_first(self) -> None:
        """To the first row."""
        self.cursor = 0

    def action_last(self) -> None:
        """To the last row, or that of the number typed before."""
        self.cursor = (self._take_count() or self._length) - 1

    def action_choose(self) -> None:
        """Choose the row at the cursor."""
        if self._length:
            self.post_message(RowChosen(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Select the row; twice, choose it."""
        index = event.y + self.scroll_offset.y
        if index >= self._length:
            return
        self.cursor = index
        if event.chain == _DOUBLE:
            self.action_choose()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.virtual_size = Size(self.scrollable_content_region.width, self._length)
        self._keep_in_view()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different."""
        self._refresh_row(self.cursor)

    def _tell(self) -> None:
        self.post_message(RowHighlighted(self.cursor, self.id))

    def _keep_in_view(self) -> None:
        height = self.scrollable_content_region.height
        if height < 1:
            return
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _refresh_row(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))
