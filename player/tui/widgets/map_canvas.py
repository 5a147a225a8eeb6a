"""The library as points: tracks that sound alike lie side by side."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from player.tui.chart import BRAILLE, Camera, Cell, nearest, picture, sharing, towards, way
from player.tui.keys import PLAY_ROW
from player.tui.messages import RowChosen, RowHighlighted
from player.tui.theme import GREY
from player.tui.widgets.styled_text import Ink, Inked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from textual import events

    from player.tui.map_paint import MapPaint

STEPS = "123456789"
"""The queue is drawn as far as one digit counts: further ahead it will have been ranked again anyway."""
CURSOR = "●"
"""The track between the cursor's brackets, and a group in the legend."""
ZOOM_STEP = 1.6
KEPT_FREE = 0.12
"""Of the screen at each edge: a cursor that comes closer takes the camera along."""
_DOUBLE = 2
"""Clicks that make a choice."""


class MapCanvas(Inked, can_focus=True):
    """Points with a cursor among them, the playing track, and the way the queue takes.

    Points are numbered as the places they were shown with; a ``RowHighlighted`` says which one has the cursor.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "towards(-1, 0)", "left", show=False),
        Binding("right", "towards(1, 0)", "right", show=False),
        Binding("up", "towards(0, -1)", "up", show=False),
        Binding("down", "towards(0, 1)", "down", show=False),
        PLAY_ROW.binding(),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._places: NDArray[np.float32] = np.zeros((0, 2), np.float32)
        self._codes: NDArray[np.int64] = np.zeros(0, np.int64)
        self._styles: tuple[Style, ...] = ()
        self._below: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._playing: int | None = None
        self._queue: tuple[int | None, ...] = ()
        self._camera = Camera(0, 0)
        self._lines: list[Strip] | None = None
        self.cursor = 0

    # What is shown

    def show_places(self, places: NDArray[np.float32], cursor: int) -> None:
        """Show other points, all of them, grey until they are painted.

        Args:
            places: (n, 2) about 0, y upwards.
            cursor: the point to select.
        """
        # The axes of the map mean nothing by themselves, so each is drawn out until the screen is full.
        reach = np.abs(places).max(axis=0, initial=0.0)
        self._places = (places / np.where(reach > 0, reach, 1)).astype(np.float32)
        self._codes = np.zeros(len(places), np.int64)
        self._styles = (_style(GREY),)
        self._below = np.ones(len(places), np.bool_)
        self._playing, self._queue = None, ()
        self._camera = Camera(self._camera.columns, self._camera.rows)
        self._put(cursor)

    def show_paint(self, paint: MapPaint, alone: int | None) -> None:
        """Colour the points shown; with ``alone``, one group of them, above all others in grey."""
        self._codes = paint.codes
        faint = np.array([shade.faint for shade in paint.shades])
        self._below = faint[paint.codes] if alone is None else paint.codes != alone
        self._styles = tuple(
            _style(shade.colour) if alone in {None, code} else _style(GREY, dim=True)
            for code, shade in enumerate(paint.shades)
        )
        self._redraw()

    def show_way(self, playing: int | None, queue: Sequence[int | None]) -> None:
        """Mark the playing track and what comes after it; None stands for a track that is not on the map."""
        if (playing, tuple(queue)) != (self._playing, self._queue):
            self._playing, self._queue = playing, tuple(queue)
            self._redraw()

    @property
    def zoom(self) -> float:
        """How much closer than the whole map."""
        return self._camera.zoom

    def here(self) -> list[int]:
        """The points in the cursor's cell."""
        return sharing(self._dots(), self.cursor) if len(self._places) else []

    # The cursor and the camera

    def action_towards(self, across: int, down: int) -> None:
        """The cursor to the nearest point in a direction."""
        if len(self._places):
            found = towards(self._dots(), self.cursor, across, down)
            if found is not None:
                self._put(found)

    def action_choose(self) -> None:
        """Choose the point at the cursor."""
        if len(self._places):
            self.post_message(RowChosen(self.cursor))

    def go_to(self, point: int) -> None:
        """The cursor to a point, and the camera where it is seen."""
        self._put(point)

    def next_here(self) -> None:
        """The cursor to the next point in its cell."""
        here = self.here()
        if here:
            self._put(here[(here.index(self.cursor) + 1) % len(here)])

    def zoom_by(self, steps: int) -> None:
        """Closer, or wider with a negative number; around the cursor."""
        if len(self._places):
            self._camera = self._camera.on(self._places[self.cursor], self._camera.zoom * ZOOM_STEP**steps)
            self._redraw()
            self._tell()

    def show_whole(self) -> None:
        """The whole map."""
        self._camera = Camera(self._camera.columns, self._camera.rows)
        self._redraw()
        self._tell()

    def _put(self, point: int) -> None:
        self.cursor = point
        self._follow()
        self._redraw()
        self._tell()

    def _follow(self) -> None:
        if not len(self._places) or not self._camera.columns:
            return
        cell = self._camera.cell(self._places[self.cursor])
        free = Cell(int(self._camera.columns * KEPT_FREE), int(self._camera.rows * KEPT_FREE))
        if (
            cell is None
            or not free.column <= cell.column < self._camera.columns - free.column
            or not free.row <= cell.row < self._camera.rows - free.row
        ):
            self._camera = self._camera.on(self._places[self.cursor], self._camera.zoom)

    def _tell(self) -> None:
        self.post_message(RowHighlighted(self.cursor))

    # The mouse

    def on_click(self, event: events.Click) -> None:
        """The cursor to the nearest point; twice, choose it."""
        if len(self._places):
            self._put(nearest(self._dots(), Cell(event.x, event.y)))
            if event.chain == _DOUBLE:
                self.action_choose()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Closer."""
        event.stop()
        self.zoom_by(1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Wider."""
        event.stop()
        self.zoom_by(-1)

    # Drawing

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self._camera = self._camera.sized(event.size.width, event.size.height)
        self._follow()
        self._redraw()
        self._tell()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self._redraw()

    def on_blur(self) -> None:
        """The cursor looks different."""
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """One line of the map."""
        if self._lines is None:
            self._lines = self._draw()
        return self._lines[y] if y < len(self._lines) else self.strip([], self.size.width)

    def _redraw(self) -> None:
        self._lines = None
        self.refresh()

    def _dots(self) -> NDArray[np.float32]:
        return self._camera.dots(self._places)

    def _draw(self) -> list[Strip]:
        columns, rows = self._camera.columns, self._camera.rows
        if not columns or not rows or not len(self._places):
            return []
        dots = self._dots()
        stops = [point for point in (self._playing, *self._queue) if point is not None]
        line = way(dots[stops], self._camera) if len(stops) > 1 else np.zeros((rows, columns), np.uint8)
        # What is printed over must not stick out from under it.
        covered = np.zeros(len(dots), np.bool_)
        covered[[*stops, self.cursor]] = True
        under, over = self._below & ~covered, ~self._below & ~covered
        below = picture(dots[under], self._codes[under], self._camera)
        above = picture(dots[over], self._codes[over], self._camera)
        marks = self._marks()
        text, dim = self.ink(Ink.TEXT), self.ink(Ink.DIM)
        strips: list[Strip] = []
        for row in range(rows):
            segments: list[Segment] = []
            for column in range(columns):
                mark = marks.get(Cell(column, row))
                upper, lower = int(above.patterns[row, column]), int(below.patterns[row, column])
                if mark is not None:
                    segments.append(Segment(*mark))
                elif upper:
                    segments.append(Segment(chr(BRAILLE + (upper | lower)), self._styles[above.colours[row, column]]))
                elif lower:
                    segments.append(Segment(chr(BRAILLE + lower), self._styles[below.colours[row, column]]))
                elif line[row, column]:
                    segments.append(Segment(chr(BRAILLE + int(line[row, column])), dim))
                else:
                    segments.append(Segment(" ", text))
            strips.append(Strip(Segment.simplify(segments), columns))
        return strips

    def _marks(self) -> dict[Cell, tuple[str, Style]]:
        """What is printed over the dots: the queue's numbers, the playing track, the cursor."""
        marks: dict[Cell, tuple[str, Style]] = {}
        title = self.ink(Ink.TITLE)
        # From the last to the first: in a shared place, what comes sooner is on top.
        for step, point in reversed([*zip(STEPS, self._queue, strict=False)]):
            if point is not None and (cell := self._camera.cell(self._places[point])) is not None:
                marks[cell] = (step, title)
        if self._playing is not None and (cell := self._camera.cell(self._places[self._playing])) is not None:
            marks[cell] = ("▶", title + Style(reverse=True))
        cursor = self._camera.cell(self._places[self.cursor])
        if cursor is not None:
            style = self.ink(Ink.STRONG if self.has_focus else Ink.DIM)
            marks.setdefault(cursor, (CURSOR, self._styles[self._codes[self.cursor]]))
            for aside, bracket in ((-1, "["), (1, "]")):
                marks[Cell(cursor.column + aside, cursor.row)] = (bracket, style)
        return marks


@lru_cache(maxsize=64)
def _style(colour: str, *, dim: bool = False) -> Style:
    return Style(color=colour, dim=dim or None)
