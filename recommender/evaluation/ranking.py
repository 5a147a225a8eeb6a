"""Metrics of a ranking of the whole catalogue: who is placed above whom, and how high; ties always share places.

No negatives are sampled anywhere: a rank is a rank among all tracks (Krichene & Rendle 2020 show what sampling does).
"""

import numpy as np
from numpy.typing import NDArray

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


def full_ranks(scores: Floats, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ranks from 1 of targets among all tracks; tracks that tie share the mean of their ranks.

    Args:
        scores: (tracks,) of the whole catalogue.
        targets: (R,) tracks.

    Returns:
        (R,) ranks.
    """
    ordered = np.sort(scores)
    own = scores[targets]
    not_above = np.searchsorted(ordered, own, side="right")
    below = np.searchsorted(ordered, own, side="left")
    return 1.0 + (len(scores) - not_above) + (not_above - below - 1) / 2.0


def full_rank(scores: Floats, target: int) -> float:
    """Rank from 1 of ``target`` among all tracks; tracks that tie with it share the mean of their ranks."""
    return float(full_ranks(scores, np.array([target]))[0])


def reciprocal_rank(scores: Floats, target: int) -> float:
    """1 / full rank of ``target``: 1 at the top of the catalogue, towards 0 at its end."""
    return 1.0 / full_rank(scores, target)


def ndcg(scores: Floats, relevant: NDArray[np.int64], k: int = 10) -> float | None:
    """Full-rank NDCG@k with binary relevance (Järvelin & Kekäläinen 2002).

    Args:
        scores: (tracks,) of the whole catalogue.
        relevant: (R,) distinct tracks that are relevant.
        k: places that count.

    Returns:
        0…1, or None when nothing is relevant.
    """
    return ndcg_of_ranks(full_ranks(scores, relevant), k)


def ndcg_of_ranks(ranks: Floats, k: int = 10) -> float | None:
    """NDCG@k of the ranks (R,) of all relevant tracks: Σ 1/log2(1 + rank) over ranks ≤ k, over its largest value."""
    if len(ranks) == 0:
        return None
    gain = np.sum(1.0 / np.log2(1.0 + ranks[ranks <= k]))
    ideal = np.sum(1.0 / np.log2(2.0 + np.arange(min(k, len(ranks)))))
    return min(1.0, float(gain / ideal))


def hit_rate_of_ranks(ranks: Floats, k: int = 10) -> float | None:
    """1 when any of the ranks (R,) of the relevant tracks is at most k, else 0; None when nothing is relevant."""
    return float(np.any(ranks <= k)) if len(ranks) else None


def recall_of_ranks(ranks: Floats, k: int = 10) -> float | None:
    """Share of the ranks (R,) of the relevant tracks that are at most k; None when nothing is relevant."""
    return float(np.mean(ranks <= k)) if len(ranks) else None


def top(scores: Floats, k: int = 10) -> NDArray[np.int64]:
    """The ``k`` best tracks, best first; among equals the lower index, so that the answer is determined."""
    k = min(k, len(scores))
    if k == 0:
        return np.empty(0, np.int64)
    threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= threshold)
    return candidates[np.lexsort((candidates, -scores[candidates]))][:k]
