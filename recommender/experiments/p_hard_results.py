"""What an experiment over ``p_hard`` gives: the curves of Fig. 1, accuracy by share of likes (Fig. 2), ranks by popularity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import (
    CONFIDENCE,
    FEWEST_UNITS,
    RESAMPLES,
    difference_of_resamples,
    interval,
    resampled_means,
)
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import ShareBin
from recommender.evaluation.splits import Split
from recommender.experiments.measurements import Averaged
from recommender.experiments.p_hard_run import BOOTSTRAP_SEED, LearningCurve, TrainedPart
from recommender.sequence.negatives import NegativeCounts
from recommender.training.sequential_recommender import name_of

SHARE_BINS = 5
"""Fifths of the share of likes, as the other reports have."""
HISTOGRAM_BINS = 10
EPOCHS = "epochs"
COMPARED = (Measure.PAIR_AUC, Measure.GINI, Measure.MRR_POSITIVE, Measure.MRR_NEGATIVE, Measure.NDCG)


@dataclass(frozen=True, slots=True)
class PHardRow:
    """One figure for one value of ``p_hard``."""

    p_hard: float
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, slots=True)
class BesideRow:
    """One figure of a model that stands beside."""

    model: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, slots=True)
class NegativesRow:
    """Where the negative targets came from, over all epochs and seeds.

    Attributes:
        p_hard: what was asked for.
        realised: share of real negatives among the positions that have one; None where none has.
        of_all: share of real negatives among all positions.
        eligible: share of positions that have a real negative.
        same_station: of the real negatives, the share from the target's station.
    """

    p_hard: float
    realised: float | None
    of_all: float | None
    eligible: float | None
    same_station: float | None


@dataclass(frozen=True, slots=True)
class PHardDifference:
    """How far one value is ahead of another model on the same listeners."""

    p_hard: float
    rival: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    probability_better: float | None


@dataclass(frozen=True, slots=True)
class PHardShare:
    """Pair AUC over the listeners whose share of likes in the past lies in ``share_low`` … ``share_high``."""

    model: str
    p_hard: float | None
    share_low: float
    share_high: float
    count: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class PopularityRow:
    """A tenth of the catalogue by popularity, 1 the least popular: mean place in rankings, share of the lists of ten."""

    model: str
    p_hard: float | None
    tenth: int
    place: float
    listed: float


@dataclass(frozen=True, slots=True)
class LearningCurveRow:
    """Validation pair AUC by epoch, one training."""

    p_hard: float
    seed: int
    epochs: int | None
    best_epoch: int
    validation_auc: tuple[float | None, ...]


Parts = Mapping[float, Sequence[TrainedPart]]


def figure_rows(found: Averaged, p_hard: float, parts: Sequence[TrainedPart], seeds: int) -> list[PHardRow]:
    """Every measure of one value, and its epochs."""
    rows = [
        PHardRow(p_hard, measure.key, figure.mean, figure.low, figure.high, seeds)
        for measure, figure in found.figures.items()
    ]
    epochs = [float(course.epochs) for course in _courses(parts) if course.epochs is not None]
    if epochs:
        mean, low, high = mean_over_seeds(epochs)
        rows.append(PHardRow(p_hard, EPOCHS, mean, low, high, len(epochs)))
    return rows


def beside_rows(model: str, found: Averaged, seeds: int) -> list[BesideRow]:
    """Every measure of a model that stands beside."""
    return [
        BesideRow(model, measure.key, figure.mean, figure.low, figure.high, seeds)
        for measure, figure in found.figures.items()
    ]


def mean_over_seeds(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean with Student's interval over seeds, never below 1 epoch; no bounds with one seed."""
    from scipy.stats import t  # noqa: PLC0415 - slow to import, and only at the end of a run

    mean = float(np.mean(values))
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return mean, None, None
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, max(1.0, mean - half), mean + half


def negatives_row(p_hard: float, parts: Sequence[TrainedPart]) -> NegativesRow:
    """Realised shares of one value."""
    counts = NegativeCounts()
    for course in _courses(parts):
        counts = counts + course.negatives
    real = counts.station + counts.listener
    return NegativesRow(
        p_hard,
        counts.realised_share,
        counts.share_of_all,
        counts.eligible / counts.positions if counts.positions else None,
        counts.station / real if real else None,
    )


