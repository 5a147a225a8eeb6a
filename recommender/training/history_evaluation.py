"""A model measured on a listener's own history beside the baselines: a stored one, or a new one on the gate slice, in a hurry on less.

Free of torch.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines import ARTIST, BASELINES, TrackFacts, build
from recommender.evaluation.bootstrap import resampling_units
from recommender.evaluation.calibrated import Calibrated
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.promotion import FEWEST_PAIRS
from recommender.evaluation.protocol import count_pairs, evaluate
from recommender.evaluation.query_states import MOST_ROWS, State
from recommender.evaluation.report import Comparison, Evaluation, compare
from recommender.evaluation.splits import split_at
from recommender.evaluation.verdict import Conclusion, LogFacts, conclude, log_facts
from recommender.events import EventLog, TimeSplit, split_by_time
from recommender.interfaces import Context, Recommender
from recommender.models.model_card import Model
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.plain_scorers import ArtistScorer
from recommender.models.station_scorer import UNTRAINED, AsServed

GATE_SHARES = (0.15, 0.2, 0.25, 0.3)
"""The gate is the newest 15 % of the history, or as much more as it takes to hold enough pairs."""
MODEL = "model"
"""What tables call the model that is measured."""
ONE_LISTENER = tuple(name for name, baseline in BASELINES.items() if not baseline.needs_crowd and name != ARTIST)
"""Baselines that know something from one listener's history; artists stand beside as a station by them would serve."""
GATE = tuple(name for name, baseline in BASELINES.items() if baseline.at_gate)
"""Those that a new model is judged by."""
COMPARED = (Measure.PAIR_AUC, Measure.NDCG, Measure.BRIER)
"""Order, the top of the list, and probabilities: one measure of each is compared in pairs."""


def split_with_pairs(log: EventLog) -> TimeSplit:
    """Cut the log in time, the gate growing from 15 % to at most 30 % until it holds enough pairs to compare on."""
    for share in GATE_SHARES:
        split = split_by_time(log, validation_share=GATE_SHARES[0], gate_share=share)
        if count_pairs(split.gate) >= FEWEST_PAIRS:
            return split
    return split_by_time(log, validation_share=GATE_SHARES[0], gate_share=GATE_SHARES[0])


@dataclass(frozen=True, slots=True)
class ListenerReport:
    """An evaluation of one listener's log, and what follows from it.

    Attributes:
        evaluation: figures and the values behind them.
        subject: whom it is about: the trained model, or the untrained player where there is none.
        facts: of the whole log.
        test_from: seconds on the log's clock, the first event measured on; None without any.
        comparisons: of the subject with every baseline, on each of :data:`COMPARED`.
        conclusion: what may be said.
        left_out: why baselines of the registry do not stand beside, a sentence.
    """

    evaluation: Evaluation
    subject: str
    facts: LogFacts
    test_from: float | None
    comparisons: tuple[Comparison, ...]
    conclusion: Conclusion
    left_out: str


def baseline_recommenders(catalogue: Catalogue, seed: int = 0, names: Sequence[str] = GATE) -> list[Recommender]:
    """Baselines for one listener, chance first; the last is the player itself without any training."""
    plain = [build(name, TrackFacts(catalogue.vectors), seed=seed) for name in names]
    artists = [] if catalogue.artist is None else [AsServed(catalogue, None, ARTIST, ArtistScorer)]
    return [*plain, *artists, AsServed(catalogue, None, UNTRAINED)]


