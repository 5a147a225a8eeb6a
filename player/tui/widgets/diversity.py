"""Beside the queue: the station's dial, and how varied it is, with trends and where the queue will take it."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.text import fit, number, plain, sparkline
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from player.stations.snapshot import Measure, Snapshot

_LEFT = "familiar "
_RIGHT = " discover "
_NUMBER = 3
_SLIDER_MOST = 21
"""Cells of the slider: one for every five hundredths, and an odd number, so that there is a middle."""
_SLIDER_LEAST = 7
_GAP = 2
_FULL = 100
_TALL_FROM = 6
"""With fewer lines than this, the measures flow one after the other."""
_PER_MEASURE = 3
_FLOWING = ((6, 3), (4, 2), (0, 3), (0, 2))
"""Cells of a trend, and between two measures, in the flowing form: the first that fits is taken."""
_SENTENCE_SHARE = 3
"""A sentence takes at most this part of the panel, or it is left out: the figures come first."""
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
    """One block per measure where there is room, else two flowing lines."""

    _measures: tuple[Measure, ...] = ()
    _sentence = ""

    def show(self, measures: tuple[Measure, ...], sentence: str = "") -> None:
        """Show other values, and what they come to; the sentence stands above the blocks only."""
        if (measures, sentence) != (self._measures, self._sentence):
            self._measures, self._sentence = measures, sentence
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One line of the form that fits."""
        height = self.content_size.height
        if height < _TALL_FROM:
            lines = flow(self._measures, width, height)
            return lines[y] if y < len(lines) else []
        return self._block_line(y, width, height)

    def _block_line(self, y: int, width: int, height: int) -> Line:
        if y == 0:
            return [("Diversity", Ink.STRONG), ("  now → after the queue", Ink.DIM)]
        said = wrapped(self._sentence, width, height)
        if 1 <= y <= len(said):
            return [(said[y - 1], Ink.TEXT)]
        index, part = divmod(y - 2 - len(said), _PER_MEASURE)
        if index < 0 or index >= len(self._measures) or (y - part + 1) >= height:
            return []
        measure = self._measures[index]
        if part == 0:
            values = [(f"{_now(measure)} → ", Ink.TEXT), _after(measure), _arrow(measure)]
            return spread([(fit(measure.name, width - width_of(values) - 1), Ink.TEXT)], values, width)
        return [(sparkline(measure.trend, width), Ink.DIM)] if part == 1 else []


def wrapped(sentence: str, width: int, height: int) -> list[str]:
    """A sentence in lines of at most ``width`` cells; none where they would crowd the figures out."""
    lines = textwrap.wrap(plain(sentence), width) if width > 0 else []
    return lines if len(lines) <= height // _SENTENCE_SHARE else []


def flow(measures: tuple[Measure, ...], width: int, height: int) -> list[Line]:
    """The measures one after the other in at most ``height`` lines, whole ones only, with trends where they fit."""
    lines: list[Line] = []
    for trend, gap in _FLOWING:
        lines = _flow(measures, width, trend, gap)
        if len(lines) <= height:
            break
    return lines[:height]


def _flow(measures: tuple[Measure, ...], width: int, trend: int, gap: int) -> list[Line]:
    lines: list[Line] = []
    for measure in measures:
        item: Line = [(f"{measure.name} ", Ink.DIM), (_now(measure), Ink.TEXT)]
        if trend:
            item.append((" " + sparkline(measure.trend, trend).strip(), Ink.DIM))
        item.append(_arrow(measure))
        if lines and width_of(lines[-1]) + gap + width_of(item) <= width:
            lines[-1] += [(" " * gap, Ink.TEXT), *item]
        elif width_of(item) <= width:
            lines.append(item)
    return lines


def _now(measure: Measure) -> str:
    """As it is; a dash before the first play, since nothing is neither even nor uneven."""
    return number(measure.value) if measure.trend else number(math.nan)


def _after(measure: Measure) -> tuple[str, Ink]:
    return number(measure.after_queue), _change_ink(measure, measure.after_queue - measure.value)


def _arrow(measure: Measure) -> tuple[str, Ink]:
    if not measure.trend:
        return "", Ink.TEXT
    change = measure.after_queue - measure.value
    ink = _change_ink(measure, change)
    return (" →" if ink is Ink.DIM else " ↗" if change > 0 else " ↘"), ink


def _change_ink(measure: Measure, change: float) -> Ink:
    """Green towards more variety, red towards less."""
    if not math.isfinite(change) or abs(change) < _STEADY:
        return Ink.DIM
    return Ink.GOOD if (change > 0) == measure.higher_is_more_diverse else Ink.BAD
