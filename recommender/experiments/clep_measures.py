"""The five metrics of the paper's Table 2 (Park & Lee 2022, section 4.3), and the same at another's false positive rate."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.metrics import (
    accuracy,
    called_by_probability,
    false_positive_rate,
    pair_auc,
    precision,
    recall,
)

Floats = NDArray[np.float64]


class ClepMetric(IntEnum):
    """Where a metric stands."""

    ACCURACY = 0
    PRECISION = 1
    RECALL = 2
    AUROC = 3
    FPR = 4

    @property
    def key(self) -> str:
        """Its name in documents."""
        return self.name.lower()


def measure(probability: Floats, liked: NDArray[np.bool_]) -> Floats:
    """All metrics of one listener's test tracks.

    Args:
        probability: (T,) P(like); from .5 on a track is called liked.
        liked: (T,) bool.

    Returns:
        (5,) by :class:`ClepMetric`; NaN where undefined (precision when nothing is called liked, …).
    """
    called = called_by_probability(probability)
    figures = (
        accuracy(called, liked),
        precision(called, liked),
        recall(called, liked),
        pair_auc(probability[liked], probability[~liked]),
        false_positive_rate(called, liked),
    )
    return np.array([np.nan if figure is None else figure for figure in figures])


def measure_at_rate(score: Floats, liked: NDArray[np.bool_], rate: float) -> Floats:
    """The metrics when the threshold is moved to where the false positive rate is ``rate``.

    Between two thresholds the ROC curve is taken as a straight line, which is what choosing between them at random
    achieves (Provost & Fawcett 2001); where several thresholds have the same rate, the middle of their recalls counts.
    The threshold is found on the test tracks: this compares curves at one point, it is no prediction.

    Args:
        score: (T,) larger for what is rather liked.
        liked: (T,) bool.
        rate: false positive rate to meet, 0…1.

    Returns:
        (5,) by :class:`ClepMetric`; NaN throughout where likes or dislikes are missing.
    """
    likes, dislikes = int(liked.sum()), int((~liked).sum())
    if not likes or not dislikes or not np.isfinite(rate):
        return np.full(len(ClepMetric), np.nan)
    thresholds = np.unique(score)[::-1]
    false = np.array([0.0, *[(score[~liked] >= cut).mean() for cut in thresholds]])
    true = np.array([0.0, *[(score[liked] >= cut).mean() for cut in thresholds]])
    corners = np.unique(false)
    middle = np.array([(true[false == corner].min() + true[false == corner].max()) / 2.0 for corner in corners])
    hit = float(np.interp(rate, corners, middle))
    called = hit * likes + rate * dislikes
    figures = np.full(len(ClepMetric), np.nan)
    figures[ClepMetric.ACCURACY] = (hit * likes + (1.0 - rate) * dislikes) / (likes + dislikes)
    figures[ClepMetric.PRECISION] = hit * likes / called if called > 0 else np.nan
    figures[ClepMetric.RECALL] = hit
    figures[ClepMetric.AUROC] = pair_auc(score[liked], score[~liked]) or 0.0
    figures[ClepMetric.FPR] = rate
    return figures
