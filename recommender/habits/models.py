"""The models of what one listener hears out: plain habits as baselines, and the one that the player serves.

All learn from rows of :func:`recommender.habits.features.walk` and score rows of it; higher is better.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.habits.features import DAY, FEATURES, HOUR, INDEX
from recommender.habits.linear import LEARNED, Linear, fit_linear, session_weights, shipped_prior, without_people
from recommender.habits.plays import Plays

Floats = NDArray[np.float64]
Table = NDArray[np.float32]
Bools = NDArray[np.bool_]

PLAYER = "player"
HABITS = (
    "track_alone",
    "track_rate",
    "artist_rate",
    "track_rate_30d",
    "track_newest",
    "track_plays",
    "track_verdicts",
    "artist_verdicts",
    "track_since",
    "artist_since",
    "track_since_liked",
)
"""The eleven features of plain habit: rates with shrinkage, one that fades, the last verdict, counts, times since."""
_HABIT_COLUMNS = np.array([INDEX[name] for name in HABITS])
FEWEST_OF_A_KIND = 5
HOURS = 24
HOUR_STRENGTH = 20.0
"""Verdicts of the whole day that an hour's rate counts as."""


@dataclass(frozen=True, slots=True)
class HabitMaterial:
    """One listener's plays, and what was known at each.

    Attributes:
        plays: in time order.
        table: (N, features) of :func:`recommender.habits.features.walk`.
        past: (N,) which are learned from.
    """

    plays: Plays
    table: Table
    past: Bools

    @property
    def judged(self) -> NDArray[np.int64]:
        """The plays of the past with a verdict."""
        return np.flatnonzero(self.past & (self.plays.verdict != 0))

    @property
    def one_sided(self) -> bool:
        """Whether the past holds hardly any plays heard out, or hardly any skipped."""
        liked = self.plays.verdict[self.judged] > 0
        return bool(min(np.count_nonzero(liked), np.count_nonzero(~liked)) < FEWEST_OF_A_KIND)


Scores = Callable[[HabitMaterial, Linear, int], Floats]
"""From a material, the weights of other people and a seed, the score (N,) of each play, learned from the past alone."""


def fit_player(material: HabitMaterial, prior: Linear | None = None, *, state: bool = False) -> Linear:
    """Fit what the player serves on the past.

    In it the two verdicts of a session weigh the same.

    Args:
        material: plays and features.
        prior: weights of other people; those that travel with the program where it is left out. They fade with the plays there
            are; of a history that holds hardly any of one kind they are the model.
        state: whether the listener's state is an input while learning.
    """
    prior, rows = prior or shipped_prior(), material.judged
    if material.one_sided:
        return prior
    table, verdict = material.table[rows], material.plays.verdict[rows]
    faded = Linear(prior.scaling, prior.weights * (PEOPLE_PLAYS / (PEOPLE_PLAYS + len(rows))))
    weight = session_weights(verdict, material.plays.session[rows])
    return fit_linear(table, verdict, weight, faded, inputs=np.ones_like(LEARNED) if state else LEARNED)


PEOPLE_PLAYS = 300.0
"""Own plays with a verdict that other people's weights are worth."""


def _column(name: str) -> Scores:
    return lambda material, _prior, _seed: material.table[:, INDEX[name]].astype(np.float64)


