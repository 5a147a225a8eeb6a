"""One protocol for every log: walk through the newest slice, score before each event, measure, redraw, compare.

For each labelled event of the slice every recommender scores all tracks in the state before it (the listener's
events of earlier moments). Pair AUC compares a liked with a disliked track of the same listener and station, both
scored in the state before the earlier of the two; ranks are among the whole catalogue; exposures are the ten best
tracks in each state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.base import Context, Recommender
from recommender.evaluation.bootstrap import RESAMPLES, Interval, interval, resample_counts, resampling_units
from recommender.evaluation.metrics import coverage, full_rank, gini, same_state_wins, top
from recommender.events import EventLog

Floats = NDArray[np.float32]

EXPOSED = 10
"""Tracks of each state that count as recommended."""
MOST_ROWS = 1000
"""Newest labelled rows that are walked through; more narrow no interval that matters and take minutes."""
DIVERSITY_RESAMPLES = 200
"""Gini and coverage cost a pass over the catalogue for each resample, and vary little."""


class Measure(StrEnum):
    """What is measured."""

    PAIR_AUC = "pair AUC"
    MRR_POSITIVE = "MRR +"
    MRR_NEGATIVE = "MRR -"
    NDCG = "NDCG@10"
    GINI = "Gini@10"
    COVERAGE = "coverage@10"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one recommender; without bounds when there was too little to redraw."""

    model: str
    metric: Measure
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """A table of figures and what it rests on.

    Attributes:
        rows: one for each recommender and measure that could be computed.
        positives, negatives: labelled rows of the slice that was walked through.
        pairs: (+, -) pairs of one listener and station.
        omitted: for each measure that is missing, why.
    """

    rows: tuple[Row, ...]
    positives: int
    negatives: int
    pairs: int
    omitted: tuple[str, ...]

    def mean(self, model: str, metric: Measure) -> float | None:
        """One figure of the table, or None when it is not there."""
        return next((row.mean for row in self.rows if row.model == model and row.metric == metric), None)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report, and the resampled pair AUCs (B,) behind it, which compare two recommenders pair by pair."""

    report: Report
    auc_resamples: dict[str, NDArray[np.float32] | None]


@dataclass(frozen=True, slots=True)
class _Slice:
    """The labelled rows that are walked through, in time order, over the log they are part of."""

    log: EventLog
    rows: NDArray[np.int64]

    @property
    def label(self) -> NDArray[np.int8]:
        return self.log.label[self.rows]

    def groups(self) -> list[NDArray[np.int64]]:
        """Places in ``rows`` of one listener on one station, each group in time order and with both labels."""
        key = np.stack([self.log.listener[self.rows], self.log.station[self.rows]])
        group = np.unique(key, axis=1, return_inverse=True)[1].reshape(-1)
        order = np.argsort(group, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
        return [part for part in parts if len(np.unique(self.label[part])) > 1]

    def contexts(self) -> Iterator[Context]:
        """The situation before each row."""
        own = {int(who): self.log.where(self.log.listener == who) for who in np.unique(self.log.listener[self.rows])}
        for row in self.rows:
            listener, time = int(self.log.listener[row]), float(self.log.time[row])
            earlier = int(np.searchsorted(own[listener].time, time, side="left"))
            yield Context(listener, int(self.log.station[row]), time, own[listener].first(earlier))


@dataclass(frozen=True, slots=True)
class _Walk:
    """What one recommender said: score of each group's tracks in each state, ranks (G,), exposures (G, EXPOSED)."""

    scores: dict[int, Floats]
    rank: Floats
    exposed: NDArray[np.int64]


def count_pairs(log: EventLog) -> int:
    """How many (+, -) pairs of judged rows of one listener and station a log holds."""
    rows = np.flatnonzero(log.judged)
    if len(rows) == 0:
        return 0
    key = np.stack([log.listener[rows], log.station[rows]])
    group = np.unique(key, axis=1, return_inverse=True)[1].reshape(-1)
    return int(np.bincount(group, log.label[rows] > 0) @ np.bincount(group, log.label[rows] < 0))


