"""What stands around the map: the legend, the track at the cursor, and how far a map is that is being made."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from player.tui.text import bar, clock, column, dotted, fit, number
from player.tui.widgets.map_canvas import CURSOR, STEPS
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from textual.geometry import Size

    from player.insight.terminal_map import MapView
    from player.library.tracks import TrackRow
    from player.stations.snapshot import QueueRow
    from player.tui.map_paint import MapPaint, Shade

_TALL_FROM = 6
"""With fewer lines than this, the legend flows from left to right."""
_FLOWING_LINES = 2
_GAP = 3
_BAR = 40
_ARTIST_FROM = 8
"""Cells; of an artist, less would say nothing."""

_Text = list[tuple[str, Style]]


class MapLegend(Inked):
    """The groups or the scale; below them, where there is room, the queue with its numbers on the map."""

    _paint: MapPaint | None = None
    _alone: int | None = None
    _queue: tuple[QueueRow, ...] = ()

    def show_paint(self, paint: MapPaint | None, alone: int | None) -> None:
        """Explain other colours; ``alone`` is the group that is shown by itself."""
        self._paint, self._alone = paint, alone
        self.refresh(layout=True)

    def show_queue(self, queue: tuple[QueueRow, ...]) -> None:
        """List another queue, as far as it is numbered on the map."""
        if queue != self._queue:
            self._queue = queue
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line or two where it flows."""
        del container, viewport
        return max(len(self._flow(width)), 1)

    def render_line(self, y: int) -> Strip:
        """One line."""
        width, height = self.content_size
        lines = self._column(width, height) if height >= _TALL_FROM else self._flow(width)
        text = lines[y] if y < len(lines) else []
        segments = [Segment(words, style) for words, style in text]
        return Strip(segments).adjust_cell_length(width, self.ink(Ink.TEXT))

    def _flow(self, width: int) -> list[_Text]:
        if self._paint is None:
            return []
        if self._paint.ends is not None:
            return [self._scale(self._paint, 3)]
        lines: list[_Text] = [[]]
        taken = 0
        for code, shade in enumerate(self._paint.shades):
            entry = self._entry(code, shade, width)
            cells = sum(len(words) for words, _ in entry) + _GAP
            if taken and taken + cells - _GAP > width:
                if len(lines) == _FLOWING_LINES:
                    break
                lines.append([])
                taken = 0
            lines[-1] += [*entry, (" " * _GAP, self.ink(Ink.TEXT))]
            taken += cells
        return lines

    def _column(self, width: int, height: int) -> list[_Text]:
        strong, dim, text, title = (self.ink(ink) for ink in (Ink.STRONG, Ink.DIM, Ink.TEXT, Ink.TITLE))
        lines: list[_Text] = []
        if self._paint is not None:
            heading = self._paint.title[:1].upper() + self._paint.title[1:]
            lines.append([(fit(heading, width), strong)])
            if self._paint.ends is None:
                lines += [self._entry(code, shade, width, fill=True) for code, shade in enumerate(self._paint.shades)]
            else:
                lines.append(self._scale(self._paint, 3))
        if self._queue:
            lines += [[], [("Up next", strong), ("  the way on the map", dim)]]
            for step, row in zip(STEPS, self._queue, strict=False):
                if len(lines) >= height:
                    break
                words = dotted((row.track.title, row.track.artist))
                lines.append([(f"{step} ", title), (fit(words, width - 2), text)])
        return lines

    def _entry(self, code: int, shade: Shade, width: int, *, fill: bool = False) -> _Text:
        shown = self._alone in {None, code}
        dot = (f"{CURSOR} ", Style(color=shade.colour) if shown else self.ink(Ink.DIM))
        ink = self.ink(Ink.STRONG if self._alone == code else Ink.TEXT if shown else Ink.DIM)
        count = f"{shade.count:,}"
        room = width - len(count) - 3
        name = column(shade.name, room) if fill else fit(shade.name, room)
        return [dot, (f"{name} ", ink), (count, self.ink(Ink.DIM))]

    def _scale(self, paint: MapPaint, cells: int) -> _Text:
        assert paint.ends is not None
        text = self.ink(Ink.TEXT)
        colours = [("█" * cells, Style(color=shade.colour)) for shade in paint.shades if not shade.faint]
        low, high = (number(end) for end in paint.ends)
        return [(f"{low} ", text), *colours, (f" {high}", text)]


class MapTrack(Inked):
    """The track at the map's cursor."""

    _track: TrackRow | None = None
    _facts = ""

    def show(self, track: TrackRow | None, facts: str) -> None:
        """Show another track."""
        self._track, self._facts = track, facts
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """Title – artist, and what else is known of it."""
        track = self._track
        if y or track is None:
            return []
        facts: Line = [(dotted((self._facts, track.genre, clock(track.duration))), Ink.DIM)]
        mark: Line = [(f"[{CURSOR}] ", Ink.STRONG)]
        room = width - width_of([*mark, *facts]) - _GAP
        if room < width // 2:
            facts, room = [], width - width_of(mark)
        title = fit(track.title, room)
        rest = room - cell_len(title)
        artist = fit(f" – {track.artist}", rest) if track.artist and rest >= _ARTIST_FROM else ""
        return spread([*mark, (title, Ink.STRONG), (artist, Ink.TEXT)], facts, width)


class MapProgress(Inked):
    """Stands where the map will be."""

    _view: MapView | None = None

    def show(self, view: MapView) -> None:
        """Show how far it is."""
        self._view = view
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """A bar and a sentence in the middle."""
        lines = self._block(width)
        first = max((self.content_size.height - len(lines)) // 2, 0)
        if not first <= y < first + len(lines):
            return []
        line = lines[y - first]
        return [(" " * ((width - width_of(line)) // 2), Ink.TEXT), *line]

    def _block(self, width: int) -> list[Line]:
        view = self._view
        if view is None:
            return []
        if view.problem:
            return [[(part, Ink.TEXT)] for part in textwrap.wrap(view.problem, max(min(width - 2, 70), 1))]
        done, rest = bar(view.share or 0.0, min(_BAR, width - 2))
        return [
            [("Placing the tracks by their sound …", Ink.TEXT)],
            [],
            [(done, Ink.ACCENT), (rest, Ink.DIM)],
            [],
            [(fit("It is made once, and again when tracks have come.", width), Ink.DIM)],
        ]
