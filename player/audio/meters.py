"""What the screen draws of the sound: levels and a spectrum, of the very samples that are being heard."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from player.audio.messages import Meters
from player.audio.ring import CHANNELS

METERS_PER_SECOND = 30
WINDOW = 4096
"""Frames looked at: the lowest band is a few of their 12 Hz wide."""
BANDS = 32
LOWEST_HERTZ, HIGHEST_HERTZ = 40.0, 16_000.0
FLOOR_DB = -80.0
KEPT_SECONDS = 1.0
"""How much of the past is kept: what a device takes ahead of time is heard well within."""


class SoundMeter:
    """Keeps what was rendered last and measures it at the place that is heard."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._frames: NDArray[np.float32] = np.zeros((int(KEPT_SECONDS * rate), CHANNELS), np.float32)
        self._written = 0
        self._window = np.hanning(WINDOW).astype(np.float32)
        edges = np.geomspace(LOWEST_HERTZ, min(HIGHEST_HERTZ, rate / 2), BANDS + 1) * WINDOW / rate
        self._edges = [(math.ceil(low), max(math.ceil(low) + 1, math.ceil(high))) for low, high in pairwise(edges)]

    def take(self, block: NDArray[np.float32]) -> None:
        """Keep a block; called in the device's thread."""
        kept = block[-len(self._frames) :]
        start = self._written % len(self._frames)
        head = min(len(kept), len(self._frames) - start)
        self._frames[start : start + head] = kept[:head]
        self._frames[: len(kept) - head] = kept[head:]
        self._written += len(kept)

    def measure(self, unheard: float) -> Meters:
        """Of the stretch that ends with what is heard now; ``unheard`` is how many seconds were rendered since."""
        end = self._written - min(int(unheard * self._rate), len(self._frames) - WINDOW)
        heard = self._frames[np.arange(end - WINDOW, end) % len(self._frames)]
        recent = heard[-self._rate // METERS_PER_SECOND :]
        peaks, levels = np.abs(recent).max(axis=0), np.sqrt(np.mean(np.square(recent), axis=0))
        power = np.square(np.abs(np.fft.rfft(heard.mean(axis=1) * self._window)) * 4 / WINDOW)
        bands = [_height(float(power[low:high].max())) for low, high in self._edges]
        return Meters([float(peak) for peak in peaks], [float(level) for level in levels], bands)


def _height(power: float) -> float:
    """0…1 for a power from the floor to that of a sine at full scale."""
    decibels = 10 * math.log10(power) if power > 0 else FLOOR_DB
    return min(1.0, max(0.0, 1 - decibels / FLOOR_DB))