def evaluate(
    recommenders: Sequence[Recommender],
    log: EventLog,
    gate_from: float,
    seed: int = 0,
    resamples: int = RESAMPLES,
    most_rows: int = MOST_ROWS,
) -> Evaluation:
    """Fit the recommenders on what lies before a moment and measure them on what comes after.

    Args:
        recommenders: with distinct names; trained models take no notice of the fit.
        log: the whole history.
        gate_from: seconds, on the log's clock; rows from here on are the slice that is measured on.
        seed: of the bootstrap; the same resamples serve all recommenders.
        resamples: how many.
        most_rows: the newest labelled rows that are used at most.

    Returns:
        The table and the resampled AUCs.
    """
    before = log.where(log.time < gate_from)
    for recommender in recommenders:
        recommender.fit(before)
    labelled = np.flatnonzero((log.time >= gate_from) & log.judged)[-most_rows:]
    gate = _Slice(log, labelled)
    groups = gate.groups()
    walks = _walk(recommenders, gate, groups)
    counts = resample_counts(resampling_units(log.listener[labelled], log.time[labelled]), resamples, seed)
    rows: list[Row] = []
    auc_resamples: dict[str, NDArray[np.float32] | None] = {}
    for recommender, walk in zip(recommenders, walks, strict=True):
        auc, auc_resamples[recommender.name] = _pair_auc(gate, groups, walk, counts)
        figures = {Measure.PAIR_AUC: auc} | _rank_figures(gate, walk, counts) | _diversity(gate, walk, counts)
        rows += [
            Row(recommender.name, measure, figure.mean, figure.low, figure.high)
            for measure, figure in figures.items()
            if figure is not None
        ]
    report = Report(
        rows=tuple(rows),
        positives=int((gate.label > 0).sum()),
        negatives=int((gate.label < 0).sum()),
        pairs=sum(int((gate.label[g] > 0).sum() * (gate.label[g] < 0).sum()) for g in groups),
        omitted=_omissions(gate, groups),
    )
    return Evaluation(report, auc_resamples)


def _omissions(gate: _Slice, groups: list[NDArray[np.int64]]) -> tuple[str, ...]:
    reasons: list[str] = []
    if not groups:
        reasons.append(f"{Measure.PAIR_AUC}: the newest feedback holds no liked and disliked track of one station")
    if not np.any(gate.label > 0):
        reasons.append(f"{Measure.MRR_POSITIVE} and {Measure.NDCG}: the newest feedback holds no like")
    if not np.any(gate.label < 0):
        reasons.append(f"{Measure.MRR_NEGATIVE}: the newest feedback holds no dislike")
    if len(gate.rows) == 0:
        reasons.append(f"{Measure.GINI} and {Measure.COVERAGE}: there is no newest feedback")
    return tuple(reasons)


def _walk(recommenders: Sequence[Recommender], gate: _Slice, groups: list[NDArray[np.int64]]) -> list[_Walk]:
    """Let every recommender score the state before every row."""
    count, shown = len(gate.rows), min(EXPOSED, gate.log.tracks)
    walks = [
        _Walk(
            {g: np.zeros((len(places), len(places)), np.float32) for g, places in enumerate(groups)},
            np.zeros(count, np.float32),
            np.zeros((count, shown), np.int64),
        )
        for _ in recommenders
    ]
    group_of = {int(place): (g, i) for g, places in enumerate(groups) for i, place in enumerate(places)}
    tracks_of = [gate.log.track[gate.rows[places]] for places in groups]
    for place, context in enumerate(gate.contexts()):
        track = int(gate.log.track[gate.rows[place]])
        for recommender, walk in zip(recommenders, walks, strict=True):
            scores = recommender.score(context)
            walk.rank[place] = full_rank(scores, track)
            walk.exposed[place] = top(scores, shown)
            if place in group_of:
                g, i = group_of[place]
                walk.scores[g][i] = scores[tracks_of[g]]
    return walks


