"""The colours of the map: groups and scores as numbers into a short list of shades."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.insight.library_map import DOWN, MIXED, UNTHUMBED, UP, Colouring
from player.tui.theme import ACCENT, GREY, GROUPS, SCALE

VERDICTS = {UP: "green", DOWN: "red", MIXED: ACCENT, UNTHUMBED: GREY}
"""Green and red are the terminal's, as everywhere on the screen."""
TAIL_PERCENT = 2
"""Of the scores at either end share the end's colour, so that one extreme track does not take all the contrast."""
NO_SCORE = "no score yet"


@dataclass(frozen=True, slots=True)
class Shade:
    """One colour and what it stands for; what is ``faint`` says nothing and lies below the others."""

    name: str
    colour: str
    count: int
    faint: bool = False


@dataclass(frozen=True, slots=True)
class MapPaint:
    """A map's colours.

    Attributes:
        title: what they show, in words.
        shades: the colours there are.
        codes: (n,) the shade of each track.
        ends: the values at the ends of a scale; None for groups.
    """

    title: str
    shades: tuple[Shade, ...]
    codes: NDArray[np.int64]
    ends: tuple[float, float] | None = None


def paint(colouring: Colouring) -> MapPaint:
    """Choose the colours."""
    return _paint_scale(colouring) if colouring.values else _paint_groups(colouring)


def _paint_groups(colouring: Colouring) -> MapPaint:
    sizes = Counter(colouring.groups)
    verdicts = set(colouring.order) <= VERDICTS.keys()
    palette = iter(GROUPS)
    shades: list[Shade] = []
    for name in colouring.order:
        faint = name in colouring.greyed
        colour = VERDICTS[name] if verdicts else GREY if faint else next(palette)
        shades.append(Shade(name, colour, sizes[name], faint))
    codes = {name: code for code, name in enumerate(colouring.order)}
    return MapPaint(colouring.title, tuple(shades), np.array([codes[group] for group in colouring.groups], np.int64))


def _paint_scale(colouring: Colouring) -> MapPaint:
    values = np.array(colouring.values)
    known = np.isfinite(values)
    low, high = np.percentile(values[known], (TAIL_PERCENT, 100 - TAIL_PERCENT)) if known.any() else (0.0, 0.0)
    shares = (np.where(known, values, low) - low) / ((high - low) or 1.0)
    codes = np.clip(shares * len(SCALE), 0, len(SCALE) - 1).astype(np.int64)
    codes[~known] = len(SCALE)
    sizes = np.bincount(codes, minlength=len(SCALE) + 1)
    shades = [Shade("", colour, int(count)) for colour, count in zip(SCALE, sizes, strict=False)]
    shades.append(Shade(NO_SCORE, GREY, int(sizes[-1]), faint=True))
    return MapPaint(colouring.title, tuple(shades), codes, (float(low), float(high)))
