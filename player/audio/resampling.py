"""Samples at a file's rate become samples at the device's, and two tracks of one rate join as if they were one.

A resampler looks at neighbours. Cut off at a track's end it would hear silence there, and begin the next track with silence
before it: a click of a millisecond. So what a track ends with is kept (:class:`Seam`), and the next one's resampler is run in
on it, at the very place of the grid of samples where the first one stopped.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np
import soxr
from numpy.typing import NDArray

from player.audio.ring import CHANNELS

CONTEXT = 512
"""Frames on either side of a join that a resampler is shown: more than soxr's filter reaches at HQ."""

_NOTHING: NDArray[np.float32] = np.zeros((0, CHANNELS), np.float32)

Samples = NDArray[np.float32]
"""(N, 2) float32."""


@dataclass(frozen=True, slots=True)
class Seam:
    """What a track ends with.

    Attributes:
        rate: of its samples.
        frames: how many went through its resampler.
        told: how many were made of them.
        tail: the last of them, at ``rate``.
    """

    rate: int
    frames: int
    told: int
    tail: Samples


class Resampler:
    """Any rate to one, block by block; what comes out is as long as what went in, to the nearest frame.

    Args:
        rate: frames per second wanted.
        before: what the track before ended with, where this one joins it.
    """

    def __init__(self, rate: int, before: Seam | None = None) -> None:
        self._rate = rate
        self._before = before
        self._from = 0
        self._soxr: soxr.ResampleStream | None = None
        self._frames = 0
        self._told = 0
        self._unwanted = 0
        self._tail = _NOTHING

    def convert(self, rate: int, samples: Samples) -> Samples:
        """The next samples; a change of ``rate`` on the way is taken in."""
        if rate == self._from:
            return self._take(samples)
        ending, _ = self.flush()
        self._start(rate, samples)
        converted = self._take(samples)
        return np.concatenate([ending, converted]) if len(ending) else converted

    def seam(self) -> Seam:
        """What a track that follows needs to know; before :meth:`flush`."""
        return Seam(self._from, self._frames, round(self._frames * self._rate / (self._from or 1)), self._tail)

    def flush(self, after: Samples = _NOTHING) -> tuple[Samples, Samples]:
        """The rest, and as much as can be told of the next track; ``after`` is how that begins, at this one's rate."""
        if self._soxr is None:
            return _NOTHING, after
        wanted = round(self._frames * self._rate / self._from) - self._told
        context = after[:CONTEXT] if len(after) >= CONTEXT else _extended(self._tail, CONTEXT)
        rest = self._soxr.resample_chunk(np.ascontiguousarray(context), last=True)[self._unwanted :]
        self._soxr, wanted = None, max(0, wanted)
        return rest[:wanted], rest[wanted:] if len(after) >= CONTEXT else _NOTHING

    def _start(self, rate: int, samples: Samples) -> None:
        before, self._before = self._before, None
        self._from, self._frames, self._told, self._unwanted, self._tail = rate, 0, 0, 0, _NOTHING
        if rate == self._rate:
            return
        self._soxr = soxr.ResampleStream(rate, self._rate, CHANNELS, dtype="float32", quality="HQ")
        period = rate // gcd(rate, self._rate)
        if before is not None and before.rate == rate:
            # So many frames that the join falls on the same place between two frames made as it did for the track before.
            count = CONTEXT + (before.frames - CONTEXT) % period
            if count <= len(before.tail):
                self._run_in(before.tail[-count:], before.told - (before.frames - count) * self._rate // rate)
                return
        count = -(-CONTEXT // period) * period
        if count < len(samples):
            self._run_in(_extended(samples[count::-1], count)[::-1], count * self._rate // rate)

    def _run_in(self, samples: Samples, told: int) -> None:
        """Show what comes before the first sample, of which ``told`` frames are made and not wanted."""
        self._frames, self._told, self._unwanted = len(samples), told, told
        self._resample(samples)

    def _take(self, samples: Samples) -> Samples:
        self._frames += len(samples)
        kept = CONTEXT + self._from // gcd(self._from, self._rate)
        self._tail = samples[-kept:] if len(samples) >= kept else np.concatenate([self._tail, samples])[-kept:]
        if self._soxr is None:
            return samples
        made = self._resample(samples)
        self._told += len(made)
        return made

    def _resample(self, samples: Samples) -> Samples:
        assert self._soxr is not None
        made = self._soxr.resample_chunk(np.ascontiguousarray(samples))
        dropped = min(self._unwanted, len(made))
        self._unwanted -= dropped
        return made[dropped:]


def _extended(samples: Samples, count: int) -> Samples:
    """How samples may go on after their last one: turned about it, so that neither level nor slope jumps."""
    return 2 * samples[-1:] - samples[-2 : -count - 2 : -1]
