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
"""

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
