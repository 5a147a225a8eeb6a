"""Beside the queue: the station's dial, and how varied it is, with trends and where the queue will take it."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.text import column, fit, number, plain, sparkline
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from textual.geometry import Size

    from player.stations.snapshot import Measure, Snapshot

_LEFT = "familiar "
_RIGHT = " discover "
_NUMBER = 3
_SLIDER_MOST = 21
"""Cells of the slider: one for every five hundredths, and an odd number, so that there is a middle."""
_SLIDER_LEAST = 7
_GAP = 2
_FULL = 100
_TALL_FROM = 2
"""With fewer lines than this, the measures flow one after the other."""
_LEFT_CELLS, _RIGHT_CELLS, _CHANGE_CELLS = 12, 12, 6
"""Of the ends in words, and of "↗ more"."""
_COURSE_MOST = 8
_SENTENCE_SHARE = 3
"""A sentence takes at most this part of the panel, or it is left out: the course comes first."""
_STEADY = 0.005
"""Less than this rounds to the same two decimals: no arrow."""


class DialLine(Inked):
    """One line, with what the dial did at the right; or, where the column is narrow, what it did below, a line a figure."""

    _dial: int | None = None
    _effect = ""

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
    cells = max(_SLIDER_LEAST, min(_SLIDER_MOST, room))
    place = round(dial / _FULL * (cells - 1))
    return [
        (_LEFT, Ink.DIM),
        ("─" * place, Ink.DIM),
        ("●", Ink.ACCENT),
        ("─" * (cells - 1 - place), Ink.DIM),
        (_RIGHT, Ink.DIM),
        (f"{dial:>{_NUMBER}}", Ink.TEXT),
    ]


class DiversityPanel(Inked):
    """The variety of what was played, in words: two ends, the course between them, and where the queue takes it.

    With room a line a measure, else all in one line; the figures stand beside them when they are asked for.
    """

    _measures: tuple[Measure, ...] = ()
    _sentence = ""
    figures = False
    """Show the figures too."""

    def show(self, measures: tuple[Measure, ...], sentence: str = "") -> None:
        """Show other values, and what they come to; the sentence stands where there is room."""
        if (measures, sentence) != (self._measures, self._sentence):
            self._measures, self._sentence = measures, sentence
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there is to say, where it may be as high as it likes."""
        del viewport
        return max(len(self._tall(width, container.height)), 1)

    def line(self, y: int, width: int) -> Line:
        """One line of the form that fits."""
        height = self.content_size.height
        lines = self._tall(width, height) if height >= _TALL_FROM else [flow(self._measures, width)]
        return lines[y] if y < min(len(lines), height) else []

    def _tall(self, width: int, height: int) -> list[Line]:
        lines: list[Line] = [spread([("Variety", Ink.STRONG)], [("with this queue", Ink.DIM)], width)]
        if not any(measure.trend for measure in self._measures):
            return [lines[0], [("Nothing was played here yet.", Ink.DIM)]]
        for measure in self._measures:
            if measure.ends is not None:
                lines.append(_between(measure, measure.ends, width))
            if self.figures:
                values = f"{_now(measure)} → {number(measure.after_queue)}"
                lines.append(spread([(f"  {fit(measure.name, width - 16)}", Ink.DIM)], [(values, Ink.DIM)], width))
        if said := wrapped(self._sentence, width, height):
            lines += [[], *([(line, Ink.TEXT)] for line in said)]
        return lines


def _between(measure: Measure, ends: tuple[str, str], width: int) -> Line:
    """A line such as: few artists ▁▂▃▅▆▇ many artists  ↗ more."""
    left, right = ends
    change: Line = [_change(measure)]
    cells = width - _LEFT_CELLS - _RIGHT_CELLS - _CHANGE_CELLS - 2
    course = sparkline([_more(measure, value) for value in measure.trend], max(min(cells, _COURSE_MOST), 0))
    ends_line: Line = [(column(left, _LEFT_CELLS), Ink.DIM), (course, Ink.ACCENT), (f" {right}", Ink.TEXT)]
    return spread(ends_line, change, width)


def flow(measures: tuple[Measure, ...], width: int) -> Line:
    """Variety  many artists ↗  different →  …, whole ones only."""
    line: Line = [("Variety ", Ink.DIM)] if width >= len("Variety ") else []
    for measure in measures:
        item: Line = [] if measure.ends is None else [(f" {measure.ends[1]} ", Ink.TEXT), _change(measure)]
        if width_of(line) + width_of(item) <= width:
            line += item
    return line


def _more(measure: Measure, value: float) -> float:
    """The value such that more is more varied."""
    return value if measure.higher_is_more_diverse else -value


def _change(measure: Measure) -> tuple[str, Ink]:
    """Where the queue takes the measure: a sign and a word, so that colour alone says nothing."""
    change = _more(measure, measure.after_queue) - _more(measure, measure.value)
    if not measure.trend or not math.isfinite(change) or abs(change) < _STEADY:
        return "→ same", Ink.DIM
    return ("↗ more", Ink.GOOD) if change > 0 else ("↘ less", Ink.BAD)


def wrapped(sentence: str, width: int, height: int) -> list[str]:
    """A sentence in lines of at most ``width`` cells; none where they would crowd the figures out."""
    lines = textwrap.wrap(plain(sentence), width) if width > 0 else []
    return lines if len(lines) <= height // _SENTENCE_SHARE else []


def _now(measure: Measure) -> str:
    """As it is; a dash before the first play, since nothing is neither even nor uneven."""
    return number(measure.value) if measure.trend else number(math.nan)
