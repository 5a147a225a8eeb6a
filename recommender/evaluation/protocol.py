"""One protocol for public sets and for the listener's own log: fit on the past, ask about the test, compare in pairs.

Every recommender is fitted on the past (training and validation) of a :class:`splits.Split` and asked in the same
states (:mod:`recommender.evaluation.query_states`). Each listener's rows give one value of each measure; figures are means over listeners,
intervals redraw listeners – or, with fewer than five of them, blocks of their listening.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.aggregate import Gathered, Tally, reasons
from recommender.evaluation.bootstrap import FEWEST_UNITS, RESAMPLES, resample_counts, resampling_units
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metric_runner import (
    SCORED_CELLS,
    Answers,
    Candidates,
    MetricInputs,
    StatesProbability,
    Targets,
    answers_of,
    measure,
    pair_auc_of_groups,
    scores_of,
)
from recommender.evaluation.metrics import EVEN_ODDS, THRESHOLD, prequential_wins, self_information, unit_vectors
from recommender.evaluation.query_states import MEANING, MOST_ROWS, ListenerStates, State, States
from recommender.evaluation.report import Evaluation, Prequential, SplitFacts
from recommender.evaluation.report_builder import Measured, Shares, tabulate
from recommender.evaluation.splits import Part, Split
from recommender.events import EventLog
from recommender.interfaces import Recommender

Floats = NDArray[np.float64]

__all__ = ["Candidates", "Measure", "State", "StopsEarly", "count_pairs", "evaluate"]


@runtime_checkable
class StopsEarly(Protocol):
    """A recommender that is given the validation part apart, to stop its training by or to choose a setting with."""

    def fit_with_validation(self, train: EventLog, validation: EventLog) -> None:
        """Learn from ``train``; ``validation`` may be learned from as well, as it lies before the test."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What is asked of an evaluation; see the arguments of :func:`evaluate`."""

    state: State = State.FROZEN
    measures: Sequence[Measure] | None = None
    content: NDArray[np.float32] | None = None
    artist: NDArray[np.int64] | None = None
    candidates: Candidates = Candidates.CATALOGUE
    seed: int = 0
    resamples: int = RESAMPLES
    most_listeners: int | None = None
    most_rows: int = MOST_ROWS
    on_progress: Callable[[int, int], None] | None = None


