"""The library's rows: a view (indices) of a catalogue, never a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.messages import PlayTrack, RowChosen
from player.tui.text import clock, column, right, shares
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from player.library.tracks import TrackRow

_TIME = 7
_YEAR = 6
_GAP = 2
_ALBUM_FROM = 60
_GENRE_FROM = 110


class TrackList(RowList):
    """Tracks of the catalogue."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._catalogue: Sequence[TrackRow] = ()
        self._indices: Sequence[int] = ()

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
        weights = (5, 4) if width < _ALBUM_FROM else (5, 4, 4) if width < _GENRE_FROM else (5, 4, 5, 2)
        texts = (track.title, track.artist, track.album, track.genre)[: len(weights)]
        year = f"{track.year:>{_YEAR}}" if track.year is not None and track.year > 0 else " " * _YEAR
        end = (year if width >= _ALBUM_FROM else "") + right(
            "missing" if track.missing else clock(track.duration), _TIME
        )
        widths = shares(width - len(end) - (len(weights) - 1) * _GAP - 1, weights)
        inks = (Ink.STRONG if selected else Ink.TEXT, Ink.TEXT, Ink.DIM, Ink.DIM)
        cells = [
            (column(text, room) + " " * _GAP, Ink.DIM if track.missing else ink)
            for text, room, ink in zip(texts, widths, inks, strict=False)
        ]
        cells[-1] = (cells[-1][0][:-_GAP], cells[-1][1])
        return [*cells, (end, Ink.DIM)]

    def on_row_chosen(self, message: RowChosen) -> None:
        """Play the track by hand."""
        message.stop()
        self.post_message(PlayTrack(self._catalogue[self._indices[message.index]].id))
