"""Any recommender as one that states probabilities: a logistic curve from its scores to P(like), fitted before the test.

Scores of most recommenders mean only an order, and the player's own contain the pull of the station, which is no
estimate of liking. The curve (Platt 1999) makes all of them comparable by calibration error and Brier score. It is
fitted on the validation rows, each scored in the state before it, so it knows nothing of the test.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.query_states import State, States
from recommender.evaluation.splits import Part, Split
from recommender.events import EventLog
from recommender.interfaces import Context, Recommender
from recommender.models.online_update import Prior, fit_head

MOST_ROWS = 300
"""Newest rows of a listener that the curve is fitted on: two numbers are known well enough from these."""
PRIOR = Prior(weight_variance=4.0, bias_variance=4.0)
"""A standard deviation of score moves the log odds by up to about 4 before the prior objects."""
LEAST_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """P(like) = σ(bias + slope · (score − mean) / spread); without any rows one half for every score."""

    mean: float = 0.0
    spread: float = 1.0
    slope: float = 0.0
    bias: float = 0.0

    @staticmethod
    def fit(scores: NDArray[np.floating], label: NDArray[np.int8]) -> "Curve":
        """Bayesian logistic regression at its maximum; the slope is never negative.

        A score that went the wrong way before the test says nothing then, rather than its opposite.

        Args:
            scores: (R,) finite.
            label: (R,) +1 or -1.
        """
        if len(scores) == 0:
            return Curve()
        mean, spread = float(np.mean(scores)), float(np.std(scores))
        spread = spread if spread > LEAST_SPREAD else 1.0
        slope, bias = _regress((scores - mean) / spread, label)
        if slope < 0.0:
            slope, bias = 0.0, _regress(np.zeros(len(scores)), label)[1]
        return Curve(mean, spread, slope, bias)

    def probability(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """P(like), 0…1, of each score."""
        odds = self.bias + self.slope * (scores.astype(np.float64) - self.mean) / self.spread
        return 0.5 * (1.0 + np.tanh(0.5 * odds))


def _regress(standard: NDArray[np.floating], label: NDArray[np.int8]) -> tuple[float, float]:
    """Slope and bias."""
    ones, none = np.ones(len(label)), np.zeros(len(label))
    head = fit_head(standard[:, None].astype(np.float64), label, ones, none, PRIOR)
    return float(head.weights[0]), head.bias


class Calibrated:
    """A recommender with the same name, order and reasons, that states P(like) as well."""

    def __init__(self, inner: Recommender) -> None:
        self._inner = inner
        self._curve = Curve()

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._inner.name

    def fit(self, log: EventLog) -> None:
        """Learn from a log; without rows held out every probability is one half."""
        self._curve = Curve()
        self._inner.fit(log)

    def fit_with_validation(self, train: EventLog, validation: EventLog) -> None:
        """Learn from ``train``, fit the curve on ``validation``, then learn from both."""
        self._inner.fit(train)
        past, is_validation = _together(train, validation)
        self._curve = Curve.fit(*self._walk(past, is_validation))
        self._inner.fit(past)

    def score(self, context: Context) -> NDArray[np.float32]:
        """The inner recommender's."""
        return self._inner.score(context)

    def probability(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """P(like), 0…1, of each of the scores that ``score`` gave."""
        return self._curve.probability(scores)

    def explain(self, context: Context, track: int) -> str:
        """The inner recommender's."""
        return self._inner.explain(context, track)

    def _walk(self, past: EventLog, asked: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Scores and labels of the judged rows asked about, each in the state before it."""
        part = np.where(asked, np.int8(Part.TEST), np.int8(Part.TRAIN))
        scores: list[NDArray[np.floating]] = []
        labels: list[NDArray[np.int8]] = []
        for own in States(Split("calibration", past, part, ordered=True), State.WALKING, None, MOST_ROWS, 0):
            labels.append(own.label)
            for context, places in zip(own.contexts, own.predicted, strict=True):
                scores.append(self._inner.score(context)[own.track[places]])
        if not labels:
            return np.empty(0), np.empty(0, np.int8)
        return np.concatenate(scores).astype(np.float64), np.concatenate(labels)


def _together(train: EventLog, validation: EventLog) -> tuple[EventLog, NDArray[np.bool_]]:
    """All rows in time order, and (N,) which of them are for validation."""
    order = np.argsort(np.concatenate([train.time, validation.time]), kind="stable")
    later = validation.columns()
    columns = {name: np.concatenate([column, later[name]])[order] for name, column in train.columns().items()}
    is_validation = np.arange(len(order))[order] >= len(train)
    return EventLog(**columns, tracks=train.tracks), is_validation  # pyright: ignore[reportArgumentType] - the columns by name