def _pair_auc(
    gate: _Slice, groups: list[NDArray[np.int64]], walk: _Walk, counts: Floats | None
) -> tuple[Interval | None, NDArray[np.float32] | None]:
    """Mean over listeners of their pair AUC, and the same in each resample."""
    if not groups:
        return None, None
    once = np.ones((1, len(gate.rows)), np.float32)
    estimate = float(_weighted_auc(gate, groups, walk, once)[0])
    resampled = None if counts is None else _weighted_auc(gate, groups, walk, counts)
    return interval(estimate, resampled), resampled


def _weighted_auc(gate: _Slice, groups: list[NDArray[np.int64]], walk: _Walk, counts: Floats) -> NDArray[np.float32]:
    """Mean pair AUC (B,) when row i occurs counts[:, i] times; NaN where a resample holds no pair."""
    listeners = sorted({int(gate.log.listener[gate.rows[places[0]]]) for places in groups})
    index = {listener: i for i, listener in enumerate(listeners)}
    won = np.zeros((len(listeners), len(counts)), np.float64)
    pairs = np.zeros_like(won)
    drawn = np.zeros_like(won)
    for g, places in enumerate(groups):
        i, label = index[int(gate.log.listener[gate.rows[places[0]]])], gate.label[places]
        wins = same_state_wins(walk.scores[g], label)
        plus, minus = counts[:, places[label > 0]], counts[:, places[label < 0]]
        won[i] += ((plus @ wins) * minus).sum(axis=1)
        pairs[i] += plus.sum(axis=1) * minus.sum(axis=1)
        drawn[i] = np.maximum(drawn[i], counts[:, places].mean(axis=1))
    weight = np.where(pairs > 0, drawn, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        auc = np.where(pairs > 0, won / pairs, 0.0)
        return ((weight * auc).sum(axis=0) / weight.sum(axis=0)).astype(np.float32)


def _rank_figures(gate: _Slice, walk: _Walk, counts: Floats | None) -> dict[Measure, Interval | None]:
    reciprocal = 1.0 / walk.rank if len(walk.rank) else walk.rank
    gain = np.where(walk.rank <= EXPOSED, 1.0 / np.log2(1.0 + walk.rank), 0.0)
    return {
        Measure.MRR_POSITIVE: _mean_over(reciprocal, gate.label > 0, counts),
        Measure.MRR_NEGATIVE: _mean_over(reciprocal, gate.label < 0, counts),
        Measure.NDCG: _mean_over(gain, gate.label > 0, counts),
    }


def _mean_over(values: NDArray[np.floating], mask: NDArray[np.bool_], counts: Floats | None) -> Interval | None:
    """Mean of the values where ``mask`` holds, with its bounds."""
    if not mask.any():
        return None
    resampled = None
    if counts is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            resampled = counts[:, mask] @ values[mask] / counts[:, mask].sum(axis=1)
    return interval(float(values[mask].mean()), resampled)


def _diversity(gate: _Slice, walk: _Walk, counts: Floats | None) -> dict[Measure, Interval | None]:
    """Gini and coverage of all exposures over the whole catalogue, zeros included.

    A resample repeats some states and lacks others, so it always looks less diverse than the sample; its figures
    are moved so that their median is the estimate, and only their spread is kept.
    """
    tracks = gate.log.tracks
    figures: dict[Measure, Interval | None] = {Measure.GINI: None, Measure.COVERAGE: None}
    if len(gate.rows) == 0:
        return figures
    shown = walk.exposed.reshape(-1)
    per_state = walk.exposed.shape[1]
    drawn = [] if counts is None else list(counts[:DIVERSITY_RESAMPLES])
    exposures = [np.bincount(shown, np.repeat(times, per_state), minlength=tracks) for times in drawn]
    for measure, function in ((Measure.GINI, gini), (Measure.COVERAGE, coverage)):
        estimate = function(np.bincount(shown, minlength=tracks))
        if estimate is None:
            continue
        resampled = np.array([value for value in map(function, exposures) if value is not None])
        if len(resampled):
            resampled = np.clip(resampled + estimate - np.median(resampled), 0.0, 1.0)
        figures[measure] = interval(estimate, resampled)
    return figures
