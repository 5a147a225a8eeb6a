"""Dealing listeners into parts, the same way wherever and whenever it is done."""

import numpy as np
from numpy.typing import NDArray

_STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31
_INCREMENT = 0x9E3779B97F4A7C15


def mixed(listener: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 well-mixed bits of each listener's number (the finaliser of SplitMix64: Steele, Lea & Flood 2014, figure 5).

    Args:
        listener: (N,) from 0.
    """
    with np.errstate(over="ignore"):
        bits = listener.astype(np.uint64) + np.uint64(_INCREMENT)
        for shift, factor in _STEPS:
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
        return bits ^ (bits >> np.uint64(_LAST_SHIFT))


def part_of(listener: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """(N,) which of ``parts`` parts each listener is in."""
    return (mixed(listener) % np.uint64(parts)).astype(np.int64)
