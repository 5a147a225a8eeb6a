"""Charts in the characters of a terminal: curves in braille in a frame, and curves of blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.tui.chart import BRAILLE, DOTS_ACROSS, DOTS_DOWN, Camera, way

LEVELS = "▁▂▃▄▅▆▇█"
LINE, DOTTED = 1, 5
"""Dots from one to the next along a curve."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve from point to point.

    Attributes:
        points: (n, 2) shares of the frame's width and height, from the bottom left.
        every: how many dots apart.
    """

    points: NDArray[np.float64]
    every: int = LINE


@dataclass(frozen=True, slots=True)
class PlotFrame:
    """Frame that curves are drawn in.

    Attributes:
        columns, rows: cells inside it.
        top, bottom: what the upper and the lower end mean.
        left, right: what the ends below mean.
    """

    columns: int
    rows: int
    top: str
    bottom: str
    left: str
    right: str


def plot(frame: PlotFrame, curves: Sequence[Curve]) -> list[str]:
    """The lines to print."""
    camera = Camera(frame.columns, frame.rows)
    cells = np.zeros((frame.rows, frame.columns), np.uint8)
    for curve in curves:
        cells |= way(_dots(curve.points, frame), camera, curve.every)
    margin = max(len(frame.top), len(frame.bottom))
    names = {0: frame.top, frame.rows - 1: frame.bottom}
    drawn = [
        f"{names.get(number, ''):>{margin}} │{''.join(chr(BRAILLE + int(cell)) for cell in row)}"
        for number, row in enumerate(cells)
    ]
    gap = max(1, frame.columns - len(frame.left) - len(frame.right))
    below = " " * (margin + 2)
    return [*drawn, f"{' ' * margin} └{'─' * frame.columns}", f"{below}{frame.left}{' ' * gap}{frame.right}"]


def _dots(points: NDArray[np.float64], frame: PlotFrame) -> NDArray[np.float32]:
    """(n, 2) points as dots from the top left corner, those on the edge inside it."""
    across, down = frame.columns * DOTS_ACROSS - 1, frame.rows * DOTS_DOWN - 1
    shares = np.clip(points, 0.0, 1.0)
    return np.stack([shares[:, 0] * across, (1.0 - shares[:, 1]) * down], axis=1).astype(np.float32)


def blocks(values: Sequence[float]) -> str:
    """One cell a value, from the lowest to the highest of them."""
    low, span = min(values), max(values) - min(values)
    levels = [round((value - low) / span * (len(LEVELS) - 1)) if span > 0 else 0 for value in values]
    return "".join(LEVELS[level] for level in levels)
