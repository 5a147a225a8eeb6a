"""The playing track: what it is, whether it is liked, why it plays, what it comes out of, and where in it the music is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from player.tui.messages import Tell
from player.tui.text import bar, clock, dotted, fit
from player.tui.widgets.styled_text import Ink, Inked, Line, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.timer import Timer

    from player.stations.snapshot import NowPlaying, Snapshot

_MARGIN = 2
"""Cells before the title: the sign and a space."""
_GAP = 2
_SECOND = 1.0
_LATE = 0.02
"""So long after a second has passed it is shown: a timer may be early by less."""
_VOLUME_CELLS = 8
_VOLUME_FROM = 56
"""Narrower than this, the volume is only a number."""


class NowPlayingPanel(Inked):
    """Three lines: title and thumb; artist, album and year; the reason and the output."""

    _now: NowPlaying | None = None
    _output = ""
    _next = ""
    _private = ""

    def show(self, snapshot: Snapshot) -> None:
        """Show another snapshot's track; the position is the position bar's."""
        self._now = snapshot.now
        self._next = snapshot.queue[0].track.title if snapshot.queue else ""
        self._output = dotted((snapshot.sleep, snapshot.output))
        self._private = f"private, {snapshot.private}" if snapshot.private else ""
        self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One of the three lines."""
        if self._now is None:
            return _silence(y, self._private)
        match y:
            case 0:
                return _title(self._now, self._private, width)
            case 1:
                return _origin(self._now, width)
            case 2 if self.screen.has_class("-mini"):
                return [(" " * _MARGIN + fit(f"then {self._next}", width - _MARGIN), Ink.DIM)] if self._next else []
            case 2:
                return _circumstances(self._now.reason, self._output, width)
            case _:
                return []


def _silence(y: int, private: str) -> Line:
    first: Line = [("■ ", Ink.DIM), ("Nothing is playing", Ink.DIM)]
    return first if y == 0 else [(" " * _MARGIN + private, Ink.ACCENT)] if y == 1 and private else []


def _title(now: NowPlaying, private: str, width: int) -> Line:
    sign = "▶ " if now.playing else "⏸ "
    thumb: Line = []
    if now.thumb > 0:
        thumb = [("▲ liked", Ink.GOOD)]
    elif now.thumb < 0:
        thumb = [("▼ disliked", Ink.BAD)]
    if private:
        thumb = [(fit(private, width // 2) + (" " * _GAP if thumb else ""), Ink.ACCENT), *thumb]
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


class PositionBar(Inked):
    """Elapsed time, bar, length, volume. Between two snapshots it goes on by itself; only this line is redrawn."""

    def __init__(self, now: Callable[[], float], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._clock = now
        self._now: NowPlaying | None = None
        self._since = 0.0
        self._volume = 1.0
        self._drawn: Line = []
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        """Start to look at the clock."""
        self._tick()

    @property
    def position(self) -> float:
        """Seconds into the track, as of now."""
        if self._now is None:
            return 0.0
        passed = self._clock() - self._since if self._now.playing else 0.0
        return min(max(self._now.position + passed, 0.0), max(self._now.duration, 0.0))

    def show(self, snapshot: Snapshot) -> None:
        """Take over position and volume; a snapshot that does not know better leaves the clock going."""
        self._volume = 0.0 if snapshot.muted else snapshot.volume
        if _course(snapshot.now) != _course(self._now):
            self._since = self._clock()
        self._now = snapshot.now
        self.refresh()
        self._wait_for_second()

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
            self.post_message(Tell("seek", (offset.x - start) / cells * self._now.duration))

    def _tick(self) -> None:
        if self._now is not None and self._now.playing and self._pieces(self.content_size.width) != self._drawn:
            self.refresh()
        self._wait_for_second()

    def _wait_for_second(self) -> None:
        """Look at the clock when the next second of the track has passed, and not before: a screen that waits costs nothing."""
        if self._timer is not None:
            self._timer.stop()
        if self.is_running and self._now is not None and self._now.playing:
            self._timer = self.set_timer(_SECOND - self.position % _SECOND + _LATE, self._tick)

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
