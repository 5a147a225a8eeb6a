"""The chance in a queue: Gumbel noise that a slot and a track keep for good, its race over a large library, and how much of it there is.

*The noise* is a pure function of (seed, slot number, track id). Adding it to utilities and taking the largest draws from their softmax (the Gumbel-max
trick: Gumbel 1954; Kool, van Hoof and Welling 2019). Because it is computed from its key instead of drawn in sequence, a re-ranking meets the same
noise again, and a row of the queue moves only when a score, a rule or a neighbour changed.

*The race* finds the largest without the utility of every track: with weights w = exp(score / T), track i arrives at −log(uᵢ) / wᵢ, and the first
wins. Variety and calibration add to a score at most a known bound, so once one track's key is known, only tracks can
win whose score and noise come within the bound of it; and as 1 − u ≤ −log u, that is seen from uᵢ and wᵢ by one product and
one comparison. Where scores differ so little that the bound lets too many in, every utility is computed, and only the
logarithms are saved: a track far below the best needs noise that few have. Either way the winner is exactly that of
looking at every track: nothing is approximated, most is skipped.

*How much* there is is the temperature of the softmax that fills a place.
"""

from typing import Protocol

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


Doubles = NDArray[np.float64]
FIRST_LOOK = 64.0
"""How many tracks are expected to be early enough for the first look."""
WIDER = 1000.0
"""How much later still counts as early when nobody eligible was."""
MANY = 1 / 8
"""Share of the library from which on one look at all of it is quicker than one at those that may win."""
NEAR = 8.0
"""Keys without noise this far below the best are looked at only where their noise is large: one in 3,000 exceeds as much."""
ONE = float(1 << MANTISSA_BITS)
ALL_BITS = np.uint64((1 << MANTISSA_BITS) - 1)
SLACK = 1.0 + 1e-9
"""Room for the rounding of a bound: a look that is a little too wide costs nothing."""
LARGEST_EXPONENT = 600.0
LATEST = 1e200
"""Beyond it, weights that are 0 for their smallness keep tracks out that may yet win."""


class Gains(Protocol):
    """What the utilities of one place add to the scores, in logits."""

    @property
    def largest(self) -> float:
        """What no gain exceeds."""
        ...

    def of(self, tracks: NDArray[np.int64]) -> Doubles:
        """(k,) of these tracks."""
        ...

    def of_all(self) -> Doubles:
        """(n,) of all tracks."""
        ...


class Race:
    """One station's races, slot by slot.

    Args:
        noise: of the station's tracks.
        scores: (n,) logits.
        temperature: of the softmax that is drawn from.
        open_tracks: (n,) bool, the tracks that may ever be eligible.
    """

    def __init__(self, noise: KeyedNoise, scores: Doubles, temperature: float, open_tracks: NDArray[np.bool_]) -> None:
        self._noise = noise
        self._temperature = temperature
        top = float(scores.max(initial=-np.inf, where=open_tracks))
        self._scaled = (scores - (top if np.isfinite(top) else 0.0)) / temperature
        self._weights = np.where(open_tracks, np.exp(np.minimum(self._scaled, 0.0)), 0.0)
        self._expected = FIRST_LOOK / max(float(self._weights.sum()), 1.0)
        self._close = False
        """The bound let too many in at the last place: it will again."""

    def winner(self, slot: int, eligible: NDArray[np.bool_], gains: Gains) -> int:
        """Which track utility and noise choose.

        Args:
            slot: absolute number of the place.
            eligible: (n,) bool, at least one, all of them open.
            gains: what utilities add to the scores at this place.
        """
        bits = self._noise.bits(slot)
        lateness = (bits ^ ALL_BITS).astype(np.float64)  # (1 − u) · 2^53, less a half
        latest = self._expected
        while not self._close:
            early = lateness <= (ONE * latest) * self._weights
            early &= eligible
            tracks = np.flatnonzero(early)
            if len(tracks) > MANY * len(eligible) or latest > LATEST:
                self._close = True
            elif not len(tracks):
                latest *= WIDER
            else:
                best, key = self._best(tracks, gains.of(tracks), bits)
                needed = gains.largest / self._temperature - key
                needed = float(np.exp(min(needed, LARGEST_EXPONENT))) * SLACK
                if needed <= latest:
                    return best
                latest = needed
        return self._of_all(eligible, gains.of_all(), bits, lateness)

    def _best(self, tracks: NDArray[np.int64], gains: Doubles, bits: NDArray[np.uint64]) -> tuple[int, float]:
        """The first of these tracks (k,), and its key."""
        keys = self._scaled[tracks] + gains / self._temperature + gumbel_of(uniform_of(bits[tracks]))
        place = int(np.argmax(keys))
        return int(tracks[place]), float(keys[place])

    def _of_all(self, eligible: NDArray[np.bool_], gains: Doubles, bits: NDArray[np.uint64], lateness: Doubles) -> int:
        """The first of all eligible tracks, from the gains (n,) of all."""
        quiet = np.where(eligible, self._scaled + gains / self._temperature, -np.inf)
        floor = float(quiet.max()) - NEAR
        tracks = np.flatnonzero(quiet > floor)
        best, key = self._best(tracks, gains[tracks], bits)
        # One at or below the floor needs 1 − u ≤ −log u ≤ exp(floor − key).
        early = lateness <= ONE * np.exp(min(floor - key, 0.0)) * SLACK
        early &= quiet <= floor
        early &= eligible
        others = np.flatnonzero(early)
        if len(others):
            other, other_key = self._best(others, gains[others], bits)
            best = other if other_key > key else best
        return best


