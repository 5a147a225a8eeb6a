"""What variety gains a track, given the tracks before it: maximal marginal relevance, or a determinantal point process.

Both are scaled alike: 0 for a copy of the one track before, 1 for a track at right angles to it. So one number, the
ranking's ``diversity`` in logits, means the same under either, and they can be compared.

*MMR* (Carbonell and Goldstein 1998) sees the nearest of the tracks before only: 1 − largest cosine.

*DPP* (greedy MAP inference: Chen, Zhang and Zhou 2018, equations 4–6 and 9, with their sliding window) sees all of them at once. With the
kernel L = diag(q) S diag(q), q = exp(score / 2·scale), the gain in log det of adding track i is its score plus
scale · log dᵢ², where dᵢ² is what of i the tracks before leave unexplained: Sᵢᵢ − ‖cᵢ‖², c solving V c = S(before, i) for
the Cholesky factor V of S(before, before). Chen et al. grow V with each track and turn it when the window slides; here the
window is ten tracks and the factor is made anew for each place, which costs microseconds and nothing to get wrong. S is
(1 + cosine) / 2, so that an opposite is no likeness, with a ridge on the diagonal.

*Calibration* is another gain: the queue has the genres, eras and tags in the shares in which the listener likes them (Steck 2018).

For each aspect – genre, say – there is a wanted distribution p over its kinds. q is what the last places have, smoothed as
q̃ = (1 − α) q + α p (Steck's equation 4, α = .01), and each place weighs KL(p ‖ q̃) of the places with each track added
(equations 2 and 5, greedy). Adding a track of kind k changes one term of the sum alone, so against a track of an unwanted
kind its gain is p(k) · log(q̃ with it / q̃ without it), in nats; what all tracks share, a softmax does not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

RIDGE = 0.05
"""Added to the kernel's diagonal: two copies of a track are not impossible side by side, only unlikely."""
DIAGONAL = 1.0 + RIDGE
COPY = float(np.log(DIAGONAL - 1.0 / DIAGONAL))
"""log d² of a copy of the one track before."""
RIGHT_ANGLE = float(np.log(DIAGONAL - 0.25 / DIAGONAL))
"""log d² of a track at right angles to it (S = 1/2)."""


ROUNDING = 1e-4
"""More than float32 cosines are wrong by."""


class Variety(StrEnum):
    """How the gain of variety is measured."""

    NONE = "none"
    MMR = "mmr"
    DPP = "dpp"


LARGEST_GAIN = {
    Variety.NONE: 0.0,
    Variety.MMR: 2.0,
    Variety.DPP: (float(np.log(DIAGONAL)) - COPY) / (RIGHT_ANGLE - COPY),
}
"""What no gain exceeds whatever is before: that of a track opposite to the one before, or unlike in every way."""


def variety_gain(kind: Variety, cosines: NDArray[np.float32], within: NDArray[np.float32]) -> NDArray[np.float64]:
    """The gain of each of k tracks, given the w tracks before.

    Args:
        kind: how it is measured.
        cosines: (w, k) of the tracks before to each track.
        within: (w, w) of the tracks before to one another.

    Returns:
        (k,) at most ``LARGEST_GAIN``; zeros while nothing is before.
    """
    if kind is Variety.NONE or not len(cosines):
        return np.zeros(cosines.shape[1])
    if kind is Variety.MMR:
        return np.minimum(1.0 - cosines.max(axis=0).astype(np.float64), LARGEST_GAIN[kind])
    kernel = (1.0 + within.astype(np.float64)) / 2
    np.fill_diagonal(kernel, DIAGONAL)
    inverse = np.linalg.inv(np.linalg.cholesky(kernel)).astype(np.float32)
    explained = inverse @ ((1.0 + cosines) / 2)  # (w, k)
    unexplained = DIAGONAL - np.einsum("wk,wk->k", explained, explained, dtype=np.float64)
    # Between copies rounding may leave less than the ridge, which exact sums never do.
    return (np.log(np.clip(unexplained, RIDGE, DIAGONAL)) - COPY) / (RIGHT_ANGLE - COPY)


def largest_gain(kind: Variety, before: NDArray[np.float32]) -> float:
    """What no track's gain exceeds, given the vectors (w, d) of the tracks before; at most ``LARGEST_GAIN``.

    The nearest track before is at least as near as they are on average, and so at a cosine of −‖their mean‖ or more.
    """
    if kind is not Variety.MMR or not len(before):
        return LARGEST_GAIN[kind]
    spread = 1.0 + float(np.linalg.norm(before.mean(axis=0, dtype=np.float64))) + ROUNDING
    return min(spread, LARGEST_GAIN[kind])


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