def difference_rows(
    together: Mapping[float, Averaged], beside: Mapping[str, Averaged], reference: str
) -> list[PHardDifference]:
    """Every value against the lowest one, and against the model that stands beside."""
    lowest = min(together)
    rivals = {name_of(lowest): together[lowest]} | {model: beside[model] for model in beside if model == reference}
    rows: list[PHardDifference] = []
    for p_hard, found in together.items():
        for rival, theirs in rivals.items():
            if theirs is found:
                continue
            for measure in COMPARED:
                own, other = found.figures.get(measure), theirs.figures.get(measure)
                if own is None or other is None:
                    continue
                sign = -1.0 if measure.lower_is_better else 1.0
                gap = difference_of_resamples(own.mean, other.mean, own.resampled, other.resampled, sign)
                rows.append(
                    PHardDifference(p_hard, rival, measure.key, gap.mean, gap.low, gap.high, gap.probability_better)
                )
    return rows


def positive_shares(splits: Sequence[Split], listeners: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of likes (L,) among the judged rows of each listener's past, averaged over the splits; NaN without any."""
    shares = np.full((len(splits), len(listeners)), np.nan)
    for place, split in enumerate(splits):
        rows = np.flatnonzero(split.is_past & split.log.judged)
        who, liked = split.log.listener[rows], split.log.label[rows] > 0
        size = int(max(listeners.max(initial=0), who.max(initial=0))) + 1
        count, likes = np.bincount(who, minlength=size), np.bincount(who, liked, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares[place] = (likes / count)[listeners]
    known = np.isfinite(shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known, shares, 0.0).sum(axis=0) / known.sum(axis=0)


def share_rows(model: str, p_hard: float | None, found: Averaged, share: NDArray[np.float64]) -> list[PHardShare]:
    """Pair AUC by the listener's share of likes (Mei et al. 2024, Fig. 2, left).

    Args:
        model: its name.
        p_hard: of the model, or None.
        found: its figures.
        share: (L,) of ``found.listeners``.
    """
    figure = found.figures.get(Measure.PAIR_AUC)
    if figure is None:
        return []
    rows: list[PHardShare] = []
    edges = np.linspace(0.0, 1.0, SHARE_BINS + 1)
    bins = np.minimum((np.nan_to_num(share, nan=-1.0) * SHARE_BINS).astype(np.int64), SHARE_BINS - 1)
    for place in range(SHARE_BINS):
        values = figure.values[(bins == place) & np.isfinite(share) & np.isfinite(figure.values)]
        if not len(values):
            continue
        drawn = (
            resampled_means(values[:, None], RESAMPLES, BOOTSTRAP_SEED)[:, 0] if len(values) >= FEWEST_UNITS else None
        )
        bounds = interval(float(values.mean()), drawn)
        low, high = float(edges[place]), float(edges[place + 1])
        rows.append(PHardShare(model, p_hard, low, high, len(values), bounds.mean, bounds.low, bounds.high))
    return rows


def share_bins(share: NDArray[np.float64]) -> list[ShareBin]:
    """How the share of likes is distributed over listeners (Fig. 2, right)."""
    counts, edges = np.histogram(share[np.isfinite(share)], HISTOGRAM_BINS, (0.0, 1.0))
    return [ShareBin(float(edges[i]), float(edges[i + 1]), int(count)) for i, count in enumerate(counts)]


def popularity_rows(model: str, p_hard: float | None, parts: Sequence[TrainedPart]) -> list[PopularityRow]:
    """Mean place of each tenth over seeds; empty where it was not measured."""
    known = [part.popularity for part in parts if part.popularity is not None]
    if not known:
        return []
    place = np.mean([each.place for each in known], axis=0)
    listed = np.mean([each.listed for each in known], axis=0)
    return [
        PopularityRow(model, p_hard, tenth + 1, float(place[tenth]), float(listed[tenth]))
        for tenth in range(len(place))
    ]


def course_rows(p_hard: float, parts: Sequence[TrainedPart]) -> list[LearningCurveRow]:
    """Every training of one value."""
    return [
        LearningCurveRow(
            p_hard, part.measurement.seed, part.course.epochs, part.course.best_epoch, part.course.validation_auc
        )
        for part in parts
        if part.course is not None
    ]


def _courses(parts: Sequence[TrainedPart]) -> list[LearningCurve]:
    return [part.course for part in parts if part.course is not None]