def _player(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
    return fit_player(material, prior).score(material.table)


def _with_state(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
    return fit_player(material, prior, state=True).score(material.table)


def _without_prior(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
    return fit_player(material, without_people(prior)).score(material.table)


def _unbalanced(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
    if material.one_sided:
        return prior.score(material.table)
    rows = material.judged
    fitted = fit_linear(material.table[rows], material.plays.verdict[rows], np.ones(len(rows)), without_people(prior))
    return fitted.score(material.table)


def _without(*left_out: str) -> Scores:
    """The served model blind to some features."""

    def score(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
        table = material.table.copy()
        for name in FEATURES:
            if any(part in name for part in left_out):
                table[:, INDEX[name]] = prior.scaling.mean[INDEX[name]]
        return fit_player(replace(material, table=table), prior).score(table)

    return score


def _others(material: HabitMaterial, prior: Linear, _seed: int) -> Floats:
    return prior.score(material.table)


def _random(material: HabitMaterial, _prior: Linear, seed: int) -> Floats:
    return np.random.default_rng(seed).random(len(material.plays))


def _by_hand(material: HabitMaterial, _prior: Linear, _seed: int) -> Floats:
    return material.plays.chosen.astype(np.float64)


def _hour(material: HabitMaterial, _prior: Linear, _seed: int) -> Floats:
    hour = (material.plays.moment % DAY // HOUR).astype(np.int64)
    rows = material.judged
    liked = material.plays.verdict[rows] > 0
    up, both = np.bincount(hour[rows], liked, HOURS), np.bincount(hour[rows], minlength=HOURS)
    level = liked.mean() if len(rows) else 0.5
    return ((up + HOUR_STRENGTH * level) / (both + HOUR_STRENGTH))[hour]


def _habits(material: HabitMaterial, _prior: Linear, _seed: int) -> Floats:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - slow to import, and only jobs fit

    known = np.nan_to_num(material.table[:, _HABIT_COLUMNS], nan=NEVER_HEARD_HOURS)
    rows = material.judged
    if material.one_sided:
        return known[:, 0].astype(np.float64)
    spread = known[rows].std(axis=0) + 1e-6
    design = (known - known[rows].mean(axis=0)) / spread
    model: Any = LogisticRegression(max_iter=500).fit(design[rows], material.plays.verdict[rows] > 0)
    return np.asarray(model.decision_function(design), np.float64)


NEVER_HEARD_HOURS = 12.0
"""What stands for the log of the hours since a play that never was: longer than any."""


def _habits_gbm(material: HabitMaterial, _prior: Linear, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - slow to import, and only jobs fit

    table, rows = material.table[:, _HABIT_COLUMNS], material.judged
    if material.one_sided:
        return table[:, 0].astype(np.float64)
    table = table[:, np.isfinite(table[rows]).any(axis=0)]  # of tracks never heard again nothing is known that fades
    model: Any = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_ROWS,
        l2_regularization=RIDGE,
        early_stopping=False,  # pyright: ignore[reportArgumentType] - documented as "auto" or a bool
        random_state=seed,
    )
    model.fit(table[rows], material.plays.verdict[rows] > 0)
    return np.asarray(model.decision_function(table), np.float64)


ROUNDS, RATE, LEAVES, LEAST_ROWS, RIDGE = 100, 0.06, 15, 40, 5.0
"""Trees, learning rate, leaves of a tree, plays of a leaf and L2: small trees, for a person's log is small and noisy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the roster: how it scores, and whether it draws random numbers."""

    score: Scores
    seeded: bool = False


MODELS: Mapping[str, Entry] = MappingProxyType(
    {
        "random": Entry(_random, seeded=True),
        "play-count": Entry(_column("track_plays")),
        "by-hand": Entry(_by_hand),
        "hour-of-day": Entry(_hour),
        "last-five": Entry(_column("last_5")),
        "artist-rate": Entry(_column("artist_rate")),
        "track-rate": Entry(_column("track_alone")),
        "track-artist-rate": Entry(_column("track_rate")),
        "habits": Entry(_habits),
        "habits-gbm": Entry(_habits_gbm),
        PLAYER: Entry(_player),
    }
)
"""By name, in the order of tables."""
ABLATIONS: Mapping[str, Entry] = MappingProxyType(
    {
        "others": Entry(_others),
        "player-own": Entry(_without_prior),
        "player-state": Entry(_with_state),
        "player-unbalanced": Entry(_unbalanced),
        "player-no-beyond": Entry(_without("beyond")),
        "player-no-accord": Entry(_without("accord")),
        "player-no-fading": Entry(_without("_1d", "_7d", "_30d", "_120d")),
        "player-no-since": Entry(_without("since")),
        "player-no-artist": Entry(_without("artist_", "album_")),
    }
)
"""Parts of the served model, measured by name or by ``ablations``."""
KNOWN: Mapping[str, Entry] = MappingProxyType({**MODELS, **ABLATIONS})
