"""A bar that leans to one side of a middle: what speaks for something to the right, what speaks against it to the left."""

from __future__ import annotations

from player.tui.widgets.styled_text import Ink, Line

_MIDDLE = "│"


def leaning(value: float, largest: float, width: int) -> Line:
    """A bar of ``width`` cells, to half a cell.

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
        return [(drawn.rjust(side), Ink.BAD), (_MIDDLE, Ink.DIM), (" " * side, Ink.TEXT)]
    drawn = "━" * whole + ("╸" if half else "")
    return [(" " * side, Ink.TEXT), (_MIDDLE, Ink.DIM), (drawn.ljust(side), Ink.GOOD)]
