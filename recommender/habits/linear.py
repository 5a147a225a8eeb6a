"""A logistic regression over all habit features, its weights drawn towards those of other people.

Rows are weighed so that within every session the plays heard out and those skipped weigh the same. Then nothing is gained by
knowing that a session is one of skipping, and the weights say which track to play next in it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from recommender.habits.features import FEATURES, INDEX, IS_STATE

Floats = NDArray[np.float64]
Table = NDArray[np.float32]

PULL = 600.0
"""Ridge on the distance to the prior weights, in judged plays: 300 to 1500 measure alike on three people, less overfits."""
FARTHEST = 4.0
"""Standard deviations at which a feature is cut off: a track heard a hundred times is no hundred times as much a favourite."""
STEPS = 200


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and scale (features,) that every listener's features are measured by, so that weights carry over."""

    mean: Floats
    scale: Floats

    @staticmethod
    def of(table: Table) -> "Scaling":
        """From (N, features); what is never known keeps mean 0 and scale 1."""
        known = np.isfinite(table).any(axis=0)
        mean, scale = np.zeros(table.shape[1]), np.ones(table.shape[1])
        mean[known] = np.nanmean(table[:, known], axis=0, dtype=np.float64)
        scale[known] = np.nanstd(table[:, known], axis=0, dtype=np.float64) + LEAST_SCALE
        return Scaling(mean, scale)

    def apply(self, table: Table) -> Table:
        """(N, terms): the features in standard deviations, unknown ones at their mean; 1 where one is unknown; products."""
        unknown = np.isnan(table)
        standard = np.clip((table - self.mean) / self.scale, -FARTHEST, FARTHEST)
        standard[unknown] = 0.0
        products = PRODUCT_SCALE * standard[:, _RATED] * standard[:, _COUNTED]
        return np.concatenate([standard, unknown, products], axis=1, dtype=np.float32)


LEAST_SCALE = 1e-3
RATES = ("track_alone", "track_rate", "artist_rate", "track_rate_30d", "track_share", "artist_share")
COUNTS = ("track_verdicts", "artist_verdicts", "track_since", "track_verdicts_7d")
PRODUCTS = tuple((rate, count) for rate in RATES for count in COUNTS)
"""Rates times how much there is behind them and how long ago: +.005 on three people, while bends of each feature add nothing."""
PRODUCT_SCALE = 0.5
"""A product's prior is that much tighter than a feature's."""
_RATED, _COUNTED = (np.array([INDEX[pair[side]] for pair in PRODUCTS]) for side in (0, 1))
TERMS = (*FEATURES, *(f"{name} unknown" for name in FEATURES), *(f"{rate} × {count}" for rate, count in PRODUCTS))
LEARNED = np.concatenate([np.tile(~IS_STATE, 2), np.ones(len(PRODUCTS), np.bool_)])
"""Which columns of :meth:`Scaling.apply` have a weight: all but the listener's state, which is the same for every track."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A scaling and the weights (terms,) of what it gives, 0 for the state."""

    scaling: Scaling
    weights: Floats

    def score(self, table: Table) -> Floats:
        """Log odds (N,) of being heard out, up to a constant."""
        return (self.scaling.apply(table) @ self.weights).astype(np.float64)


def session_weights(verdict: NDArray[np.int8], session: NDArray[np.int64]) -> Floats:
    """(N,) weights by which both verdicts of a session weigh the same and all sessions alike; 0 where one is missing.

    They sum to the number of judged plays. Where no session has both verdicts every judged play weighs 1.
    """
    up, down = (np.bincount(session, verdict == side, minlength=1) for side in (1, -1))
    own = np.where(verdict > 0, up[session], down[session])
    both = (verdict != 0) & (up[session] > 0) & (down[session] > 0)
    if not both.any():
        return (verdict != 0).astype(np.float64)
    weight = np.divide(1.0, own, out=np.zeros(len(verdict)), where=both)
    return weight * (np.count_nonzero(verdict) / weight.sum())


def fit_linear(
    table: Table,
    verdict: NDArray[np.int8],
    weight: Floats,
    prior: Linear,
    pull: float = PULL,
    inputs: NDArray[np.bool_] = LEARNED,
) -> Linear:
    """The weights that tell + from −, with a Gaussian prior around those of ``prior``.

    Args:
        table: (N, features).
        verdict: (N,) +1, -1 or 0.
        weight: (N,) of the plays.
        prior: scaling, and the weights of other people.
        pull: precision of the prior.
        inputs: (terms,) which are looked at. What the listener's state is given is forgotten: it never counts when ranking.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to import, and only jobs fit

    rows = np.flatnonzero((verdict != 0) & (weight > 0))
    design = prior.scaling.apply(table[rows])[:, inputs]
    sign, own, centre = verdict[rows].astype(np.float64), weight[rows], prior.weights[inputs]

    def objective(parameters: Floats) -> tuple[float, Floats]:
        margin = sign * (parameters[0] + design @ parameters[1:])
        slope = -own * sign * 0.5 * (1.0 - np.tanh(0.5 * margin))
        away = parameters[1:] - centre
        loss = own @ np.logaddexp(0.0, -margin) + 0.5 * pull * away @ away
        return float(loss), np.concatenate([[slope.sum()], slope @ design + pull * away])

    start = np.concatenate([[0.0], centre])
    fit = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    weights = np.zeros(len(LEARNED))
    weights[inputs] = fit.x[1:]
    weights[~LEARNED] = 0.0
    return Linear(prior.scaling, weights)


@cache
def shipped_prior() -> Linear:
    """The weights of other people that travel with the program, with their source in ``prior.json``."""
    kept = json.loads((files("recommender.habits") / "prior.json").read_text("utf-8"))
    mean, scale = (np.array([float(kept[part][name]) for name in FEATURES]) for part in ("mean", "scale"))
    return Linear(Scaling(mean, scale), np.array([float(kept["weight"].get(name, 0.0)) for name in TERMS]))


def fit_people(people: Sequence[tuple[Table, NDArray[np.int8], NDArray[np.int64]]]) -> Linear:
    """The weights that several people have in common, each of them counting alike.

    Args:
        people: of each the (N, features), verdicts and sessions.
    """
    scaling = Scaling.of(np.concatenate([table for table, _, _ in people]))
    weight = [session_weights(verdict, session) for _, verdict, session in people]
    weight = [own * (PERSON_PLAYS / own.sum()) for own in weight]
    plain = Linear(scaling, np.zeros(len(TERMS)))
    tables, verdicts, _ = zip(*people, strict=True)
    return fit_linear(np.concatenate(tables), np.concatenate(verdicts), np.concatenate(weight), plain, PEOPLE_PULL)


PERSON_PLAYS, PEOPLE_PULL = 5000.0, 300.0
"""Judged plays that a person counts as among others, and the ridge of what they have in common."""


def prior_document(prior: Linear) -> dict[str, dict[str, float]]:
    """The prior as ``prior.json`` keeps it."""
    columns = ((FEATURES, prior.scaling.mean), (FEATURES, prior.scaling.scale), (TERMS, prior.weights))
    return {
        part: dict(zip(names, values.round(DIGITS).tolist(), strict=True))
        for part, (names, values) in zip(("mean", "scale", "weight"), columns, strict=True)
    }


DIGITS = 4


def without_people(prior: Linear) -> Linear:
    """The scaling alone: nothing of other people's weights."""
    return Linear(prior.scaling, np.zeros_like(prior.weights))
