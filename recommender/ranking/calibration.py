"""Calibration: a queue that has the genres, eras and tags in the shares in which the listener likes them (Steck 2018).

For each aspect – genre, say – there is a wanted distribution p over its kinds. q is what the last places have, smoothed as
q̃ = (1 − α) q + α p (Steck's equation 4, α = .01), and each place weighs KL(p ‖ q̃) of the places with each track added
(equations 2 and 5, greedy). Adding a track of kind k changes one term of the sum alone, so against a track of an unwanted
kind its gain is p(k) · log(q̃ with it / q̃ without it), in nats; what all tracks share, a softmax does not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.01
"""α: as Steck's; it bounds what a kind gains that the places have none of."""
PLACES = 20
"""How many last places, heard and queued, should have the mix: a screen's worth of queue."""
FULL_EVIDENCE = 20.0
"""Likes at which a mix counts half: a mix of three likes is mostly chance."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One way of sorting tracks.

    Attributes:
        codes: (n,) int64, each track's kind from 0; negative where it is not known.
        wanted: (kinds,) float64, the wanted share of each kind; they sum to 1.
        evidence: 0…1, how much the wanted shares are to count.
    """

    codes: NDArray[np.int64]
    wanted: NDArray[np.float64]
    evidence: float


@dataclass(frozen=True, slots=True)
class Mix:
    """What the last places should have: every aspect counts alike."""

    aspects: tuple[Aspect, ...]


def aspect_of_likes(codes: NDArray[np.int64], liked: NDArray[np.int64], weights: NDArray[np.float64]) -> Aspect | None:
    """The aspect whose wanted shares are those of the liked tracks; none while no liked track's kind is known.

    Args:
        codes: (n,) each track's kind, negative where it is not known.
        liked: (m,) track indices, one for each like.
        weights: (m,) how much each like counts, from 0.
    """
    known = codes[liked] >= 0
    total = float(weights[known].sum())
    if total <= 0:
        return None
    counts = np.bincount(codes[liked][known], weights[known], minlength=int(codes.max(initial=0)) + 1)
    return Aspect(codes, counts / total, total / (total + FULL_EVIDENCE))


class MixGain:
    """What calibration gains each track for one place.

    Args:
        mix: the wanted one.
        before: track indices of the places before, heard and queued, oldest first.
    """

    def __init__(self, mix: Mix, before: Sequence[int]) -> None:
        last = np.array(before[-PLACES:], np.int64)
        self._aspects = [(aspect.codes, _gains(aspect, last)) for aspect in mix.aspects]

    @property
    def largest(self) -> float:
        """What no track's gain exceeds, in nats."""
        return float(sum(gains.max(initial=0.0) for _, gains in self._aspects))

    def of(self, tracks: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        """(k,) nats for these tracks."""
        return np.sum([gains[codes[tracks]] for codes, gains in self._aspects], axis=0)


def _gains(aspect: Aspect, last: NDArray[np.int64]) -> NDArray[np.float64]:
    """(kinds + 1,) gain of each kind; the last entry, which a negative code finds, is what a wanted track gains on average."""
    wanted = aspect.wanted
    kinds = aspect.codes[last]
    counts = np.bincount(kinds[kinds >= 0], minlength=len(wanted))[: len(wanted)]
    places = float(counts.sum()) + 1.0
    without = (1.0 - SMOOTHING) * counts / places + SMOOTHING * wanted
    ratio = np.divide(without + (1.0 - SMOOTHING) / places, without, out=np.ones_like(wanted), where=wanted > 0)
    gains = wanted * np.log(ratio)
    return aspect.evidence * np.append(gains, wanted @ gains)
