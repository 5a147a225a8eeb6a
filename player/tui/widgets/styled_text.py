"""Lines drawn as pieces of plain text in a few inks.

No widget of this player interprets text as markup: what a tag says is put on the screen letter by letter.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.geometry import Size


class Ink(StrEnum):
    """What a piece of text is, which decides how it looks."""

    TEXT = "text"
    DIM = "dim"
    STRONG = "strong"
    ACCENT = "accent"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"


_LOOKS = {
    Ink.TEXT: ("foreground", Style()),
    Ink.DIM: ("foreground", Style(dim=True)),
    Ink.STRONG: ("foreground", Style(bold=True)),
    Ink.ACCENT: ("accent", Style()),
    Ink.TITLE: ("accent", Style(bold=True)),
    Ink.GOOD: ("success", Style()),
    Ink.BAD: ("error", Style()),
}
"""The theme's colour of each ink, and its weight. As component classes of Textual's, every widget's seven would go through the
whole style sheet each time that a class of the screen changes: a quarter of the start."""

BEHIND = "-behind"
"""Class of a screen that another one lies over."""
Piece = tuple[str, Ink]
Line = list[Piece]


def width_of(line: Iterable[Piece]) -> int:
    """Cells that the line takes."""
    return sum(cell_len(text) for text, _ in line)


def spread(left: Line, right: Line, width: int) -> Line:
    """``left`` and ``right`` at the two ends of ``width`` cells; without ``right`` where both do not fit."""
    gap = width - width_of(left) - width_of(right)
    return [*left, (" " * gap, Ink.TEXT), *right] if gap >= 1 else left


def leaning(value: float, largest: float, width: int) -> Line:
    """A bar of ``width`` cells, to half a cell: what speaks for something to the right of the middle, the rest to the left.

    Args:
        value: what it shows.
        largest: the size that fills one side.
        width: an odd number of cells, the middle one included.
    """
    side = width // 2
    halves = min(round(abs(value) / largest * side * 2), side * 2) if largest > 0 else 0
    whole, half = divmod(halves, 2)
    if value < 0:
        drawn = ("╺" if half else "") + "━" * whole
        return [(drawn.rjust(side), Ink.BAD), ("│", Ink.DIM), (" " * side, Ink.TEXT)]
    drawn = "━" * whole + ("╸" if half else "")
    return [(" " * side, Ink.TEXT), ("│", Ink.DIM), (drawn.ljust(side), Ink.GOOD)]


class Inked(Widget):
    """A widget that draws itself from lines of pieces."""

    _inks: dict[Ink, Style] | None = None

    def line(self, y: int, width: int) -> Line:
        """The pieces of line ``y`` of the content; to be overridden.

        Args:
            y: The line, 0 at the top.
            width: Cells there are.
        """
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Line ``y`` as Textual wants it."""
        return self.strip(self.line(y, self.content_size.width), self.content_size.width)

    def strip(self, line: Sequence[Piece], width: int) -> Strip:
        """The pieces as a strip of exactly ``width`` cells."""
        segments = [Segment(text, self.ink(ink)) for text, ink in line if text]
        return Strip(segments).adjust_cell_length(width, self.ink(Ink.TEXT))

    def ink(self, ink: Ink) -> Style:
        """The style of an ink on this widget; behind a menu or a form nothing can be pressed, and it looks like that."""
        if self._inks is None:
            self._inks = {}
        if ink not in self._inks:
            variable, weight = _LOOKS[Ink.DIM if self.screen.has_class(BEHIND) else ink]
            colour = Color.parse(self.app.theme_variables[variable]).rich_color
            self._inks[ink] = self.rich_style + weight + Style.from_color(colour)
        return self._inks[ink]

    def notify_style_update(self) -> None:
        """Draw anew: the theme, a class or the screen's place changed, and with them the inks."""
        self._inks = None
        super().notify_style_update()
        self.refresh()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        del viewport
        return container.width