def evaluate_listener(
    model: Model | None,
    log: EventLog,
    catalogue: Catalogue,
    artist: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> ListenerReport:
    """Measure a model, or the untrained player where there is none, and say what may be concluded.

    The model is measured on every event newer than those it has seen, the untrained player on the newest slice. All state
    probabilities, by a curve fitted on what came just before
    (:mod:`recommender.evaluation.calibrated`).

    Args:
        model: the trained model, if any.
        log: the listener's whole history.
        catalogue: the log's tracks.
        artist: (n,) codes of the tracks' artists, negative where unknown.
        seed: of the random baseline and the bootstrap.

    Raises:
        ValueError: when the model was trained on other vectors than the catalogue's.
    """
    recommenders, subject = baseline_recommenders(catalogue, seed, ONE_LISTENER), UNTRAINED
    if model is not None:
        recommenders, subject = [AsServed(catalogue, ModelScorer(model, catalogue), MODEL), *recommenders], MODEL
    validation_from, test_from = _moments(model, log)
    evaluation = evaluate(
        [Calibrated(recommender) for recommender in recommenders],
        split_at(log, test_from, validation_from),
        state=State.WALKING,
        content=catalogue.vectors,
        artist=artist,
        seed=seed,
    )
    facts = log_facts(log)
    rivals = [name for name in evaluation.models if name != subject]
    tested = np.flatnonzero(log.judged & (log.time >= test_from))[-MOST_ROWS:]
    units = resampling_units(log.listener[tested], log.time[tested])
    return ListenerReport(
        evaluation=evaluation,
        subject=subject,
        facts=facts,
        test_from=float(log.time[tested[0]]) if len(tested) else None,
        comparisons=tuple(each for measure in COMPARED for each in compare(evaluation, subject, rivals, measure)),
        conclusion=conclude(evaluation, subject, facts, len(np.unique(units))),
        left_out=_left_out(),
    )


def _moments(model: Model | None, log: EventLog) -> tuple[float, float]:
    """Where validation and test begin: the test with the first event that the model has not seen, else with the gate.

    The validation lies within the part that stopped the model's training and fitted its blend, so that no curve is
    fitted to scores of rows the model was trained on.
    """
    if len(log) == 0:
        return np.inf, np.inf
    seen_until = None if model is None else model.card.seen_until
    test_from = float(split_with_pairs(log).gate.time[0] if seen_until is None else np.nextafter(seen_until, np.inf))
    past = log.time[log.time < test_from]
    if len(past) == 0:
        return test_from, test_from
    share = GATE_SHARES[0] / (1.0 - GATE_SHARES[0])
    return float(past[min(len(past) - 1, math.ceil(len(past) * (1.0 - share)))]), test_from


def _left_out() -> str:
    others = [name for name, baseline in BASELINES.items() if baseline.needs_crowd]
    return f"{', '.join(others)}: they learn from what different people like, and this log is one person's"


LIVE = "live model"
HURRIED_ROWS = 60
"""Newest rows that are measured on when the listener asked to come to an end: a second or two, and still a comparison."""


class _StoppedError(Exception):
    """Measuring was asked to end."""


@dataclass(frozen=True, slots=True)
class GateMeasurement:
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
    log: EventLog,
    gate_from: float,
    seed: int,
    on_step: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> GateMeasurement:
    """Measure a model, the live one and baselines on the gate rows that neither model has seen.

    Args:
        scorer: the new model, over its catalogue.
        live: the model in use, if any.
        log: the whole history.
        gate_from: seconds, on the log's clock; where the gate slice begins.
        seed: of the random baseline and the bootstrap.
        on_step: told (states scored, states in all).
        should_stop: asked before every state; a yes leaves it at the newest ``HURRIED_ROWS``.
    """
    catalogue = scorer.catalogue
    models: list[Recommender] = [AsServed(catalogue, scorer, MODEL)]
    if live is not None:
        models.append(AsServed(catalogue, ModelScorer(live, catalogue), LIVE))
        gate_from = max(gate_from, float(np.nextafter(live.card.seen_until, np.inf)))
    recommenders = [*models, *baseline_recommenders(catalogue, seed)]
    rows = min(MOST_ROWS, int(np.count_nonzero(log.judged & (log.time >= gate_from))))

    def measured(recommenders: Sequence[Recommender], most_rows: int) -> Evaluation:
        split = split_at(log, gate_from)
        return evaluate(
            recommenders, split, state=State.WALKING, content=catalogue.vectors, seed=seed, most_rows=most_rows
        )

    if not should_stop():
        counted = _Counter(len(recommenders) * rows, on_step, should_stop)
        try:
            whole = measured([_Watched(each, counted) for each in recommenders], MOST_ROWS)
            return GateMeasurement(whole, hurried=False)
        except _StoppedError:
            pass
    return GateMeasurement(measured(recommenders, HURRIED_ROWS), hurried=True)


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
