"""Tracks that sound like another one, with how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.messages import PlayTrack, RowChosen
from player.tui.text import clock, column, number, right, shares
from player.tui.widgets.row_list import RowList
from player.tui.widgets.styled_text import Ink, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from player.insight.neighbours import SimilarTrack
    from player.library.tracks import TrackRow

_LIKENESS = 7
_TIME = 8
"""With the gap before it; an hour and more fits."""
_GAP = 2
_ALBUM_FROM = 60
_GENRE_FROM = 110


class SimilarList(RowList):
    """Similarity, title, artist, album, genre and length – as many as there is room for."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._found: Sequence[SimilarTrack] = ()

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
        widths = shares(width - _LIKENESS - _TIME - (len(weights) - 1) * _GAP, weights)
        inks = (Ink.STRONG if selected else Ink.TEXT, Ink.TEXT, Ink.DIM, Ink.DIM)
        texts = zip((track.title, track.artist, track.album, track.genre), widths, inks, strict=False)
        cells: Line = []
        for text, room, ink in texts:
            cells += [(column(text, room), ink), (" " * _GAP, Ink.TEXT)]
        likeness = right(number(similar.similarity), _LIKENESS - _GAP)
        return [
            (likeness + " " * _GAP, Ink.ACCENT),
            *cells[:-1],
            (right(clock(track.duration), _TIME), Ink.DIM),
        ]

    def on_row_chosen(self, message: RowChosen) -> None:
        """Play the track by hand."""
        message.stop()
        self.post_message(PlayTrack(self._found[message.index].track.id))
