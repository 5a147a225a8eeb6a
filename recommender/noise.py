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


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words one to one: the output function of SplitMix64 (Steele, Lea and Flood 2014).

    Args:
        words: uint64 of any shape.

    Returns:
        uint64 of the same shape.
    """
    mixed = words ^ (words >> np.uint64(30))
    mixed *= FIRST_MULTIPLIER
    mixed ^= mixed >> np.uint64(27)
    mixed *= SECOND_MULTIPLIER
    mixed ^= mixed >> np.uint64(31)
    return mixed


def uniform(seed: int, slot: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers strictly between 0 and 1, one a track, fixed by (seed, slot, id).

    Args:
        seed: the station's; any integer (its low 64 bits count).
        slot: the absolute number of the place in the station's queue.
        ids: (n,) integers that name the tracks for good (not their index, which changes as the library grows).

    Returns:
        (n,) float64.
    """
    key = mix(mix(np.array([seed % WORD], np.uint64)) + np.array([slot % WORD], np.uint64) * GOLDEN)
    words = ids.astype(np.uint64)
    words *= GOLDEN
    words += key
    bits = mix(words) >> np.uint64(64 - MANTISSA_BITS)
    numbers = bits.astype(np.float64)
    numbers += 0.5  # keeps both logarithms of `gumbel` finite
    numbers *= 2.0**-MANTISSA_BITS
    return np.minimum(numbers, np.nextafter(1.0, 0.0), out=numbers)  # the topmost word would round to 1


def gumbel(seed: int, slot: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Standard Gumbel noise, one number a track, fixed by (seed, slot, id): −log(−log u) of :func:`uniform`.

    Args:
        seed: the station's.
        slot: the absolute number of the place in the station's queue.
        ids: (n,) integers that name the tracks for good.

    Returns:
        (n,) float64, finite.
    """
    noise = uniform(seed, slot, ids)
    np.log(noise, out=noise)
    np.negative(noise, out=noise)
    np.log(noise, out=noise)
    return np.negative(noise, out=noise)
