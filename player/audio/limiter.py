"""A look-ahead limiter: peaks that a track's gain lifts above the ceiling are turned down smoothly, and nothing else is.

The gain falls before a peak and rises after it, so a track that is quiet but for its peaks can be as loud as the others. What
comes out are as many samples as went in, each times its gain: no filter, no delay. Peaks between samples are found by
oversampling as in ITU-R BS.1770-4, annex 2, twice as finely.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from player.audio.messages import CEILING_DB
from player.audio.resampling import Samples
from player.audio.ring import CHANNELS

MARGIN_DB = 0.2
"""By so much eight looks at the way from a sample to the next may miss a peak, mostly where a sound begins all at once."""

LOOK_AHEAD_SECONDS = 0.004
"""In which the gain falls: longer than a period of what the ear hears best, shorter than it hears before a beat."""

RELEASE_DB_PER_SECOND = 30.0
"""How fast it rises: a decibel or two is back between two beats, and hardly moves within a wave of the lowest notes."""

MOST_DB = 12.0
"""More is no music but damage, whose one wild sample must not silence the seconds after it."""

OVERSAMPLING, TAPS = 8, 16
LEFT, RIGHT = TAPS // 2 - 1, TAPS // 2
"""Samples before and after the one behind which a peak is looked for."""

DECIBELS_PER_OCTAVE = 20 * float(np.log10(2))
"""Of amplitude: gains are added up as their binary logarithms."""

Figures = NDArray[np.float64]


def _between() -> NDArray[np.float32]:
    """The polyphase filter (``TAPS``, ``OVERSAMPLING`` − 1): a windowed sinc at the places between two samples."""
    places = np.arange(1, OVERSAMPLING) / OVERSAMPLING
    distances = np.arange(-LEFT, RIGHT + 1)[:, np.newaxis] - places
    window = np.i0(6.0 * np.sqrt(1 - np.square(distances / RIGHT))) / np.i0(6.0)  # Kaiser's
    filters = np.sinc(distances) * window
    return (filters / filters.sum(axis=0)).astype(np.float32)


BETWEEN = _between()


@dataclass(frozen=True, slots=True)
class LimiterTail:
    """A track's end, for the limiter of the one that joins it.

    Attributes:
        samples: its last ones (``LEFT``, 2), before the limiter.
        needed: the gain between its last sample and the next one.
        gains: the last ones before they were smoothed. All gains are binary logarithms.
    """

    samples: Samples
    needed: Figures
    gains: Figures


class Limiter:
    """Keeps stereo samples below the ceiling, block by block; how they are cut into blocks makes no difference.

    Args:
        rate: frames per second.
        before: what the track before ended with, where this one joins it.
    """

    def __init__(self, rate: int, before: LimiterTail | None = None) -> None:
        self._ahead = max(2, round(LOOK_AHEAD_SECONDS * rate))
        self._step = RELEASE_DB_PER_SECOND / DECIBELS_PER_OCTAVE / rate
        before = before or LimiterTail(np.zeros((LEFT, CHANNELS), np.float32), np.zeros(1), np.zeros(0))
        self._heard, self._needed, self._gains = before.samples, before.needed, before.gains
        self._waiting: Samples = np.zeros((0, CHANNELS), np.float32)

    def convert(self, block: Samples) -> Samples:
        """The next samples (N, 2), as far as what follows them is known by now."""
        needed = np.concatenate([self._needed, self._needs(block)])
        self._waiting = np.concatenate([self._waiting, block])
        count = max(0, len(needed) - self._ahead)
        self._needed = needed[count:]
        ready, self._waiting = self._waiting[:count], self._waiting[count:]
        if count == 0:
            return ready
        if len(self._gains) != self._ahead - 1:
            # Nothing was heard before, so the gain may begin where a first peak needs it.
            self._gains = np.full(self._ahead - 1, needed[: self._ahead + 1].min())
        if not (needed.any() or self._gains.any()):
            return ready
        gains = self._released(_lowest(needed, self._ahead + 1))
        self._gains = gains[count:]
        return ready * np.exp2(_smooth(gains, self._ahead)).astype(np.float32)[:, np.newaxis]

    def flush(self, after: Samples) -> tuple[Samples, LimiterTail]:
        """The rest, and what the next track has to know; ``after`` is how the sound goes on in it, silence where it is short."""
        heard, missing = self._heard[-LEFT:], len(self._waiting)
        beyond = np.zeros((self._ahead + RIGHT - 1, CHANNELS), np.float32)
        kept = after[: len(beyond)]
        beyond[: len(kept)] = kept
        rest = self.convert(beyond)[:missing]
        return rest, LimiterTail(heard, self._needed[:1], self._gains)

    def _needs(self, block: Samples) -> Figures:
        """The gain needed from each sample to the next, as far as known."""
        heard = np.concatenate([self._heard, block])
        count = max(0, len(heard) - TAPS + 1)
        self._heard = heard[count:]
        ceiling = 10 ** ((CEILING_DB - MARGIN_DB) / 20)
        # Peaks between samples are 6 dB above them at the very most.
        if count == 0 or not np.abs(heard).max() > ceiling / 2:
            return np.zeros(count)
        peaks = np.abs(heard[LEFT : LEFT + count]).max(axis=1)
        for channel in range(CHANNELS):
            between = np.abs(sliding_window_view(heard[:, channel], TAPS) @ BETWEEN)
            np.fmax(peaks, between.max(axis=1), out=peaks)
        return np.maximum(np.minimum(0.0, np.log2(ceiling / np.fmax(peaks, ceiling))), -MOST_DB / DECIBELS_PER_OCTAVE)

    def _released(self, lowest: Figures) -> Figures:
        """The gains so far and those to come, which fall at once and rise slowly."""
        rising = np.arange(len(lowest) + 1) * self._step
        fallen = np.minimum.accumulate(np.concatenate([self._gains[-1:], lowest]) - rising) + rising
        return np.concatenate([self._gains, fallen[1:]])


def _lowest(values: Figures, width: int) -> Figures:
    """The lowest of each ``width`` neighbours, by windows that double."""
    reached = 1
    while reached < width:
        further = min(reached, width - reached)
        values = np.minimum(values[:-further], values[further:])
        reached += further
    return values


def _smooth(values: Figures, width: int) -> Figures:
    """The mean of each ``width`` neighbours, the middle ones counting most: two means, one after the other."""
    for length in ((width + 1) // 2, width + 1 - (width + 1) // 2):
        sums = np.cumsum(np.concatenate([[0.0], values]))
        values = (sums[length:] - sums[:-length]) / length
    return values
