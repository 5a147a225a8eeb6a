"""The spectrum of what is heard, as bars; measured only while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from player.tui.text import BLOCKS
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from player.playback.controller import Controller

_TICK = 1 / 15
"""Seconds between two pictures: fluid, and half of what is measured."""
_FALL = 0.12
"""How far a bar sinks from one picture to the next, of its whole height."""
_STEPS = len(BLOCKS)


class Spectrum(Inked):
    """Bars from low to high, as wide as there is room; they jump up and sink slowly.

    Args:
        player: who measures.
    """

    def __init__(self, player: Controller, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._player = player
        self._bars: Sequence[float] = ()
        self._in_front = self._watching = False

    def on_mount(self) -> None:
        """Look again and again, but only while it is watched."""
        self._timer = self.set_interval(_TICK, self._tick, pause=True)

    def watch_music(self, *, on: bool) -> None:
        """The screen is in front, or no more."""
        self._in_front = on
        self._follow()

    def on_resize(self) -> None:
        """Room has come."""
        self._follow()

    def on_hide(self) -> None:
        """There is no room any more."""
        self._follow()

    def _follow(self) -> None:
        on = self._in_front and self.size.height > 0 and self.display and self.app.animation_level != "none"
        if on != self._watching:
            self._watching = on
            self._player.watch_sound(on)
            (self._timer.resume if on else self._timer.pause)()

    def _tick(self) -> None:
        measured = self._player.sound_bands()
        kept = self._bars or (0.0,) * len(measured)
        now = self._player.snapshot().now
        sounding = measured if now is not None and now.playing else (0.0,) * len(kept)
        bars = [max(new, old - _FALL, 0.0) for new, old in zip(sounding, kept, strict=False)]
        if bars != self._bars:
            self._bars = bars
            self.refresh()

    def line(self, y: int, width: int) -> Line:
        """One line: the part of every bar that is at its height."""
        bands = len(self._bars)
        if not bands or width < bands:
            return []
        cells, height = width // bands, self.content_size.height
        text = "".join(_part(bar, height - 1 - y, height) * max(cells - 1, 1) + " " * (cells > 1) for bar in self._bars)
        return [(text, Ink.ACCENT)]


def _part(bar: float, row: int, height: int) -> str:
    filled = min(max(round(bar * height * _STEPS) - row * _STEPS, 0), _STEPS)
    return BLOCKS[filled - 1] if filled else " "
