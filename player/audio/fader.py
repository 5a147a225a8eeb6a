"""A gain that moves smoothly between silence and full, along a quarter of a sine: two of them crossing keep the power even."""

from math import inf, pi, sin

import numpy as np
from numpy.typing import NDArray

CHUNK = 512
"""Frames in which a gain moves along a straight line: 11 ms, so a fade of 150 ms has more than a dozen."""

_COUNT: NDArray[np.float32] = np.arange(1, CHUNK + 1, dtype=np.float32)


class Fader:
    """Multiplies by its gain; nothing is allocated on the way.

    Attributes:
        level: where it is, 0…1; the gain is its sine.
        target: where it goes to.
    """

    def __init__(self, level: float) -> None:
        self.level = self.target = level
        self._step = 0.0
        self._ramp: NDArray[np.float32] = np.zeros(CHUNK, np.float32)

    def go(self, target: float, frames: float) -> None:
        """Move to ``target``, all the way from 0 to 1 in so many frames."""
        self.target = target
        self._step = 1.0 / frames if frames > 0 else inf

    @property
    def moving(self) -> bool:
        """Whether it is not where it goes to."""
        return self.level != self.target

    @property
    def silent(self) -> bool:
        """Whether nothing is heard, nor will be by itself."""
        return self.level == self.target == 0

    @property
    def frames_left(self) -> float:
        """How many frames the rest of the way takes."""
        return abs(self.target - self.level) / self._step if self.moving else 0.0

    def apply(self, out: NDArray[np.float32]) -> None:
        """Multiply (N, 2) frames; no more than ``CHUNK`` while it moves."""
        before = _gain(self.level)
        if self.moving:
            way = self._step * len(out)
            up = self.target > self.level
            self.level = min(self.target, self.level + way) if up else max(self.target, self.level - way)
        multiply(out, before, _gain(self.level), self._ramp)


def multiply(out: NDArray[np.float32], before: float, after: float, scratch: NDArray[np.float32]) -> None:
    """Multiply frames, or one channel of them, by a gain that goes from one figure to another on a straight line."""
    count = len(out)
    if before == after:
        if after == 0:
            out.fill(0)
        elif after != 1:
            np.multiply(out, np.float32(after), out=out)
    elif count > 0:
        ramp = scratch[:count]
        np.multiply(_COUNT[:count], np.float32((after - before) / count), out=ramp)
        np.add(ramp, np.float32(before), out=ramp)
        np.multiply(out, ramp[:, np.newaxis] if out.ndim > 1 else ramp, out=out)


def _gain(level: float) -> float:
    return 1.0 if level >= 1 else sin(level * pi / 2) if level > 0 else 0.0
