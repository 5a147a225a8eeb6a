"""The station's dial: where it stands between what is known and what is not, and what that did to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.text import fit
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from player.stations.snapshot import Snapshot

_LEFT = "familiar "
_RIGHT = " discover "
_NUMBER = 3
_MOST = 21
"""Cells of the slider: one for every five hundredths, and an odd number, so that there is a middle."""
_LEAST = 7
_GAP = 2
_FULL = 100


class DialLine(Inked):
    """One line, with what the dial did at the right; or, where the column is narrow, what it did below, a line a figure."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._dial: int | None = None
        self._effect = ""

    def show(self, snapshot: Snapshot) -> None:
        """Show another station's dial."""
        dial = None if snapshot.station is None else snapshot.station.dial
        if (dial, snapshot.dial_effect) != (self._dial, self._effect):
            self._dial, self._effect = dial, snapshot.dial_effect
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        """The slider; its effect beside it, or below."""
        if self._dial is None:
            return []
        if self.content_size.height == 1:
            # A shorter slider says the same; half a sentence does not.
            left = slider(self._dial, width - cell_len(self._effect) - _GAP)
            return spread(left, [(fit(self._effect, width - width_of(left) - _GAP), Ink.DIM)], width) if y == 0 else []
        if y == 0:
            return slider(self._dial, width)
        parts = self._effect.split(", ")
        return [(fit(parts[y - 1], width), Ink.DIM)] if y <= len(parts) else []


def slider(dial: int, width: int) -> Line:
    """The dial, 0…100, in at most ``width`` cells."""
    room = width - len(_LEFT) - len(_RIGHT) - _NUMBER
    cells = max(_LEAST, min(_MOST, room))
    place = round(dial / _FULL * (cells - 1))
    return [
        (_LEFT, Ink.DIM),
        ("─" * place, Ink.DIM),
        ("●", Ink.ACCENT),
        ("─" * (cells - 1 - place), Ink.DIM),
        (_RIGHT, Ink.DIM),
        (f"{dial:>{_NUMBER}}", Ink.TEXT),
    ]
