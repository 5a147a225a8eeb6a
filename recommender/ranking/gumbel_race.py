"""Gumbel-max over a large library without the utility of every track.

argmax(utility / T + Gumbel noise) is a race: with weights w = exp(score / T), track i arrives at −log(uᵢ) / wᵢ, and the first
wins. Variety and calibration add to a score at most a known bound, so once one track's key is known, only tracks can
win whose score and noise come within the bound of it; and as 1 − u ≤ −log u, that is seen from uᵢ and wᵢ by one product and
one comparison. Where scores differ so little that the bound lets too many in, every utility is computed, and only the
logarithms are saved: a track far below the best needs noise that few have. Either way the winner is exactly that of
looking at every track: nothing is approximated, most is skipped.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.gumbel_noise import MANTISSA_BITS, KeyedNoise, gumbel_of, uniform_of

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
