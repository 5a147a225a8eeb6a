"""Biased matrix factorisation of ±1 labels: point estimates (biased-mf) and mean-field posteriors (vb-mf).

A label is modelled as ``mean + listener's bias + track's bias + taste · character + noise``, all with Gaussian priors.
Given one side, the other is a ridge regression, so both are fitted in turn and a listener is placed by the very same
regression on whatever history is at hand.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.feedback import Doubles, LabelMatrix, most_frequent
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_TRACKS = 100_000
"""Tracks that get factors: 65 MB of float64 covariances at 8 factors. Of a larger catalogue the most frequent, the rest
stay at their prior, the mean track."""
START_SPREAD = 0.4
"""Of the random factors that the fit starts from; near 0 it would stay there, a saddle of the objective."""


FACTORS = 8
SWEEPS = 20
"""Rounds over listeners and tracks."""
NOISE = 0.7
"""Variance of a label around its estimate, as a share of the variance of all labels."""
LISTENER_BIAS, TRACK_BIAS = 5.0, 8.0
"""Precisions (1 / variance) of the biases."""
PRECISIONS = (5.0, 7.0, 10.0, 14.0)
"""Precisions of the factors to choose from: every fit holds a share of its own labels out and takes the one that
foretells them best."""
HELD_OUT = 0.1
FEWEST_HELD_OUT = 50
"""Below as many held-out labels the choice would be chance, and the strongest precision is taken."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is believed of every listener, or of every track.

    Attributes:
        mean: (n, 1 + k), the bias and then the factors.
        covariance: (n, 1 + k, 1 + k); zeros for a point estimate.
    """

    mean: Doubles
    covariance: Doubles

    def designs(self) -> tuple[Doubles, Doubles]:
        """Of a regression on this side: E[x xᵀ] (n, 1+k, 1+k) and E[x · bias] (n, 1+k), x = (1, factors)."""
        x = np.concatenate([np.ones((len(self.mean), 1)), self.mean[:, 1:]], axis=1)
        squares = x[:, :, None] * x[:, None, :]
        squares[:, 1:, 1:] += self.covariance[:, 1:, 1:]
        offsets = x * self.mean[:, :1]
        offsets[:, 1:] += self.covariance[:, 0, 1:]
        return squares, offsets


def regress(
    weight: "csr_matrix", weighted: "csr_matrix", other: Side, precision: Doubles, noise: float, *, posterior: bool
) -> Side:
    """Ridge regression of every row of a label matrix on the other side.

    Args:
        weight: sparse (n, m), how much each label counts.
        weighted: sparse (n, m), weight times (label minus mean).
        other: the m columns.
        precision: (1+k,) of the prior.
        noise: variance of a label.
        posterior: keep the covariance of the result rather than take it for certain.
    """
    width = len(precision)
    squares, offsets = other.designs()
    information = np.asarray(weight @ squares.reshape(len(squares), -1)).reshape(-1, width, width)
    covariance = np.linalg.inv(information / noise + np.diag(precision)).astype(np.float64)
    target = np.asarray(weighted @ _ones_and_factors(other) - weight @ offsets) / noise
    mean = np.einsum("nij,nj->ni", covariance, target)
    return Side(mean, covariance if posterior else np.zeros_like(covariance))


def _ones_and_factors(side: Side) -> Doubles:
    return np.concatenate([np.ones((len(side.mean), 1)), side.mean[:, 1:]], axis=1)


class Factorisation:
    """The estimated label of every track for the listener whose history is given.

    Args:
        name: what tables call it.
        posterior: whether each side's uncertainty enters the other's regression (mean-field variational Bayes, Lim &
            Teh 2007) or not (alternating least squares, Koren, Bell & Volinsky 2009).
        seed: of the factors that the fit starts from.
        most_tracks: tracks that get factors.
    """

    def __init__(self, name: str, *, posterior: bool, seed: int = 0, most_tracks: int = MOST_TRACKS) -> None:
        self._name, self._posterior = name, posterior
        self._seed, self._most = seed, most_tracks
        self.fit(empty_log(0))

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def fit(self, log: EventLog) -> None:
        """Choose the precision on held-out labels, then fit all; without a label every track scores 0."""
        labels = LabelMatrix.of(log)
        self._tracks, self._mean = log.tracks, labels.mean
        self._kept = most_frequent(labels.track, labels.tracks, self._most)
        # never quite 0, so that a log of likes alone is still a regression
        self._noise = NOISE * max(1.0 - self._mean**2, 1.0 / (1.0 + len(labels)))
        self._precision = self._choose_precision(labels)
        self._side, _ = self._fit_sides(labels, self._precision)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Estimated label (tracks,), about -1…1, the listener placed by all of the history."""
        listener = self._place(LabelMatrix.of(context.history))
        scores = np.full(self._tracks, self._mean + listener[0])
        scores[self._kept] += self._side.mean[:, 0] + self._side.mean[:, 1:] @ listener[1:]
        return scores.astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State what everybody thinks and what is personal."""
        place = int(np.searchsorted(self._kept, track))
        if place == len(self._kept) or self._kept[place] != track:
            return f"{self.score(context)[track]:+.2f}: nobody's labels tell this track from the mean one"
        common = self._side.mean[place, 0]
        personal = self._side.mean[place, 1:] @ self._place(LabelMatrix.of(context.history))[1:]
        return f"{common:+.2f} with everybody, {personal:+.2f} by your taste in {FACTORS} factors"

    def _choose_precision(self, labels: LabelMatrix) -> float:
        held = np.random.default_rng(self._seed).random(len(labels)) < HELD_OUT
        if np.count_nonzero(held) < FEWEST_HELD_OUT:
            return PRECISIONS[-1]
        return min(PRECISIONS, key=lambda precision: self._held_out_error(labels, held, precision))

    def _held_out_error(self, labels: LabelMatrix, held: NDArray[np.bool_], precision: float) -> float:
        """Weighted sum of squared errors on the held-out labels after a fit to the others."""
        tracks, listeners = self._fit_sides(labels.where(~held), precision)
        out = labels.where(held)
        place = np.searchsorted(self._kept, out.track)
        known = np.isin(out.track, self._kept)
        listener, track = listeners.mean[out.listener[known]], tracks.mean[place[known]]
        estimate = self._mean + listener[:, 0] + track[:, 0] + (listener[:, 1:] * track[:, 1:]).sum(axis=1)
        return float((out.weight[known] * (out.sign[known] - estimate) ** 2).sum())

    def _fit_sides(self, labels: LabelMatrix, precision: float) -> tuple[Side, Side]:
        """Tracks and listeners, each from the other in turn."""
        weight, weighted = self._matrices(labels)
        across, across_weighted = weight.T.tocsr(), weighted.T.tocsr()
        start = np.random.default_rng(self._seed).normal(0.0, START_SPREAD, (labels.listeners, FACTORS + 1))
        start[:, 0] = 0.0
        listeners = Side(start, np.zeros((len(start), FACTORS + 1, FACTORS + 1)))
        tracks = Side(np.zeros((len(self._kept), FACTORS + 1)), np.zeros((len(self._kept), FACTORS + 1, FACTORS + 1)))
        if len(labels) == 0:
            return tracks, listeners
        of_tracks, of_listeners = _precisions(TRACK_BIAS, precision), _precisions(LISTENER_BIAS, precision)
        for _ in range(SWEEPS):
            tracks = regress(across, across_weighted, listeners, of_tracks, self._noise, posterior=self._posterior)
            listeners = regress(weight, weighted, tracks, of_listeners, self._noise, posterior=self._posterior)
        return tracks, listeners

    def _place(self, labels: LabelMatrix) -> Doubles:
        """The bias and taste (1+k,) of the one listener whose labels these are."""
        weight, weighted = self._matrices(labels.as_one_listener())
        if weight.nnz == 0:
            return np.zeros(FACTORS + 1)
        heard = np.unique(weight.indices)
        side = Side(self._side.mean[heard], self._side.covariance[heard])
        prior = _precisions(LISTENER_BIAS, self._precision)
        placed = regress(weight[:, heard], weighted[:, heard], side, prior, self._noise, posterior=False)
        return placed.mean[0]

    def _matrices(self, labels: LabelMatrix) -> tuple["csr_matrix", "csr_matrix"]:
        """Weights, and weights times centred labels: sparse (listeners, kept tracks)."""
        weight = labels.matrix(labels.weight)[:, self._kept]
        weighted = labels.matrix(labels.weight * (labels.sign - self._mean))[:, self._kept]
        return weight, weighted


def _precisions(bias: float, factor: float) -> Doubles:
    return np.array([bias] + [factor] * FACTORS)
