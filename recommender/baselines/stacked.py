"""The strongest of these baselines: three of them in one logistic regression, weighed on labels none of them saw."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.ease import SignedEase
from recommender.baselines.factorisation import Factorisation
from recommender.baselines.factors import Als
from recommender.baselines.feedback import Doubles
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context, Recommender

HELD_OUT = 0.15
"""Share of the log's labels on which the weights are fitted; the parts are then fitted anew on all."""
RIDGE = 1.0
"""Precision of the weights around the prior ones, in labels."""
PRIOR_WEIGHTS = (2.0, 0.0, 0.0)
"""Without labels to weigh on, the factorisation alone: 2 turns a mean of ±1 into log odds, near 0."""
FEWEST_HELD_OUT = 50
MOST_LISTENERS = 2000
"""Listeners on whose held-out labels the weights are fitted at most: three weights need no more, and each costs a score."""


class Stacked:
    """Log odds of liking from vb-mf, ease-signed and als; what a part cannot help with gets weight 0, never less.

    Stacked generalisation (Wolpert 1992) with non-negative weights (Breiman 1996). Every part places the listener by
    all of the history, so rows after the fitted log count.
    """

    name = "stacked"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._parts: Sequence[Recommender] = (
            Factorisation("vb-mf", posterior=True, seed=seed),
            SignedEase(),
            Als(seed),
        )
        self.fit(empty_log(0))

    def fit(self, log: EventLog) -> None:
        """Weigh the parts on held-out labels, then fit them on all of the log."""
        self._intercept, self._weights = 0.0, np.array(PRIOR_WEIGHTS)
        held = (log.label != 0) & (np.random.default_rng(self._seed).random(len(log)) < HELD_OUT)
        if np.count_nonzero(held) >= FEWEST_HELD_OUT:
            for part in self._parts:
                part.fit(log.where(~held))
            columns, rows = self._foretell(log, held)
            self._intercept, self._weights = _weigh(columns, log.label[rows], log.weight[rows])
        for part in self._parts:
            part.fit(log)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Log odds (tracks,) of liking."""
        return (self._intercept + self._columns(context) @ self._weights).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State what each part adds."""
        added = self._columns(context)[track] * self._weights
        parts = (f"{part.name} {value:+.2f}" for part, value in zip(self._parts, added, strict=True))
        return f"{self._intercept:+.2f} for all, {', '.join(parts)}"

    def _columns(self, context: Context) -> Doubles:
        """What each part thinks of every track, (tracks, parts)."""
        return np.stack([part.score(context).astype(np.float64) for part in self._parts], axis=1)

    def _foretell(self, log: EventLog, held: NDArray[np.bool_]) -> tuple[Doubles, NDArray[np.int64]]:
        """What each part says of held-out rows given the listener's other rows: columns (h, parts) and the rows (h,)."""
        by_listener = np.argsort(log.listener, kind="stable")  # within a listener still in time order
        starts = np.searchsorted(log.listener[by_listener], np.arange(int(log.listener.max()) + 2))
        listeners = np.unique(log.listener[held])
        if len(listeners) > MOST_LISTENERS:
            listeners = np.random.default_rng(self._seed).choice(listeners, MOST_LISTENERS, replace=False)
        columns: list[Doubles] = []
        rows: list[NDArray[np.int64]] = []
        for listener in listeners.tolist():
            own = by_listener[starts[listener] : starts[listener + 1]]
            asked = own[held[own]]
            context = Context(
                listener, int(log.station[own[-1]]), float(log.time[own[-1]]), _pick(log, own[~held[own]])
            )
            columns.append(self._columns(context)[log.track[asked]])
            rows.append(asked)
        return np.concatenate(columns), np.concatenate(rows)


def _pick(log: EventLog, rows: NDArray[np.int64]) -> EventLog:
    """The rows of these rising indices; a mask over a long log would cost its whole length for every listener."""
    return replace(log, **{name: column[rows] for name, column in log.columns().items()})


def _weigh(columns: Doubles, label: NDArray[np.int8], weight: NDArray[np.float32]) -> tuple[float, Doubles]:
    """Intercept and non-negative weights of a ridge logistic regression of the labels on the columns."""
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import, and the player imports this package

    sign, prior = np.sign(label).astype(np.float64), np.array(PRIOR_WEIGHTS)

    def objective(parameters: Doubles) -> tuple[float, Doubles]:
        margin = sign * (parameters[0] + columns @ parameters[1:])
        slope = -weight * sign * 0.5 * (1.0 - np.tanh(0.5 * margin))
        away = parameters[1:] - prior
        loss = float(weight @ np.logaddexp(0.0, -margin) + 0.5 * RIDGE * (away @ away + parameters[0] ** 2))
        return loss, np.concatenate([[slope.sum() + RIDGE * parameters[0]], columns.T @ slope + RIDGE * away])

    bounds = [(None, None)] + [(0.0, None)] * len(prior)
    fit = minimize(objective, np.concatenate([[0.0], prior]), jac=True, method="L-BFGS-B", bounds=bounds)
    return float(fit.x[0]), np.asarray(fit.x[1:], np.float64)
