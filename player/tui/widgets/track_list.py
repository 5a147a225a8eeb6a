"""Lists of tracks: the library's, a view (indices) of a catalogue and never a copy of it; and those that sound like one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.messages import ColumnClicked
from player.tui.text import clock, column, number, right, shares
from player.tui.widgets.row_list import MARGINS, RowList
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from player.insight.neighbours import SimilarTrack
    from player.library.tracks import TrackRow

_TIME = 7
_YEAR = 6
_GAP = 2
_ALBUM_FROM = 60
_GENRE_FROM = 110
_LIKENESS = 7
_SIMILAR_TIME = 8
"""With the gap before it; an hour and more fits."""


class TrackList(RowList):
    """Tracks of the catalogue."""

    _catalogue: Sequence[TrackRow] = ()
    _indices: Sequence[int] = ()

    @property
    def selected(self) -> TrackRow | None:
        """The track at the cursor."""
        return self._catalogue[self._indices[self.cursor]] if self._indices else None

    def show(self, catalogue: Sequence[TrackRow], indices: Sequence[int], *, keep: bool) -> None:
        """Show some of the catalogue.

        Args:
            catalogue: All tracks.
            indices: Which of them, in the order to show.
            keep: Leave the cursor on its row; else go to the first.
        """
        self._catalogue = catalogue
        self._indices = indices
        self.set_length(len(indices), self.cursor if keep else 0)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """Title, artist, album, genre, year and length – as many as there is room for."""
        track = self._catalogue[self._indices[index]]
        widths = _widths(width)
        texts = (track.title, track.artist, track.album, track.genre)
        year = f"{track.year:>{_YEAR}}" if track.year is not None and track.year > 0 else " " * _YEAR
        time = right("missing" if track.missing else clock(track.duration), _TIME)
        inks = (Ink.STRONG if selected else Ink.TEXT, Ink.TEXT, Ink.DIM, Ink.DIM)
        cells = [
            (column(text, room) + " " * _GAP, Ink.DIM if track.missing else ink)
            for text, room, ink in zip(texts, widths, inks, strict=False)
        ]
        cells[-1] = (cells[-1][0][:-_GAP], cells[-1][1])
        return [*cells, ((year if width >= _ALBUM_FROM else "") + time, Ink.DIM)]


def _widths(width: int) -> list[int]:
    """Of title, artist, album and genre: as many as there is room for."""
    weights = (5, 4) if width < _ALBUM_FROM else (5, 4, 4) if width < _GENRE_FROM else (5, 4, 5, 2)
    end = _TIME + (_YEAR if width >= _ALBUM_FROM else 0)
    return shares(width - end - (len(weights) - 1) * _GAP - 1, weights)


class ColumnHeads(Inked):
    """The names of the columns over a :class:`TrackList`, with the one it is sorted by marked; a click sorts by another."""

    _order, _sign = "", ""

    def show(self, order: str, *, backwards: bool) -> None:
        """Mark another column."""
        self._order, self._sign = order, "↑" if backwards else "↓"
        self.refresh()

    def _cells(self, width: int) -> list[tuple[str, int]]:
        widths = [room + _GAP for room in _widths(width)]
        cells = list(zip(("title", "artist", "album", "genre"), widths, strict=False))
        cells[-1] = (cells[-1][0], cells[-1][1] - _GAP)
        return [*cells, *([("year", _YEAR)] if width >= _ALBUM_FROM else []), ("length", _TIME)]

    def line(self, y: int, width: int) -> Line:
        """The one line; it begins where the rows do."""
        del y
        pieces: Line = [(" ", Ink.TEXT)]
        for name, room in self._cells(width - MARGINS):
            text = f"{name}{self._sign}" if name == self._order else name
            placed = right(text, room) if name in {"year", "length"} else column(text, room)
            pieces.append((placed, Ink.ACCENT if name == self._order else Ink.DIM))
        return pieces

    def on_click(self, event: events.Click) -> None:
        """Sort by the column under the pointer."""
        end = 1
        for name, room in self._cells(self.content_size.width - MARGINS):
            end += room
            if event.x < end:
                self.post_message(ColumnClicked(name))
                return


class SimilarList(RowList):
    """Similarity, title, artist, album, genre and length – as many as there is room for."""

    _found: Sequence[SimilarTrack] = ()

    @property
    def selected(self) -> TrackRow | None:
        """The track at the cursor."""
        return self._found[self.cursor].track if self._found else None

    def show(self, found: Sequence[SimilarTrack], cursor: int) -> None:
        """Show other tracks."""
        self._found = found
        self.set_length(len(found), cursor)

    def row(self, index: int, width: int, *, selected: bool) -> Line:
        """One track."""
        similar = self._found[index]
        track = similar.track
        weights = (5, 4) if width < _ALBUM_FROM else (5, 4, 4) if width < _GENRE_FROM else (5, 4, 4, 3)
        widths = shares(width - _LIKENESS - _SIMILAR_TIME - (len(weights) - 1) * _GAP, weights)
        inks = (Ink.STRONG if selected else Ink.TEXT, Ink.TEXT, Ink.DIM, Ink.DIM)
        texts = zip((track.title, track.artist, track.album, track.genre), widths, inks, strict=False)
        cells: Line = []
        for text, room, ink in texts:
            cells += [(column(text, room), ink), (" " * _GAP, Ink.TEXT)]
        likeness = right(number(similar.similarity), _LIKENESS - _GAP)
        return [
            (likeness + " " * _GAP, Ink.ACCENT),
            *cells[:-1],
            (right(clock(track.duration), _SIMILAR_TIME), Ink.DIM),
        ]
