"""The words of the playing track, following the music; where there are none, what is known of why it plays."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from player.tui.text import dotted, fit
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from player.library.lyrics import LyricsLine
    from player.stations.snapshot import Snapshot

_TICK = 0.5
"""Seconds between two looks at the position; a line of a song takes some."""
_ABOVE = 3
"""Where in the panel, as one part of so many, the line is that is sung."""


class LyricsPanel(Inked):
    """Lyrics, the line that is sung in the middle.

    Args:
        position: seconds into the track, as of now; without it there is only said why the track plays.
    """

    def __init__(self, position: Callable[[], float] | None = None, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._position = position
        self._lyrics: Sequence[LyricsLine] = ()
        self._snapshot: Snapshot | None = None
        self._sung = -1
        self.scrolled = 0
        """Lines that words without times were scrolled by hand."""

    def on_mount(self) -> None:
        """Follow the music."""
        if self._position is not None:
            self.set_interval(_TICK, self._tick)

    def show(self, snapshot: Snapshot) -> None:
        """What stands here where there are no lyrics."""
        self._snapshot = snapshot
        self.refresh()

    def sing(self, lyrics: Sequence[LyricsLine]) -> None:
        """Show other lyrics."""
        self._lyrics, self.scrolled, self._sung = lyrics, 0, -1
        self._tick()
        self.refresh()

    @property
    def timed(self) -> bool:
        """True where each line has its time."""
        return bool(self._lyrics) and self._lyrics[0].seconds is not None

    def _tick(self) -> None:
        now = 0.0 if self._position is None else self._position()
        sung = sum(1 for line in self._lyrics if line.seconds is not None and line.seconds <= now) - 1
        if sung != self._sung:
            self._sung = sung
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One line."""
        if not self._lyrics:
            lines = self._about(width)
            return lines[y] if y < len(lines) else []
        first = self._sung - self.content_size.height // _ABOVE if self.timed else self.scrolled
        at = first + y
        if not 0 <= at < len(self._lyrics):
            return []
        ink = Ink.STRONG if at == self._sung else Ink.DIM if self.timed else Ink.TEXT
        mark = "▸ " if at == self._sung else "  "
        return [(mark, Ink.ACCENT), (self._lyrics[at].words[:width], ink)]

    def _about(self, width: int) -> list[Line]:
        snapshot = self._snapshot
        if snapshot is None or snapshot.now is None:
            return [[("Nothing is playing.", Ink.DIM)]]
        now, lines = snapshot.now, list[Line]()
        lines += [[(part, Ink.ACCENT)] for part in textwrap.wrap(f"Plays because: {now.reason}", max(width, 1))]
        told = "" if self._position is None else "no lyrics in its file or beside it"
        facts = dotted((now.track.album, now.track.genre, str(now.track.year or ""), told))
        lines += [[], *([(part, Ink.DIM)] for part in textwrap.wrap(facts, max(width, 1)))]
        if snapshot.queue and self._position is not None:
            lines += [[], [("Then", Ink.STRONG)]]
            following = snapshot.queue[: max(self.content_size.height - len(lines), 0)]
            lines += [[(fit(f"  {row.track.title} · {row.track.artist}", width), Ink.TEXT)] for row in following]
        return lines