def evaluate(
    recommenders: Sequence[Recommender],
    split: Split,
    *,
    state: State = State.FROZEN,
    measures: Sequence[Measure] | None = None,
    content: NDArray[np.float32] | None = None,
    artist: NDArray[np.int64] | None = None,
    candidates: Candidates = Candidates.CATALOGUE,
    seed: int = 0,
    resamples: int = RESAMPLES,
    most_listeners: int | None = None,
    most_rows: int = MOST_ROWS,
    on_progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Fit the recommenders on the past of a split and measure them on its test.

    Args:
        recommenders: with distinct names; trained models take no notice of the fit.
        split: what is past and what is test.
        state: what is input when a test row is predicted.
        measures: which; left out, all that the log and the arguments permit.
        content: (n, d) vectors, NaN rows where unknown, for the distance within lists.
        artist: (n,) codes, for the spread of lists over artists.
        candidates: among what targets are ranked and lists are drawn up.
        seed: of the bootstrap and of the sample of listeners; the same resamples serve all recommenders.
        resamples: how many.
        most_listeners: more are not visited: a sample of this size is, and the report says so.
        most_rows: newest judged test rows of a listener that are predicted at most.
        on_progress: told (listeners done, listeners in all).

    Returns:
        The report, and the values of every listener behind it.

    Raises:
        ValueError: two recommenders of one name; scores that are missing or not finite; a walk through an unordered log.
    """
    plan = EvaluationPlan(
        state, measures, content, artist, candidates, seed, resamples, most_listeners, most_rows, on_progress
    )
    return tabulate(measured(recommenders, split, plan))


def count_pairs(log: EventLog) -> int:
    """How many (+, -) pairs of judged rows of one listener and station a log holds."""
    rows = np.flatnonzero(log.judged)
    if len(rows) == 0:
        return 0
    key = np.stack([log.listener[rows], log.station[rows]])
    group = np.unique(key, axis=1, return_inverse=True)[1].reshape(-1)
    return int(np.bincount(group, log.label[rows] > 0) @ np.bincount(group, log.label[rows] < 0))


def measured(recommenders: Sequence[Recommender], split: Split, plan: EvaluationPlan) -> Measured:
    """Fit, visit every listener, and keep the values."""
    names = tuple(recommender.name for recommender in recommenders)
    if len(set(names)) < len(names):
        raise ValueError(f"two recommenders have the same name: {', '.join(names)}")
    states = States(split, plan.state, plan.most_listeners, plan.most_rows, plan.seed)
    setting = _prepare(recommenders, split, plan)
    measures = _measures(recommenders, split, states, plan)
    row_counts = _row_counts(split.log, states, plan)
    tally, stations = Tally(), int(split.log.station.max(initial=0)) + 1
    cells = [(name, which) for name in names for which in measures if not which.of_the_whole]
    values = {cell: np.full(len(states), np.nan) for cell in cells}
    redrawn: dict[tuple[str, Measure], list[Floats]] = {cell: [] for cell in cells}
    gathered = {name: Gathered(split.log.tracks) for name in names}
    station_auc: dict[str, list[float]] = {name: [] for name in names}
    wins: dict[str, Floats] = {}
    probable = {each.name: each.probability if isinstance(each, StatesProbability) else None for each in recommenders}
    begin = 0
    for place, own, scored in _scored(recommenders, states, split.log.tracks):
        weights = _weights(row_counts, begin, len(own.rows))
        begin += len(own.rows)
        tally.add(own, stations)
        targets = Targets.of(own, setting, weights)
        for recommender in recommenders:
            name = recommender.name
            answers = answers_of(name, scored[name], probable[name], own, split.log.tracks, setting)
            gathered[name].add(place, answers, own, weights)
            for which, figures in measure(answers, targets, setting, measures).items():
                values[name, which][place] = figures[0]
                if len(figures) > 1:
                    redrawn[name, which].append(figures[1:])
            if len(states) < FEWEST_UNITS:
                station_auc[name] += _station_auc(answers, own)
            if len(states) == 1:
                wins[name] = _row_wins(answers, own)
        if plan.on_progress is not None:
            plan.on_progress(place + 1, len(states))
    whole = {name: gathered[name].figures(len(states), plan.resamples, plan.seed) for name in names}
    resampled = {cell: _mean_of_known(parts) for cell, parts in redrawn.items() if parts} | {
        (name, which): figure.resampled
        for name, figures in whole.items()
        for which, figure in figures.items()
        if which in measures and figure.resampled is not None
    }
    return Measured(
        models=names,
        measures=measures,
        listeners=states.listeners,
        values=values,
        whole={
            (name, which): figure.estimate
            for name, figures in whole.items()
            for which, figure in figures.items()
            if which in measures
        },
        resampled=resampled,
        shares=_shares(states, tally, values, station_auc),
        reliability={name: sums for name in names if (sums := gathered[name].reliability()) is not None},
        positives=tally.positives,
        negatives=tally.negatives,
        pairs=tally.pairs,
        with_pairs=tally.with_pairs,
        reasons=reasons(
            tally, content=plan.content is not None, artist=plan.artist is not None, candidates=plan.candidates
        ),
        split=_facts(split, plan.state),
        notes=_notes(split, states, recommenders, plan),
        resamples=plan.resamples,
        seed=plan.seed,
        prequential=Prequential(split.log.time[states.rows], wins) if wins else None,
    )


def _scored(
    recommenders: Sequence[Recommender], states: States, tracks: int
) -> Iterator[tuple[int, ListenerStates, Mapping[str, Iterator[NDArray[np.float32]]]]]:
    """Each listener's place and states, and every recommender's scores from the first of those states on."""
    waiting = iter(enumerate(states))
    for place, own in waiting:
        batch = [(place, own)]
        cells = len(own.contexts) * tracks
        while cells < SCORED_CELLS and (following := next(waiting, None)) is not None:
            batch.append(following)
            cells += len(following[1].contexts) * tracks
        contexts = [context for _, each in batch for context in each.contexts]
        scored = {recommender.name: scores_of(recommender, contexts, tracks) for recommender in recommenders}
        for at, each in batch:
            yield at, each, scored


def _prepare(recommenders: Sequence[Recommender], split: Split, plan: EvaluationPlan) -> MetricInputs:
    """Fit every recommender on the past; what the measures need comes from there as well."""
    past = split.past
    for recommender in recommenders:
        if isinstance(recommender, StopsEarly):
            recommender.fit_with_validation(split.train, split.validation)
        else:
            recommender.fit(past)
    judged = past.label[past.judged]
    return MetricInputs(
        candidates=plan.candidates,
        base_share=float(np.mean(judged > 0)) if len(judged) else EVEN_ODDS,
        units=None if plan.content is None else unit_vectors(plan.content),
        information=self_information(np.bincount(past.track, minlength=past.tracks)),
        artist=plan.artist,
    )


def _measures(
    recommenders: Sequence[Recommender], split: Split, states: States, plan: EvaluationPlan
) -> tuple[Measure, ...]:
    """Those asked for, or all that make sense here."""
    if plan.measures is not None:
        return tuple(dict.fromkeys(plan.measures))
    explicit = split.log.explicit[states.rows]
    senseless: set[Measure] = set()
    if explicit.all() or not explicit.any():
        senseless |= {Measure.PAIR_AUC_EXPLICIT, Measure.PAIR_AUC_IMPLICIT}  # one is the pair AUC, the other nothing
    if not any(isinstance(recommender, StatesProbability) for recommender in recommenders):
        senseless |= {Measure.ECE, Measure.BRIER}
    if plan.content is None:
        senseless.add(Measure.INTRA_LIST_DISTANCE)
    if plan.artist is None:
        senseless.add(Measure.ARTIST_SPREAD)
    return tuple(which for which in Measure if which not in senseless)


def _row_counts(log: EventLog, states: States, plan: EvaluationPlan) -> NDArray[np.float32] | None:
    """(B, R) how often each judged row occurs in each resample, where there are too few listeners to redraw; else None."""
    if len(states) >= FEWEST_UNITS:
        return None
    order = np.argsort(states.rows)  # the log is in time order
    rows = states.rows[order]
    units = np.empty(len(rows), np.int64)
    units[order] = resampling_units(log.listener[rows], log.time[rows])
    return resample_counts(units, plan.resamples, plan.seed)


def _weights(row_counts: NDArray[np.float32] | None, begin: int, rows: int) -> Floats:
    """(1 or 1 + B, rows) ones, then the counts of the resamples."""
    once = np.ones((1, rows))
    return (
        once if row_counts is None else np.concatenate([once, row_counts[:, begin : begin + rows].astype(np.float64)])
    )


def _station_auc(answers: Answers, states: ListenerStates) -> list[float]:
    """Pair AUC of each of the listener's stations that has pairs."""
    once = np.ones((1, len(states.rows)))
    return [float(pair_auc_of_groups(answers.table, states.label, [group], once)[0]) for group in states.groups]


def _row_wins(answers: Answers, states: ListenerStates) -> Floats:
    """(R,) of each row against the earlier ones of its session, else of its station; NaN where none has the other label."""
    known = np.full(len(states.rows), np.nan)
    for group in (*states.groups, *states.sessions):
        found = prequential_wins(answers.table[np.ix_(group, group)], states.label[group])
        known[group] = np.where(np.isfinite(found), found, known[group])
    return known


def _mean_of_known(parts: Sequence[Floats]) -> Floats:
    """Mean (B,) over listeners of those that are defined in a resample."""
    table = np.stack(parts)
    known = np.isfinite(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, table, 0.0).sum(axis=0) / known.sum(axis=0)


def _shares(
    states: States,
    tally: Tally,
    values: Mapping[tuple[str, Measure], Floats],
    station_auc: Mapping[str, list[float]],
) -> Shares:
    """By listener; by station where there are too few listeners to tell anything by."""
    if len(states) >= FEWEST_UNITS:
        auc = {name: found for (name, which), found in values.items() if which is Measure.PAIR_AUC}
        return Shares("listener", states.listeners, np.array(tally.past_share), auc)
    key, first = np.unique(np.array(tally.station_key, np.int64), return_index=True)
    share = np.array(tally.station_share, np.float64)[first]
    return Shares("station", key, share, {name: np.array(found)[first] for name, found in station_auc.items()})


def _facts(split: Split, state: State) -> SplitFacts:
    return SplitFacts(
        name=split.name,
        state=state,
        ordered=split.ordered,
        train=split.count(Part.TRAIN),
        validation=split.count(Part.VALIDATION),
        test=split.count(Part.TEST),
        cold_share=split.cold_share,
        cold_listener_share=split.cold_listener_share,
    )


def _notes(split: Split, states: States, recommenders: Sequence[Recommender], plan: EvaluationPlan) -> tuple[str, ...]:
    notes = [*split.notes, MEANING[plan.state], *states.notes]
    if 0 < len(states) < FEWEST_UNITS:
        notes.append("There are too few listeners to redraw: intervals are over sessions or short runs of rows.")
    if plan.candidates is Candidates.UNHEARD:
        notes.append("Ranks and lists are among tracks the listener has no earlier row about.")
    certain = [recommender.name for recommender in recommenders if isinstance(recommender, StatesProbability)]
    if certain:
        notes.append(
            f"Accuracy, precision, recall and FPR of {', '.join(certain)}: liked from P(like) {THRESHOLD:g} on."
        )
    if len(certain) < len(recommenders):
        notes.append(
            "Accuracy, precision, recall and FPR of scores that are no probabilities: as large a part of the catalogue is "
            "called liked as the listener liked of what went before."
        )
    return tuple(notes)
