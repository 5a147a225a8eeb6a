"""The colours of a map, the same on the page and in the picture."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from player.insight.library_map import DOWN, MIXED, UNTHUMBED, UP, Colouring

PALETTE = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733", "#bb8866")
"""Paul Tol's bright scheme (SRON/EPS/TN/09-002), chosen so that the colour-blind tell them apart, and two more."""
GREY = "#8a8d94"
GREYS = (GREY, "#5c6068")
"""Of groups that say nothing, two at most."""
VERDICTS = {UP: "#228833", DOWN: "#ee6677", MIXED: "#ccbb44", UNTHUMBED: GREY}
SCALE = ("#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
"""The upper part of viridis: it rises evenly in lightness, and its darkest still shows on a dark page."""
TAIL_PERCENT = 2
"""Of the scores at either end share the end's colour, so that one extreme track does not take all the contrast."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One group of a map."""

    name: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class Paint:
    """A map's colours.

    Attributes:
        colours: (n) ``#rrggbb``, one a track.
        legend: the groups; empty for a scale.
        ends: the values at the ends of a scale; None for groups.
    """

    colours: tuple[str, ...]
    legend: tuple[LegendEntry, ...]
    ends: tuple[float, float] | None


def paint(colouring: Colouring) -> Paint:
    """Choose the colours."""
    return _paint_scale(colouring.values) if colouring.values else _paint_groups(colouring)


def _paint_groups(colouring: Colouring) -> Paint:
    palette, greys = iter(PALETTE), iter(GREYS)
    colours: dict[str, str] = {}
    for name in colouring.order:
        if name in colouring.greyed:
            colours[name] = next(greys)
        else:
            colours[name] = VERDICTS[name] if set(colouring.order) <= VERDICTS.keys() else next(palette)
    sizes = Counter(colouring.groups)
    legend = tuple(LegendEntry(name, colours[name], sizes[name]) for name in colouring.order)
    return Paint(tuple(colours[group] for group in colouring.groups), legend, None)


def _paint_scale(values: tuple[float, ...]) -> Paint:
    low, high = (float(end) for end in np.percentile(values, (TAIL_PERCENT, 100 - TAIL_PERCENT)))
    span = high - low or 1.0
    return Paint(tuple(_on_scale((value - low) / span) for value in values), (), (low, high))


def _on_scale(share: float) -> str:
    stops = np.array([[int(stop[place : place + 2], 16) for place in (1, 3, 5)] for stop in SCALE], np.float64)
    at = np.linspace(0, 1, len(SCALE))
    red, green, blue = (round(float(np.interp(share, at, stops[:, channel]))) for channel in range(3))
    return f"#{red:02x}{green:02x}{blue:02x}"
