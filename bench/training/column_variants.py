"""One listener's model as served, and the same model with columns of its blend left out and the weights fitted anew.

A column is left out by making it the same for every track: it then orders nothing, and the fit – the player's own, with its ridge, scale and
loudness – gives its work to the others as far as they can do it. The trained parts stay as they are, and so does the pull of the seeds
(``recommender.models.station_scorer.STATION_PULL``), which is no column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.simulation.policies import PLAYERS_OWN
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import split_at
from recommender.events import EventLog
from recommender.interfaces import Context
from recommender.models.blend import Blend, Component
from recommender.models.model_card import Model
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.station_scorer import STATION_PULL, UNTRAINED, AsServed, LiveScorer
from recommender.training.history_evaluation import split_with_pairs
from recommender.training.retraining import retrain
from recommender.training.tuning import fit_model_blend

TEST_SHARE = 0.2
"""The newest fifth of a log, which nothing has learned from."""
MEASURES = (Measure.PAIR_AUC, Measure.AUROC)
"""The project's own, which scores both tracks of a pair in the state before the earlier, and one that scores each in its own state: the rest of
a track is that of the moment it was played in the second alone."""
SILENT = 1e-12
"""Prior variance at which the running update says the same of every track, to the last digit of a score."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A blend of some of the columns; the name is its line in the table."""

    name: str
    left_out: frozenset[Component]


REPETITION = frozenset({Component.LIKING, Component.HEARD, Component.REST, Component.PLAYS, Component.HABIT})
ALL = Variant("all columns", frozenset())
ALONE = Variant("running update alone", frozenset(Component) - {Component.HEAD})
WITH_REPETITION = Variant("running update + repetition", frozenset(Component) - REPETITION - {Component.HEAD})
LEFT_OUT = (
    Variant("− repetition", REPETITION),
    Variant("− verdict on the track", frozenset({Component.LIKING})),
    Variant("− habits", frozenset({Component.HABIT})),
    Variant("− heard, rest, plays", REPETITION - {Component.LIKING, Component.HABIT}),
    Variant("− likeness to the seeds", frozenset({Component.SEED})),
    Variant("− taste (CLEP)", frozenset({Component.CLEP})),
    Variant("− sequence", frozenset({Component.SEQUENCE})),
    Variant("− running update", frozenset({Component.HEAD})),
)
VARIANTS = (ALL, *LEFT_OUT, ALONE, WITH_REPETITION)
COMPARED = (
    *((ALL.name, name) for name in (*(each.name for each in VARIANTS[1:]), UNTRAINED)),
    (WITH_REPETITION.name, ALONE.name),
)
"""Differences that are shown; above 0, what the second does without pays."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One listener.

    Attributes:
        seed: who.
        rows, tested: labelled events in all, and of the newest fifth those that are measured on.
        repeats: share of the tested events that are about a track played before.
        promoted: whether the player's gate would have let the model serve.
        fitted: rows that the blend with all columns was fitted on; 0 when the prior weights were kept.
        weights: of that blend, in the order of :class:`recommender.models.blend.Component`.
        figures: by variant and measure; None where there is no pair.
    """

    seed: int
    rows: int
    tested: int
    repeats: float
    promoted: bool
    fitted: int
    weights: tuple[float, ...]
    figures: dict[str, dict[str, float | None]]


class Without(ModelScorer):
    """A model that keeps some of its columns from its blend; the running update is not the model's to keep."""

    left_out: frozenset[Component] = frozenset()

    def columns(self, history: EventLog, station: int, now: float) -> NDArray[np.float32]:
        """As the model has them, those left out 0 for every track."""
        columns = super().columns(history, station, now)
        columns[:, sorted(self.left_out)] = 0.0
        return columns


class Shared:
    """The columns in each state, computed once for all variants of one listener's model."""

    def __init__(self, model: Model, catalogue: Catalogue) -> None:
        self._scorer = LiveScorer(catalogue, ModelScorer(model, catalogue))
        self._known: dict[int, NDArray[np.float32]] = {}

    def columns(self, context: Context) -> NDArray[np.float32]:
        """(n, columns) in the state of a context; not to be written to."""
        events = len(context.history)
        if events not in self._known:
            self._known[events] = self._scorer.columns(context.history, context.station, context.time)
        return self._known[events]


class Served:
    """A recommender with the player's score of a blend (:meth:`recommender.models.station_scorer.LiveScorer.scores`), a column left out weighing 0."""

    def __init__(self, variant: Variant, blend: Blend, shared: Shared, catalogue: Catalogue) -> None:
        self.name = variant.name
        weights = [0.0 if column in variant.left_out else blend.weights[column] for column in Component]
        self.blend = replace(blend, weights=tuple(weights))
        self._shared, self._catalogue = shared, catalogue

    def fit(self, log: EventLog) -> None:
        """It is fitted already."""

    def score(self, context: Context) -> NDArray[np.float32]:
        """Logits (n,): the blend, and the pull of the seeds."""
        pull = STATION_PULL * self._catalogue.similarity(context.station)
        return pull + self.blend.contributions(self._shared.columns(context)).sum(axis=1)

    def explain(self, context: Context, track: int) -> str:
        """State the score."""
        return f"{self.score(context)[track]:+.2f}"


def fitted(model: Model, catalogue: Catalogue, past: EventLog, variant: Variant) -> Blend:
    """The blend of the variant's columns, fitted as ``retrain`` fits one; of all columns it is the model's own."""
    if not variant.left_out:
        return model.card.blend
    if Component.HEAD in variant.left_out:
        silent = replace(model.card.update, weight_variance=SILENT)
        model = Model(replace(model.card, update=silent), model.arrays)
    scorer = Without(model, catalogue)
    scorer.left_out = variant.left_out
    return fit_model_blend(scorer, past, split_with_pairs(past), model.card.configuration.seed)


def measure_variants(
    log: EventLog, catalogue: Catalogue, seed: int, variants: Sequence[Variant] = VARIANTS
) -> Measured:
    """Train on a listener's past as the player does, and measure every variant on the newest fifth.

    Args:
        log: one listener's.
        catalogue: its tracks and stations.
        seed: the listener's, and that of the training.
        variants: of the blend.

    Raises:
        ValueError: the past holds too little to train on.
    """
    test_from = float(log.time[int(len(log) * (1.0 - TEST_SHARE))])
    past = log.where(log.time < test_from)
    result = retrain(past, catalogue, replace(PLAYERS_OWN, seed=seed), None, lambda _progress: None, lambda: False)
    if result.model is None:
        raise ValueError(f"listener {seed} has too little behind them: {'; '.join(result.missing)}")
    model, shared = result.model, Shared(result.model, catalogue)
    served = [Served(each, fitted(model, catalogue, past, each), shared, catalogue) for each in variants]
    split = split_at(log, test_from)
    report = evaluate(
        [*served, AsServed(catalogue, None, UNTRAINED)], split, state=State.WALKING, measures=MEASURES, resamples=1
    ).report
    tested = np.flatnonzero(log.judged & (log.time >= test_from))
    return Measured(
        seed=seed,
        rows=log.positives + log.negatives,
        tested=len(tested),
        repeats=float(np.mean([np.any(log.track[:row] == log.track[row]) for row in tested])),
        promoted=result.promoted,
        fitted=model.card.blend.rows,
        weights=model.card.blend.weights,
        figures={
            each: {which: report.mean(each, which) for which in MEASURES}
            for each in (*(each.name for each in variants), UNTRAINED)
        },
    )