COOLEST, HOTTEST = 0.05, 2.0
"""The range of :func:`temperature_for_breadth`: below, argmax alone; above, a score of one logit hardly matters."""
BREADTH = 15.0
"""Tracks that a place is drawn from, by default. Measured on 240 real tracks with queues of twenty from one classical
seed: .71, .74 and .77 of the queue was classical at 30, 15 and 8, with mean distances in the list of .67, .61 and .57."""
BISECTIONS = 14
"""Halvings of that range: the temperature is then right to a thousandth of itself or better."""


EXACT = 4096
"""So many of the best scores count one by one; the rest, which a place is hardly ever drawn from, by the bin."""
BINS = 1024


def temperature_for_breadth(scores: NDArray[np.float64], breadth: float = BREADTH) -> float:
    """The temperature at which softmax(scores / temperature) spreads over about ``breadth`` tracks.

    Breadth is the perplexity, the exponential of the entropy. A fixed temperature would make a station of 200 tracks
    dull and one of 100,000 random, since the noise is the largest of as many draws as there are tracks.

    Args:
        scores: (m,) of the open tracks, in logits.
        breadth: tracks, above 0; at most a quarter of m is used.

    Returns:
        A temperature in ``COOLEST``…``HOTTEST``; ``HOTTEST`` when there is nothing to choose between.
    """
    if len(scores) == 0 or np.ptp(scores) == 0:
        return HOTTEST
    wanted = np.log(max(1.0, min(breadth, len(scores) / 4)))
    below_top, counts = _binned(np.asarray(scores, np.float64) - scores.max())
    low, high = np.log(COOLEST), np.log(HOTTEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _entropy(below_top / np.exp(middle), counts) < wanted else (low, middle)
    return float(np.exp((low + high) / 2))


def _binned(below_top: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(k,) scores and (k,) how many tracks have each: the best as they are, the rest gathered in even bins."""
    if len(below_top) <= 2 * EXACT:
        return below_top, np.ones(len(below_top))
    order = np.partition(below_top, len(below_top) - EXACT)
    rest, best = order[:-EXACT], order[-EXACT:]
    lowest, width = float(rest.min()), float(np.ptp(rest)) / BINS or 1.0
    bins = np.minimum(((rest - lowest) / width).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, rest, minlength=BINS)
    filled = counts > 0
    means = sums[filled] / counts[filled]
    return np.concatenate([best, means]), np.concatenate([np.ones(EXACT), counts[filled].astype(np.float64)])


def _entropy(logits: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Entropy in nats of softmax over logits, each so many times; the largest is 0."""
    weights = counts * np.exp(logits)
    total = weights.sum()
    return float(np.log(total) - (weights @ logits) / total)
