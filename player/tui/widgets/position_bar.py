"""Where in the track the music is. Between two snapshots the bar goes on by itself; only this line is redrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.messages import SeekTo
from player.tui.text import bar, clock
from player.tui.widgets.styled_text import Ink, Inked, Line, width_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

    from player.stations.snapshot import NowPlaying, Snapshot

_TICK = 0.25
"""Seconds between two looks at the clock; a second shown late by more than this would be seen."""
_VOLUME_CELLS = 8
_VOLUME_FROM = 56
"""Narrower than this, the volume is only a number."""


class PositionBar(Inked):
    """Elapsed time, bar, length, volume."""

    def __init__(self, now: Callable[[], float], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._clock = now
        self._now: NowPlaying | None = None
        self._since = 0.0
        self._volume = 1.0
        self._drawn: Line = []

    def on_mount(self) -> None:
        """Start to look at the clock."""
        self.set_interval(_TICK, self._tick)

    @property
    def position(self) -> float:
        """Seconds into the track, as of now."""
        if self._now is None:
            return 0.0
        passed = self._clock() - self._since if self._now.playing else 0.0
        return min(max(self._now.position + passed, 0.0), max(self._now.duration, 0.0))

    def show(self, snapshot: Snapshot) -> None:
        """Take over position and volume; a snapshot that does not know better leaves the clock going."""
        self._volume = snapshot.volume
        if _course(snapshot.now) != _course(self._now):
            self._since = self._clock()
        self._now = snapshot.now
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """The one line."""
        self._drawn = self._pieces(width) if y == 0 else []
        return self._drawn

    def on_click(self, event: events.Click) -> None:
        """Seek to where the bar was clicked."""
        offset = event.get_content_offset(self)
        if self._now is None or offset is None or not self._drawn:
            return
        start = width_of(self._drawn[:1])
        cells = width_of(self._drawn[1:3])
        if cells and start <= offset.x < start + cells:
            self.post_message(SeekTo((offset.x - start) / cells * self._now.duration))

    def _tick(self) -> None:
        if self._now is not None and self._now.playing and self._pieces(self.content_size.width) != self._drawn:
            self.refresh()

    def _pieces(self, width: int) -> Line:
        duration = self._now.duration if self._now is not None else 0.0
        volume = self._volume_pieces(width)
        elapsed, length = f"  {clock(self.position)} ", f" {clock(duration)}"
        done, rest = bar(
            self.position / duration if duration > 0 else 0.0,
            max(width - len(elapsed) - len(length) - width_of(volume), 0),
        )
        return [(elapsed, Ink.TEXT), (done, Ink.ACCENT), (rest, Ink.DIM), (length, Ink.DIM), *volume]

    def _volume_pieces(self, width: int) -> Line:
        percent = f" {round(self._volume * 100):>3} %"
        if width < _VOLUME_FROM:
            return [("  " + percent.strip(), Ink.DIM)]
        full = round(min(max(self._volume, 0.0), 1.0) * _VOLUME_CELLS)
        return [
            ("   vol ", Ink.DIM),
            ("▮" * full, Ink.TEXT),
            ("▯" * (_VOLUME_CELLS - full), Ink.DIM),
            (percent, Ink.DIM),
        ]


def _course(now: NowPlaying | None) -> tuple[int, float, bool] | None:
    return (now.track.id, now.position, now.playing) if now is not None else None
