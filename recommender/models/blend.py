"""One score from several: the running update, CLEP, the sequence, and what was heard of the track before.

The weights come from a logistic regression on held-out time, each row in the state before it, so the blended score is a
calibrated log odds of liking. The regression is drawn towards documented prior weights – those of a player without any
model – which is what remains when there is little to fit.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog

Floats = NDArray[np.float32]

SECONDS_PER_DAY = 86400.0
LIKING_PRIOR = 1.0
"""Pseudo-rows of each kind in a track's own like-rate: one thumb moves the log odds by log 2."""
RIDGE = 25.0
"""Precision of the Gaussian around the prior weights: it takes some hundred and fifty rows to outweigh it. With 4, the weights
fitted on the fifty or so rows of a short history moved what was served about and made it worse (``docs/research/simulation.md``)."""
HABIT_RIDGE = 150.0
"""The same of what says only that and when a track was heard. Among the tracks of a short history these columns vary little and
together, over the library they vary much: what noise they fit moves all that rested long. At 25 they cost simulated listeners more than
they brought (``docs/research/learning.md``)."""
FEWEST_ROWS = 20
FEWEST_OF_A_KIND = 5
"""Below these many labelled rows a fit is noise, and the prior weights are used as they are."""
BY_COLUMN = "F"
"""Columns are written and weighed one by one: in one piece each, that takes a large library a quarter of the time."""
LEAST_SPREAD = 1e-6
"""A column that never varies carries nothing and is only centred."""


class Component(IntEnum):
    """Components of a score, in the order of their columns."""

    SEED = 0
    """Similarity to the station's seeds, in library standard deviations."""
    CLEP = 1
    """CLEP's log odds of liking, from content alone."""
    SEQUENCE = 2
    """The transformer's score given the last events."""
    LIKING = 3
    """Log odds of the listener's own earlier labels of this very track."""
    HEARD = 4
    """1 when the track was heard before, else 0."""
    REST = 5
    """log(1 + days since it was last heard); 0 when it never was."""
    PLAYS = 6
    """log(1 + times heard)."""
    HEAD = 7
    """The running update's log odds, in the state before the row (:mod:`recommender.models.station_scorer`)."""
    HABIT = 8
    """What the listener's habits say (:mod:`recommender.models.habit_scorer`); 0 of a model that was trained without them."""


PRIOR_WEIGHTS: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Weights while nothing is fitted: the running update alone, as without a model. Whatever else is to count has to earn it
on held-out rows (``docs/research/simulation.md``: weights given in advance made the served order worse)."""
NON_NEGATIVE = (Component.SEED, Component.CLEP, Component.SEQUENCE, Component.LIKING, Component.HEAD, Component.HABIT)
"""Columns that mean "more liked": if one does not help it is dropped, never turned round."""


HABITS = (Component.HEARD, Component.REST, Component.PLAYS)
FORETOLD_RIDGE = 5.0
"""The same of the habit model, which three people's logs have shown to foretell (``docs/research/people.md``): thirty rows do."""
RIDGES: tuple[float, ...] = tuple(
    HABIT_RIDGE if column in HABITS else FORETOLD_RIDGE if column is Component.HABIT else RIDGE for column in Component
)
"""Precision of the prior of each weight."""


