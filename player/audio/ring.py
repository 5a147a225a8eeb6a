"""A ring buffer of stereo samples between one decoder thread and one audio callback, without locks.

The writer alone moves ``written``, the reader alone moves ``consumed``; each reads the other's counter once per call.
Python integers are replaced whole, so a stale counter only makes a side see less room or fewer samples than there are.
"""

import numpy as np
from numpy.typing import NDArray

CHANNELS = 2


class RingBuffer:
    """Frames of float32 stereo, single producer, single consumer.

    Attributes:
        written: frames ever written; only the producer changes it.
        consumed: frames ever read; only the consumer changes it.
        finished: the producer will write no more.
    """

    def __init__(self, capacity: int) -> None:
        """Room for ``capacity`` frames."""
        self._frames: NDArray[np.float32] = np.zeros((capacity, CHANNELS), np.float32)
        self.capacity = capacity
        self.written = 0
        self.consumed = 0
        self.finished = False

    @property
    def available(self) -> int:
        """Frames that can be read now."""
        return self.written - self.consumed

    @property
    def drained(self) -> bool:
        """Whether the producer is done and the consumer has read everything."""
        # The order matters: ``finished`` is set after the last write, so once it is seen the count is final.
        return self.finished and self.available == 0

    def write(self, frames: NDArray[np.float32]) -> int:
        """Copy as many of ``frames`` (N, 2) as there is room for; returns how many."""
        count = min(len(frames), self.capacity - self.available)
        start = self.written % self.capacity
        head = min(count, self.capacity - start)
        self._frames[start : start + head] = frames[:head]
        self._frames[: count - head] = frames[head:count]
        self.written += count
        return count

    def read_into(self, out: NDArray[np.float32]) -> int:
        """Fill the beginning of ``out`` (N, 2) with what is there; returns how many frames."""
        count = min(len(out), self.available)
        start = self.consumed % self.capacity
        head = min(count, self.capacity - start)
        out[:head] = self._frames[start : start + head]
        out[head:count] = self._frames[: count - head]
        self.consumed += count
        return count
