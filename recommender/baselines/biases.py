"""How much above or below the mean a track is liked and a listener likes: what is left when taste is ignored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.feedback import Doubles, Labels, totals

PRIOR_ROWS = 5.0
"""Labels of no opinion that every track and every listener starts with."""
SWEEPS = 10
"""Rounds in which the two are estimated from each other; they settle within five."""


@dataclass(frozen=True, slots=True)
class Biases:
    """``mean + listener's bias + track's bias`` estimates a label, -1…1.

    Attributes:
        mean: of all labels.
        track: (tracks,) above 0 where a track is liked more than its listeners' other tracks.
    """

    mean: float
    track: Doubles

    @staticmethod
    def fit(labels: Labels) -> "Biases":
        """Shrunken least squares, listeners and tracks in turn (Koren 2008, eq. 1-2)."""
        mean, track, listener = labels.mean, np.zeros(labels.tracks), np.zeros(labels.listeners)
        centred = labels.sign - mean
        for _ in range(SWEEPS):
            track = _shrunken_mean(centred - listener[labels.listener], labels.weight, labels.track, labels.tracks)
            listener = _shrunken_mean(centred - track[labels.track], labels.weight, labels.listener, labels.listeners)
        return Biases(mean, track)

    def of_listener(self, labels: Labels) -> float:
        """The bias of the one listener whose labels these are; 0 without a label."""
        left = labels.weight * (labels.sign - self.mean - self.track[labels.track])
        return float(left.sum() / (labels.weight.sum() + PRIOR_ROWS))


def _shrunken_mean(values: Doubles, weight: Doubles, index: NDArray[np.int64], count: int) -> Doubles:
    return totals(index, weight * values, count) / (totals(index, weight, count) + PRIOR_ROWS)