@dataclass(frozen=True, slots=True)
class Blend:
    """``intercept + Σ weight · (column - mean) / spread``, in logits.

    Attributes:
        intercept: log odds of liking of a mean track.
        weights, means, spreads: one for each :class:`Component`.
        rows: labelled rows the weights were fitted on; 0 when they are the prior ones.
    """

    intercept: float
    weights: tuple[float, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    rows: int

    def contribution(self, column: Component, values: Floats) -> Floats:
        """What the values (n,) of one column add to the score, (n,) in logits."""
        standard = np.nan_to_num(values).astype(np.float64)
        standard -= self.means[column]
        standard /= self.spreads[column]
        standard *= self.weights[column]
        return standard.astype(np.float32)

    def contributions(self, columns: Floats) -> Floats:
        """What each column of (n, columns) adds to the score, (n, columns) in logits."""
        return np.stack([self.contribution(column, columns[:, column]) for column in Component], axis=1)

    def louder(self, factor: float) -> "Blend":
        """The same order with every weight times ``factor``."""
        return replace(self, weights=tuple(weight * factor for weight in self.weights))

    def score(self, columns: Floats) -> Floats:
        """Blended log odds (n,) of liking each row of (n, columns)."""
        slopes = np.array(self.weights) / np.array(self.spreads)
        level = self.intercept - float(slopes @ np.array(self.means))
        scores = columns @ slopes.astype(np.float32) + np.float32(level)
        unknown = np.isnan(scores)
        if unknown.any():
            scores[unknown] = self.contributions(columns[unknown]).sum(axis=1) + np.float32(self.intercept)
        return scores


@dataclass(frozen=True, slots=True)
class Scale:
    """Means and spreads (columns,) that bring the models' scores to one unit: a standard deviation over the library.

    The other columns keep their own units. Scaled by the few rows of a short history, a column that hardly varies
    there would rule every track that does vary.
    """

    means: tuple[float, ...] = (0.0,) * len(Component)
    spreads: tuple[float, ...] = (1.0,) * len(Component)

    @staticmethod
    def of_models(clep: Floats, sequence: Floats, habit: Floats | None = None) -> "Scale":
        """From CLEP's log odds (n,) of all tracks, and the sequence's and the habits' scores (states, n) of all tracks."""
        means, spreads = [0.0] * len(Component), [1.0] * len(Component)
        own = np.empty((0, 0), np.float32) if habit is None else habit
        for column, scores in ((Component.CLEP, clep[None, :]), (Component.SEQUENCE, sequence), (Component.HABIT, own)):
            if scores.size:
                means[column] = float(scores.mean())
                spread = float(scores.std(axis=1).mean())
                spreads[column] = spread if spread > LEAST_SPREAD else 1.0
        return Scale(tuple(means), tuple(spreads))


PRIOR_BLEND = Blend(0.0, PRIOR_WEIGHTS, (0.0,) * len(Component), (1.0,) * len(Component), 0)


def repetition(history: EventLog, now: float) -> Floats:
    """The columns LIKING, HEARD, REST and PLAYS of every track.

    Args:
        history: one listener's rows before ``now``.
        now: seconds, on the log's clock.

    Returns:
        (tracks, 4) float32.
    """
    tracks = history.tracks
    plus = np.bincount(history.track, history.weight * (history.label > 0), minlength=tracks)
    minus = np.bincount(history.track, history.weight * (history.label < 0), minlength=tracks)
    heard = np.bincount(history.track, minlength=tracks)
    last = np.full(tracks, now)
    last[history.track] = history.time  # rows are in time order: the latest assignment stays
    columns = np.empty((tracks, 4), np.float32, order=BY_COLUMN)
    columns[:, 0] = np.log((plus + LIKING_PRIOR) / (minus + LIKING_PRIOR))
    columns[:, 1] = heard > 0
    columns[:, 2] = np.log1p(np.maximum(0.0, now - last) / SECONDS_PER_DAY)
    columns[:, 3] = np.log1p(heard)
    return columns


def assemble(seed: Floats, clep: Floats, sequence: Floats, repeated: Floats, habit: Floats | None = None) -> Floats:
    """All columns side by side: (n,) each, and the (n, 4) of :func:`repetition`; HEAD is left at 0 for who knows the labels."""
    columns = np.empty((len(seed), len(Component)), np.float32, order=BY_COLUMN)
    columns[:, Component.SEED] = seed
    columns[:, Component.CLEP] = clep
    columns[:, Component.SEQUENCE] = sequence
    columns[:, Component.LIKING : Component.HEAD] = repeated
    columns[:, Component.HEAD] = 0.0
    columns[:, Component.HABIT] = 0.0 if habit is None else habit
    return columns


def fit_blend(columns: Floats, label: NDArray[np.int8], weight: Floats, scale: Scale | None = None) -> Blend:
    """Fit the weights on held-out rows: MAP logistic regression around the prior weights.

    Args:
        columns: (rows, columns) of the track of each row, in the state before the row.
        label: (rows,) +1 or -1.
        weight: (rows,) how strongly each label is meant.
        scale: of the columns; their own units when absent.

    Returns:
        The blend; the prior weights when there are too few rows or too few of a kind.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import, and only training fits

    scale = scale or Scale()
    columns = np.nan_to_num(columns)
    liked = label > 0
    if len(label) == 0:
        return PRIOR_BLEND
    prior, ridges = np.array(PRIOR_WEIGHTS), np.array(RIDGES)
    few = len(label) < FEWEST_ROWS or min(liked.sum(), (~liked).sum()) < FEWEST_OF_A_KIND
    if few:
        odds = (liked.sum() + LIKING_PRIOR) / ((~liked).sum() + LIKING_PRIOR)
        return Blend(float(np.log(odds)), PRIOR_WEIGHTS, scale.means, scale.spreads, 0)
    standard = (columns - np.array(scale.means)) / np.array(scale.spreads)
    sign = np.where(liked, 1.0, -1.0)

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (parameters[0] + standard @ parameters[1:])
        slope = -weight * sign * _sigmoid(-margin)
        away = parameters[1:] - prior
        loss = float(weight @ np.logaddexp(0.0, -margin) + 0.5 * away @ (ridges * away))
        return loss, np.concatenate([[slope.sum()], standard.T @ slope + ridges * away])

    bounds = [(None, None)] + [(0.0, None) if column in NON_NEGATIVE else (None, None) for column in Component]
    fit = minimize(objective, np.concatenate([[0.0], prior]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Blend(float(fit.x[0]), _floats(fit.x[1:]), scale.means, scale.spreads, len(label))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
