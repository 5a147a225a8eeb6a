"""Metrics: of a ranking of the whole catalogue, of what is put before people, of a yes or no, of a stated probability.

Ties always share places, and no negatives are sampled anywhere: a rank is a rank among all tracks (Krichene & Rendle 2020
show what sampling does). Accuracy, precision, recall and false positive rate are those of Park & Lee (2022): each takes what
was called liked, (R,) bool, and what is liked, (R,) bool.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ranking import diversity

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


def prequential_wins(scores: Floats, label: NDArray[np.int8]) -> NDArray[np.float64]:
    """Share of the pairs of each event with the earlier ones of the other label that the positive wins (Dawid 1984).

    The mean over events is a pair AUC in which every pair counts when it becomes known, so that the figures arrive one by
    one, as a sequential test takes them.

    Args:
        scores: (G, G) as :func:`same_state_wins` takes them.
        label: (G,) +1 or -1.

    Returns:
        (G,) 0…1, NaN for an event without an earlier one of the other label.
    """
    plus, minus = np.flatnonzero(label > 0), np.flatnonzero(label < 0)
    wins = same_state_wins(scores, label)
    known = np.full(len(label), np.nan)
    for own, others, table in ((plus, minus, wins), (minus, plus, wins.T)):
        for place, event in enumerate(own):
            earlier = int(np.searchsorted(others, event))
            if earlier:
                known[event] = table[place, :earlier].mean()
    return known


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


Counts = NDArray[np.floating] | NDArray[np.integer]


def gini(counts: Counts) -> float | None:
    """Gini coefficient of exposures, zeros included (see :func:`recommender.ranking.diversity.gini`).

    Returns:
        None when there is nothing to share out (no entry, or all are zero).
    """
    return None if float(np.sum(counts)) <= 0.0 else diversity.gini(np.asarray(counts, np.float64))


def coverage(counts: Counts) -> float | None:
    """Share of the catalogue that was exposed at least once; None for an empty catalogue."""
    return float(np.count_nonzero(counts) / len(counts)) if len(counts) else None


def entropy(counts: Counts) -> float | None:
    """Shannon entropy of the exposures in bits; None when there are none."""
    return None if float(np.sum(counts)) <= 0.0 else diversity.entropy(np.asarray(counts, np.float64))


def unit_vectors(content: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (n, d) scaled to length 1; a row with NaN, of an unknown sound, and a row of zeros become zeros."""
    known = np.where(np.isfinite(content).all(axis=1, keepdims=True), content, 0.0).astype(np.float32)
    length = np.linalg.norm(known, axis=1, keepdims=True)
    return (known / np.where(length > 0.0, length, 1.0)).astype(np.float32)


def intra_list_distance(units: NDArray[np.float32], tracks: NDArray[np.int64]) -> float | None:
    """Mean cosine distance over the pairs of a list, tracks of unknown sound left out (Ziegler et al. 2005).

    Args:
        units: (n, d) as :func:`unit_vectors` gives them.
        tracks: (k,) the list.

    Returns:
        0…2, or None with fewer than two tracks of known sound.
    """
    vectors = units[tracks]
    vectors = vectors[np.any(vectors != 0.0, axis=1)]
    return diversity.intra_list_distance(vectors) if len(vectors) > 1 else None


def self_information(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Bits (n,) of meeting each track among the rows of training: −log2 of its share, one row added to each track.

    Added so that a track nobody has heard is rare, not infinitely so (Vargas & Castells 2011 for the measure).
    """
    return -np.log2((counts + 1.0) / (counts.sum() + len(counts))) if len(counts) else np.empty(0)


def novelty(information: NDArray[np.float64], tracks: NDArray[np.int64]) -> float | None:
    """Mean bits of a list (k,) of tracks, by :func:`self_information`; None for an empty list."""
    return float(information[tracks].mean()) if len(tracks) else None


def artist_spread(artist: NDArray[np.int64], tracks: NDArray[np.int64]) -> float | None:
    """Distinct artists of a list (k,) over its length: 1 = all different; None for an empty list.

    Args:
        artist: (n,) codes; tracks with a negative code count as one artist, as beside the queue.
        tracks: (k,) the list.
    """
    return len(np.unique(np.maximum(artist[tracks], -1))) / len(tracks) if len(tracks) else None


Answers = NDArray[np.bool_]

THRESHOLD = 0.5
"""A probability from here on calls a track liked."""
EVEN_ODDS = 0.5
"""The share of likes assumed where there is no feedback at all to take it from."""


def called_by_probability(probability: NDArray[np.floating], threshold: float = THRESHOLD) -> Answers:
    """Liked is what has a probability of at least ``threshold``."""
    return probability >= threshold


def called_by_rank(rank: NDArray[np.floating], tracks: int, share: float) -> Answers:
    """The rule for scores that are no probabilities: as large a part of the catalogue is called liked as was liked so far.

    Args:
        rank: (R,) full ranks from 1.
        tracks: size of the catalogue.
        share: of likes among the listener's earlier feedback, 0…1.
    """
    return rank <= share * tracks


def accuracy(called: Answers, liked: Answers) -> float | None:
    """Share of right answers; None without rows."""
    return _share(called == liked)


def precision(called: Answers, liked: Answers) -> float | None:
    """Share of liked among those called liked; None when nothing is called liked."""
    return _share(liked[called])


def recall(called: Answers, liked: Answers) -> float | None:
    """Share called liked among the liked; None when nothing is liked."""
    return _share(called[liked])


def false_positive_rate(called: Answers, liked: Answers) -> float | None:
    """Share called liked among the disliked; None when nothing is disliked."""
    return _share(called[~liked])


def _share(answers: Answers) -> float | None:
    return float(answers.mean()) if len(answers) else None


BINS = 10
"""Equal widths of a tenth, as in Guo et al. 2017 (who have 15) but still filled by a few hundred answers."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose probability lies in ``low`` … ``high``: how many, what was promised, what came."""

    low: float
    high: float
    rows: int
    promised: float
    came: float


def bin_of(probability: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """(R,) bin from 0 of each probability; 1 belongs to the last."""
    return np.minimum((probability * bins).astype(np.int64), bins - 1)


def ece_of_sums(sums: NDArray[np.float64]) -> float | None:
    """Expected calibration error (Naeini et al. 2015, eq. 3): Σ |likes − promised| over all rows of (bins, 3) sums; None without rows."""
    rows = sums[:, 0].sum()
    return float(np.abs(sums[:, 2] - sums[:, 1]).sum() / rows) if rows > 0 else None


def bins_of_sums(sums: NDArray[np.float64]) -> tuple[Bin, ...]:
    """The bins that hold any row, from (bins, 3) rows, sums of probabilities and likes of each."""
    edges = np.linspace(0.0, 1.0, len(sums) + 1)
    return tuple(
        Bin(float(edges[i]), float(edges[i + 1]), round(rows), float(promised / rows), float(came / rows))
        for i, (rows, promised, came) in enumerate(sums)
        if rows > 0
    )
