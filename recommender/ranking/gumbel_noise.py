"""Gumbel noise that a slot and a track keep for good: a pure function of (seed, slot number, track id).

Adding it to utilities and taking the largest draws from their softmax (the Gumbel-max trick: Gumbel 1954; Kool, van
Hoof and Welling 2019). Because it is computed from its key instead of drawn in sequence, a re-ranking meets the same
noise again, and a row of the queue moves only when a score, a rule or a neighbour changed.
"""

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 divided by the golden ratio: SplitMix64's increment."""
FIRST_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MULTIPLIER = np.uint64(0x94D049BB133111EB)
"""SplitMix64's multipliers (variant 13 of Stafford's mixers)."""
MANTISSA_BITS = 53
"""A float64 between 0 and 1 holds this many random bits."""
WORD = 1 << 64
BELOW_ONE = float(np.nextafter(1.0, 0.0))


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words one to one: the output function of SplitMix64 (Steele, Lea and Flood 2014).

    Args:
        words: uint64 of any shape.

    Returns:
        uint64 of the same shape.
    """
    mixed = words >> np.uint64(30)
    mixed ^= words
    mixed *= FIRST_MULTIPLIER
    shifted = mixed >> np.uint64(27)
    mixed ^= shifted
    mixed *= SECOND_MULTIPLIER
    np.right_shift(mixed, np.uint64(31), out=shifted)
    mixed ^= shifted
    return mixed


class KeyedNoise:
    """The noise of one station's tracks; what does not change from slot to slot is computed once.

    Args:
        seed: the station's; any integer (its low 64 bits count).
        ids: (n,) integers that name the tracks for good (not their index, which changes as the library grows).
    """

    def __init__(self, seed: int, ids: NDArray[np.int64]) -> None:
        self._seed_word = mix(np.array([seed % WORD], np.uint64))
        self._words = ids.astype(np.uint64) * GOLDEN

    def bits(self, slot: int) -> NDArray[np.uint64]:
        """(n,) numbers of ``MANTISSA_BITS`` random bits for the slot of this absolute number."""
        key = mix(self._seed_word + np.array([slot % WORD], np.uint64) * GOLDEN)
        bits = mix(self._words + key)
        bits >>= np.uint64(64 - MANTISSA_BITS)
        return bits


def uniform_of(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Numbers strictly between 0 and 1 from :meth:`KeyedNoise.bits`."""
    numbers = bits.astype(np.float64)
    numbers += 0.5  # keeps both logarithms of `gumbel_of` finite
    numbers *= 2.0**-MANTISSA_BITS
    return np.minimum(numbers, BELOW_ONE, out=numbers)  # the topmost word would round to 1


def gumbel_of(uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard Gumbel noise from numbers strictly between 0 and 1: −log(−log u), finite."""
    noise = np.log(uniform)
    np.negative(noise, out=noise)
    np.log(noise, out=noise)
    return np.negative(noise, out=noise)


def uniform(seed: int, slot: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) numbers strictly between 0 and 1, one a track, fixed by (seed, slot, id): see :class:`KeyedNoise`."""
    return uniform_of(KeyedNoise(seed, ids).bits(slot))


def gumbel(seed: int, slot: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) standard Gumbel noise, one number a track, fixed by (seed, slot, id)."""
    return gumbel_of(uniform(seed, slot, ids))
