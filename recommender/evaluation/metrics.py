"""Metrics of rankings and of what they expose, as plain functions of arrays; ties always count half."""

import numpy as np
from numpy.typing import NDArray

from recommender import diversity

Floats = NDArray[np.floating]


def pair_auc(positive: Floats, negative: Floats) -> float | None:
    """Share of (+, -) pairs in which the positive scores higher (Hanley & McNeil 1982), a tie counting half.

    Args:
        positive: (P,) scores of liked tracks.
        negative: (N,) scores of disliked tracks.

    Returns:
        The area under the ROC curve in 0…1, or None when there is no pair.
    """
    if len(positive) == 0 or len(negative) == 0:
        return None
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    not_above = np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).sum() / (2.0 * len(positive) * len(negative)))


def same_state_wins(scores: Floats, label: NDArray[np.int8]) -> Floats:
    """Who wins each (+, -) pair when both tracks are scored in the state before the earlier of the two events.

    Scoring both in one state keeps a drift of the model's level between moments out of the comparison.

    Args:
        scores: (G, G); row i holds the scores, in the state before event i, of the tracks of all G events, which are
            one listener's on one station in time order.
        label: (G,) +1 or -1.

    Returns:
        (P, N) with 1 where the positive wins, 0 where it loses and .5 at a tie; rows and columns in event order.
    """
    plus = np.flatnonzero(label > 0)
    minus = np.flatnonzero(label < 0)
    state = np.minimum(plus[:, None], minus[None, :])
    margin = scores[state, plus[:, None]] - scores[state, minus[None, :]]
    return 0.5 + 0.5 * np.sign(margin).astype(np.float32)


def full_rank(scores: Floats, target: int) -> float:
    """Rank from 1 of ``target`` among all tracks; tracks that tie with it share the mean of their ranks."""
    better = np.count_nonzero(scores > scores[target])
    equal = np.count_nonzero(scores == scores[target])
    return 1.0 + better + (equal - 1) / 2.0


def reciprocal_rank(scores: Floats, target: int) -> float:
    """1 / full rank of ``target``: 1 at the top of the catalogue, towards 0 at its end."""
    return 1.0 / full_rank(scores, target)


def ndcg(scores: Floats, relevant: NDArray[np.int64], k: int = 10) -> float | None:
    """Full-rank NDCG@k with binary relevance (Järvelin & Kekäläinen 2002): no sampled negatives.

    Args:
        scores: (tracks,) of the whole catalogue.
        relevant: (R,) distinct tracks that are relevant.
        k: places that count.

    Returns:
        0…1, or None when nothing is relevant.
    """
    if len(relevant) == 0:
        return None
    ranks = np.array([full_rank(scores, int(track)) for track in relevant])
    gain = np.sum(1.0 / np.log2(1.0 + ranks[ranks <= k]))
    ideal = np.sum(1.0 / np.log2(2.0 + np.arange(min(k, len(relevant)))))
    return float(gain / ideal)


def gini(counts: Floats | NDArray[np.integer]) -> float | None:
    """Gini coefficient of exposures, zeros included (see :func:`recommender.diversity.gini`).

    Returns:
        None when there is nothing to share out (no entry, or all are zero).
    """
    return None if float(np.sum(counts)) <= 0.0 else diversity.gini(np.asarray(counts, np.float64))


def coverage(counts: Floats | NDArray[np.integer]) -> float | None:
    """Share of the catalogue that was exposed at least once; None for an empty catalogue."""
    return float(np.count_nonzero(counts) / len(counts)) if len(counts) else None


def entropy(counts: Floats | NDArray[np.integer]) -> float | None:
    """Shannon entropy of the exposures in bits; None when there are none."""
    return None if float(np.sum(counts)) <= 0.0 else diversity.entropy(np.asarray(counts, np.float64))


def top(scores: Floats, k: int = 10) -> NDArray[np.int64]:
    """The ``k`` best tracks, best first; among equals the lower index, so that the answer is determined."""
    k = min(k, len(scores))
    if k == 0:
        return np.empty(0, np.int64)
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= threshold)
    return candidates[np.lexsort((candidates, -scores[candidates]))][:k]
