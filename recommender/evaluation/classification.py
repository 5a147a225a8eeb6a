"""Metrics of a yes or no: accuracy, precision, recall and false positive rate, as Park & Lee (2022) report them.

Each takes what was called liked, (R,) bool, and what is liked, (R,) bool. AUROC, which needs no threshold, is
:func:`recommender.evaluation.ranking.pair_auc` of all liked against all disliked.
"""

import numpy as np
from numpy.typing import NDArray

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
