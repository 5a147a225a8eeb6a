"""Points on a terminal: eight braille dots a cell, one colour a cell; where the camera is, and what lies in a direction.

Nothing here knows a track: points are numbered, colours are numbers, and all of it is numpy, so that 100,000 points are
drawn between two key presses.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DOTS_ACROSS, DOTS_DOWN = 2, 4
BRAILLE = 0x2800
"""The empty pattern; a dot adds its bit."""
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
"""(down, across) the bit of each dot of a cell."""
BORDER = 2
"""Cells left free around the whole map, so that a mark beside the outermost point still fits."""
LARGE_UP_TO, MEDIUM_UP_TO = 0.05, 0.5
"""Points in view for a cell of the screen up to which each is drawn with six or four dots instead of one."""
ASIDE = 2.0
"""What a dot aside of the direction pressed costs, in dots along it."""
CLOSEST = 64.0
"""The largest zoom."""


class Cell(NamedTuple):
    """A place on the screen."""

    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Camera:
    """What part of the map fills the screen; places reach from −1 to 1 on both axes, y upwards."""

    columns: int
    rows: int
    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0

    @property
    def _per_unit(self) -> tuple[float, float]:
        across = max(self.columns - 2 * BORDER, 1) * DOTS_ACROSS / 2 * self.zoom
        # A line has half the height to lose.
        down = max(self.rows - BORDER, 1) * DOTS_DOWN / 2 * self.zoom
        return across, down

    def dots(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 2) places as dots from the top left corner of the screen, which may lie outside."""
        across, down = self._per_unit
        middle = (self.columns * DOTS_ACROSS / 2, self.rows * DOTS_DOWN / 2)
        return np.stack(
            (
                middle[0] + (places[:, 0] - self.x) * across,
                middle[1] - (places[:, 1] - self.y) * down,
            ),
            axis=1,
        ).astype(np.float32)

    def cell(self, place: NDArray[np.float32]) -> Cell | None:
        """The cell of a place; None where it is not in view."""
        across, down = np.floor(self.dots(place[np.newaxis])[0]).astype(int)
        cell = Cell(int(across) // DOTS_ACROSS, int(down) // DOTS_DOWN)
        return cell if 0 <= cell.column < self.columns and 0 <= cell.row < self.rows else None

    def on(self, place: NDArray[np.float32], zoom: float) -> Camera:
        """With a place in the middle, or as near to it as the map's edge allows."""
        zoom = min(max(zoom, 1.0), CLOSEST)
        reach = 1 - 1 / zoom
        x, y = (min(max(float(value), -reach), reach) for value in place)
        return Camera(self.columns, self.rows, x, y, zoom)

    def sized(self, columns: int, rows: int) -> Camera:
        """For another screen."""
        return Camera(columns, rows, self.x, self.y, self.zoom)


@dataclass(frozen=True, slots=True)
class Picture:
    """What to print.

    Attributes:
        patterns: (rows, columns) uint8, the dots of each cell.
        colours: (rows, columns) int64, the colour of each cell that has any.
    """

    patterns: NDArray[np.uint8]
    colours: NDArray[np.int64]


def picture(dots: NDArray[np.float32], colours: NDArray[np.int64], camera: Camera) -> Picture:
    """Draw points; a cell has the colour that most of its points have, of equals the first.

    Args:
        dots: (n, 2) as the camera gives them.
        colours: (n,) from 0.
        camera: for the size.
    """
    width, height = camera.columns * DOTS_ACROSS, camera.rows * DOTS_DOWN
    at = np.floor(dots).astype(np.int64)
    seen = (at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)
    across, down, colour = at[seen, 0], at[seen, 1], colours[seen]
    kinds = int(colours.max(initial=0)) + 1
    votes = np.zeros(camera.columns * camera.rows * kinds, np.int64)
    lit = np.zeros((height, width), np.bool_)
    for right, below in _shape(len(across) / max(camera.columns * camera.rows, 1)):
        x, y = np.minimum(across + right, width - 1), np.minimum(down + below, height - 1)
        lit[y, x] = True
        cell = y // DOTS_DOWN * camera.columns + x // DOTS_ACROSS
        votes += np.bincount(cell * kinds + colour, minlength=len(votes))
    return Picture(patterns(lit), votes.reshape(camera.rows, camera.columns, kinds).argmax(axis=2))


def _shape(crowd: float) -> list[tuple[int, int]]:
    """The dots of one point, from its own to the right and below: large while there is room."""
    if crowd <= LARGE_UP_TO:
        return [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    return [(0, 0), (1, 0), (0, 1), (1, 1)] if crowd <= MEDIUM_UP_TO else [(0, 0)]


def patterns(lit: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(4 rows, 2 columns) dots as (rows, columns) braille patterns."""
    height, width = lit.shape
    cells = lit.reshape(height // DOTS_DOWN, DOTS_DOWN, width // DOTS_ACROSS, DOTS_ACROSS)
    return (cells * BITS[:, np.newaxis, :]).sum(axis=(1, 3)).astype(np.uint8)


def way(dots: NDArray[np.float32], camera: Camera, every: int = 3) -> NDArray[np.uint8]:
    """(rows, columns) patterns of a dotted line from point to point.

    Args:
        dots: (n, 2) the points, in order.
        camera: for the size.
        every: how many dots apart.
    """
    width, height = camera.columns * DOTS_ACROSS, camera.rows * DOTS_DOWN
    lit = np.zeros((height, width), np.bool_)
    for start, end in pairwise(dots):
        steps = max(int(np.abs(end - start).max()) // every, 1)
        line = np.floor(np.linspace(start, end, steps + 1)).astype(np.int64)
        inside = (line >= 0).all(axis=1) & (line[:, 0] < width) & (line[:, 1] < height)
        lit[line[inside, 1], line[inside, 0]] = True
    return patterns(lit)


def towards(dots: NDArray[np.float32], origin: int, across: int, down: int) -> int | None:
    """The nearest point in one of the four directions; None where there is none.

    Points straight ahead count as nearer than those aside; those more aside than ahead do not lie in this direction.
    A point within the width of a cell does not count: the cursor would seem to stand still.

    Args:
        dots: (n, 2) as the camera gives them.
        origin: the point to go from.
        across: 1 to the right, −1 to the left, else 0.
        down: 1 downwards, −1 upwards, else 0.
    """
    away = dots - dots[origin]
    ahead = away[:, 0] * across + away[:, 1] * down
    aside = np.abs(away[:, 0] * down) + np.abs(away[:, 1] * across)
    open_ahead = (ahead >= DOTS_ACROSS) & (aside <= ahead)
    if not open_ahead.any():
        return None
    return int(np.where(open_ahead, ahead + ASIDE * aside, np.inf).argmin())


def nearest(dots: NDArray[np.float32], cell: Cell) -> int:
    """The point nearest to the middle of a cell."""
    middle = ((cell.column + 0.5) * DOTS_ACROSS, (cell.row + 0.5) * DOTS_DOWN)
    return int(((dots - np.array(middle, np.float32)) ** 2).sum(axis=1).argmin())


def sharing(dots: NDArray[np.float32], origin: int) -> list[int]:
    """All points in the cell of one, itself too."""
    cells = np.floor(dots / np.array((DOTS_ACROSS, DOTS_DOWN), np.float32))
    return [int(point) for point in np.flatnonzero((cells == cells[origin]).all(axis=1))]
