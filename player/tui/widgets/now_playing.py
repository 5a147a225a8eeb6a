"""The playing track: what it is, whether it is liked, why it plays, and what it comes out of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.text import dotted, fit
from player.tui.widgets.styled_text import Ink, Inked, Line, spread

if TYPE_CHECKING:
    from player.stations.snapshot import NowPlaying, Snapshot

_MARGIN = 2
"""Cells before the title: the sign and a space."""
_GAP = 2


class NowPlayingPanel(Inked):
    """Three lines: title and thumb; artist, album and year; the reason and the output."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._now: NowPlaying | None = None
        self._output = ""

    def show(self, snapshot: Snapshot) -> None:
        """Show another snapshot's track; the position is the position bar's."""
        self._now = snapshot.now
        self._output = snapshot.output
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One of the three lines."""
        if self._now is None:
            return _silence(y)
        match y:
            case 0:
                return _title(self._now, width)
            case 1:
                return _origin(self._now, width)
            case 2:
                return _circumstances(self._now.reason, self._output, width)
            case _:
                return []


def _silence(y: int) -> Line:
    return [("■ ", Ink.DIM), ("Nothing is playing", Ink.DIM)] if y == 0 else []


def _title(now: NowPlaying, width: int) -> Line:
    sign = "▶ " if now.playing else "⏸ "
    thumb: Line = []
    if now.thumb > 0:
        thumb = [("▲ liked", Ink.GOOD)]
    elif now.thumb < 0:
        thumb = [("▼ disliked", Ink.BAD)]
    room = width - _MARGIN - sum(cell_len(text) + _GAP for text, _ in thumb)
    return spread([(sign, Ink.ACCENT), (fit(now.track.title, room), Ink.TITLE)], thumb, width)


def _origin(now: NowPlaying, width: int) -> Line:
    year = str(now.track.year) if now.track.year is not None and now.track.year > 0 else ""
    words = dotted((now.track.artist, now.track.album, year))
    return [(" " * _MARGIN + fit(words, width - _MARGIN), Ink.TEXT)]


def _circumstances(reason: str, output: str, width: int) -> Line:
    output = fit(output, width // 2)
    reason = fit(reason, width - _MARGIN - cell_len(output) - _GAP)
    return spread([(" " * _MARGIN + reason, Ink.DIM)], [(output, Ink.DIM)], width)
