"""Measuring a new model on the gate slice, beside what serves now and beside baselines; and in a hurry on less."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import MOST_ROWS, State
from recommender.evaluation.report import Evaluation
from recommender.evaluation.splits import split_at
from recommender.events import EventLog
from recommender.interfaces import Context, Recommender
from recommender.models.model_card import Model
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import AsServed
from recommender.training.history_evaluation import MODEL, baseline_recommenders
from recommender.training.material import Material

LIVE = "live model"
HURRIED_ROWS = 60
"""Newest rows that are measured on when the listener asked to come to an end: a second or two, and still a comparison."""


class _StoppedError(Exception):
    """Measuring was asked to end."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured.

    Attributes:
        evaluation: of the model, the live one where there is one, and baselines.
        hurried: whether only the newest rows were measured on.
    """

    evaluation: Evaluation
    hurried: bool


def measure_beside(
    scorer: ModelScorer,
    live: Model | None,
    material: Material,
    seed: int,
    on_step: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Measurement:
    """Measure a model, the live one and baselines on the gate rows that neither model has seen.

    Args:
        scorer: the new model, over its catalogue.
        live: the model in use, if any.
        material: what it was trained from.
        seed: of the random baseline and the bootstrap.
        on_step: told (states scored, states in all).
        should_stop: asked before every state; a yes leaves it at the newest ``HURRIED_ROWS``.
    """
    catalogue, gate_from = scorer.catalogue, float(material.split.gate.time[0])
    models: list[Recommender] = [AsServed(catalogue, scorer, MODEL)]
    if live is not None:
        models.append(AsServed(catalogue, ModelScorer(live, catalogue), LIVE))
        gate_from = max(gate_from, float(np.nextafter(live.card.seen_until, np.inf)))
    recommenders = [*models, *baseline_recommenders(catalogue, seed)]
    rows = min(MOST_ROWS, int(np.count_nonzero(material.log.judged & (material.log.time >= gate_from))))

    def measured(recommenders: Sequence[Recommender], most_rows: int) -> Evaluation:
        split = split_at(material.log, gate_from)
        return evaluate(
            recommenders, split, state=State.WALKING, content=catalogue.vectors, seed=seed, most_rows=most_rows
        )

    if not should_stop():
        counted = _Counter(len(recommenders) * rows, on_step, should_stop)
        try:
            whole = measured([_Watched(each, counted) for each in recommenders], MOST_ROWS)
            return Measurement(whole, hurried=False)
        except _StoppedError:
            pass
    return Measurement(measured(recommenders, HURRIED_ROWS), hurried=True)


class _Counter:
    """Counts states scored, tells of them, and ends the measuring when asked to."""

    def __init__(self, states: int, on_step: Callable[[int, int], None], should_stop: Callable[[], bool]) -> None:
        self._states, self._on_step, self._should_stop = max(states, 1), on_step, should_stop
        self._done = 0

    def count(self) -> None:
        """One more."""
        if self._should_stop():
            raise _StoppedError
        self._done = min(self._done + 1, self._states)
        self._on_step(self._done, self._states)


class _Watched:
    """A recommender whose every answer is counted; else as it is."""

    def __init__(self, recommender: Recommender, counter: _Counter) -> None:
        self._recommender, self._counter = recommender, counter

    def __getattr__(self, name: str) -> object:
        return getattr(self._recommender, name)

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._recommender.name

    def fit(self, log: EventLog) -> None:
        """As the recommender does."""
        self._recommender.fit(log)

    def score(self, context: Context) -> NDArray[np.float32]:
        """As the recommender has it."""
        self._counter.count()
        return self._recommender.score(context)

    def explain(self, context: Context, track: int) -> str:
        """As the recommender has it."""
        return self._recommender.explain(context, track)
