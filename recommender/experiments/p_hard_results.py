"""The results of an experiment over ``p_hard``: the curves of Fig. 1, accuracy by share of likes (Fig. 2), ranks by popularity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation, Report, ShareBin, ShareRow
from recommender.evaluation.report_builder import share_rows
from recommender.evaluation.splits import Split
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import (
    BOOTSTRAP_SEED,
    Averaged,
    LearningCurve,
    ModelMeasurement,
    ResultRow,
    averaged,
    result_rows,
    together,
)
from recommender.experiments.p_hard_config import Mode, PHardConfig
from recommender.experiments.p_hard_trends import EPOCHS, PHardDifference, PHardRow, PopularityRow, Trend, trends_of
from recommender.sequence.negatives import NegativeCounts
from recommender.training.sequential_recommender import name_of

REFERENCE = "like-rate"
HISTOGRAM_BINS = 10
COMPARED = (Measure.PAIR_AUC, Measure.GINI, Measure.MRR_POSITIVE, Measure.MRR_NEGATIVE, Measure.NDCG)


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
class PHardShare(ShareRow):
    """Pair AUC over the listeners whose share of likes in the past lies in ``share_low`` … ``share_high``, by value."""

    p_hard: float | None = None


@dataclass(frozen=True, slots=True)
class LearningCurveRow:
    """Validation pair AUC by epoch, one training."""

    p_hard: float
    seed: int
    epochs: int | None
    best_epoch: int
    validation_auc: tuple[float | None, ...]


def figure_rows(found: Averaged, p_hard: float, parts: Sequence[ModelMeasurement], seeds: int) -> list[PHardRow]:
    """Every measure of one value, and its epochs."""
    rows = [
        PHardRow(p_hard, measure.key, figure.mean, figure.low, figure.high, seeds)
        for measure, figure in found.figures.items()
    ]
    epochs = [float(curve.epochs) for curve in _curves(parts) if curve.epochs is not None]
    if epochs:
        mean, low, high = mean_over_seeds(epochs)
        rows.append(PHardRow(p_hard, EPOCHS, mean, low, high, len(epochs)))
    return rows


def mean_over_seeds(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Mean with Student's interval over seeds, never below 1 epoch; no bounds with one seed."""
    from scipy.stats import t  # noqa: PLC0415 - slow to import, and only at the end of a run

    mean = float(np.mean(values))
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return mean, None, None
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, max(1.0, mean - half), mean + half


def negatives_row(p_hard: float, parts: Sequence[ModelMeasurement]) -> NegativesRow:
    """Realised shares of one value."""
    counts = NegativeCounts()
    for curve in _curves(parts):
        counts = counts + curve.negatives
    real = counts.station + counts.listener
    return NegativesRow(
        p_hard,
        counts.realised_share,
        counts.share_of_all,
        counts.eligible / counts.positions if counts.positions else None,
        counts.station / real if real else None,
    )


def difference_rows(evaluation: Evaluation, p_hard: Sequence[float], beside: Sequence[str]) -> list[PHardDifference]:
    """Every value against the lowest one, and against the reference where that stands beside."""
    rivals = [name_of(p_hard[0]), *(model for model in beside if model == REFERENCE)]
    rows: list[PHardDifference] = []
    for value in p_hard:
        for rival in rivals:
            for measure in COMPARED if rival != name_of(value) else ():
                gap = evaluation.difference(name_of(value), rival, measure)
                if gap is not None:
                    bounds = (gap.mean, gap.low, gap.high, gap.probability_better)
                    rows.append(PHardDifference(value, rival, measure.key, *bounds))
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


def p_hard_shares(model: str, p_hard: float | None, found: Averaged, share: NDArray[np.float64]) -> list[PHardShare]:
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
    rows = share_rows(model, figure.values, share, RESAMPLES, BOOTSTRAP_SEED)
    return [
        PHardShare(row.model, row.share_low, row.share_high, row.count, row.mean, row.low, row.high, p_hard)
        for row in rows
    ]


def share_bins(share: NDArray[np.float64]) -> list[ShareBin]:
    """How the share of likes is distributed over listeners (Fig. 2, right)."""
    counts, edges = np.histogram(share[np.isfinite(share)], HISTOGRAM_BINS, (0.0, 1.0))
    return [ShareBin(float(edges[i]), float(edges[i + 1]), int(count)) for i, count in enumerate(counts)]


def popularity_rows(model: str, p_hard: float | None, parts: Sequence[ModelMeasurement]) -> list[PopularityRow]:
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


def curve_rows(p_hard: float, parts: Sequence[ModelMeasurement]) -> list[LearningCurveRow]:
    """Every training of one value."""
    return [
        LearningCurveRow(
            p_hard, part.seed, part.training.epochs, part.training.best_epoch, part.training.validation_auc
        )
        for part in parts
        if part.training is not None
    ]


def _curves(parts: Sequence[ModelMeasurement]) -> list[LearningCurve]:
    return [part.training for part in parts if part.training is not None]


@dataclass(frozen=True, slots=True)
class PHardResults:
    """What a run gives; as JSON it is what a record holds.

    Attributes:
        results: Fig. 1: every measure, and epochs, for every value.
        baselines: the same of what stands beside.
        differences: against the lowest value and against like-rate.
        negatives: realised shares.
        by_positive_share, positive_shares: Fig. 2.
        by_popularity: section 6.2.
        courses: validation pair AUC of every training.
        trends: which of the paper's are there.
        split: what was learned from and measured on, of the first seed.
        conclusion: in a few sentences.
        omitted, notes: what is missing, and what has to be said.
    """

    results: tuple[PHardRow, ...]
    baselines: tuple[ResultRow, ...]
    differences: tuple[PHardDifference, ...]
    negatives: tuple[NegativesRow, ...]
    by_positive_share: tuple[PHardShare, ...]
    positive_shares: tuple[ShareBin, ...]
    by_popularity: tuple[PopularityRow, ...]
    courses: tuple[LearningCurveRow, ...]
    trends: tuple[Trend, ...]
    split: JsonObject
    conclusion: str
    omitted: tuple[str, ...]
    notes: tuple[str, ...]


def p_hard_results(
    config: PHardConfig, parts: Mapping[str, Sequence[ModelMeasurement]], splits: Sequence[Split]
) -> PHardResults:
    """Average, compare, and judge.

    Args:
        config: of the run.
        parts: all measurements by model, seed by seed.
        splits: all that were measured on.
    """
    values = {p_hard: name_of(p_hard) for p_hard in config.p_hard}
    averages = {model: averaged(found) for model, found in parts.items()}
    seeds = len(config.seeds)
    results = [
        row for p_hard, model in values.items() for row in figure_rows(averages[model], p_hard, parts[model], seeds)
    ]
    differences = difference_rows(together(parts, averages), config.p_hard, config.beside)
    every = [(model, p_hard) for p_hard, model in values.items()] + [(model, None) for model in config.beside]
    by_share, distribution, missing = _shares(every, averages, splits)
    by_popularity = [row for model, p_hard in every for row in popularity_rows(model, p_hard, parts[model])]
    reports = [part.evaluation.report for model, _ in every for part in parts[model]]
    return PHardResults(
        results=tuple(results),
        baselines=tuple(
            row for model in config.beside for row in result_rows(model, averages[model], _seeds(parts[model]))
        ),
        differences=tuple(differences),
        negatives=tuple(negatives_row(p_hard, parts[model]) for p_hard, model in values.items()),
        by_positive_share=tuple(by_share),
        positive_shares=tuple(distribution),
        by_popularity=tuple(by_popularity),
        courses=tuple(row for p_hard, model in values.items() for row in curve_rows(p_hard, parts[model])),
        trends=tuple(trends_of(results, differences, by_popularity)),
        split=_split_facts(config, parts[every[0][0]][0].evaluation.report),
        conclusion=_conclusion(results, differences),
        omitted=(*dict.fromkeys(text for report in reports for text in report.omitted), *missing),
        notes=(*dict.fromkeys(note for report in reports for note in report.notes), *_notes(config)),
    )


def _shares(
    every: Sequence[tuple[str, float | None]], averages: Mapping[str, Averaged], splits: Sequence[Split]
) -> tuple[list[PHardShare], list[ShareBin], list[str]]:
    """Fig. 2, or why it is missing."""
    listeners = averages[every[0][0]].listeners
    if len(listeners) <= 1:
        return [], [], ["Accuracy by share of likes: there is one listener (Fig. 2)."]
    share = positive_shares(splits, listeners)
    rows = [row for model, p_hard in every for row in p_hard_shares(model, p_hard, averages[model], share)]
    return rows, share_bins(share), []


def _seeds(parts: Sequence[ModelMeasurement]) -> int:
    return len({part.seed for part in parts})


def _split_facts(config: PHardConfig, report: Report) -> JsonObject:
    return json_object(
        {
            **json_object(report.split),
            "candidates": config.candidates,
            "listeners": report.listeners,
            "listeners_with_pairs": report.listeners_with_pairs,
            "positives": report.positives,
            "negatives": report.negatives,
            "pairs": report.pairs,
        }
    )


def _conclusion(results: Sequence[PHardRow], differences: Sequence[PHardDifference]) -> str:
    auc = {row.p_hard: row for row in results if row.metric == "auc"}
    if not auc:
        return "Nothing can be concluded: no listener has both a like and a dislike of one station in the test."
    best = max(auc.values(), key=lambda row: row.mean)
    said = f"Highest pair AUC at p_hard = {best.p_hard:g}: {best.mean:.3f}{_bounds(best.low, best.high)}"
    for row in differences:
        if row.metric == "auc" and row.p_hard == best.p_hard:
            way = "above" if row.mean >= 0 else "below"
            shift = f"{abs(row.mean):.3f} {way} {row.rival}"
            said += f"; {shift}{_bounds(row.low, row.high)}{_judged(row)}"
    return f"{said}."


def _bounds(low: float | None, high: float | None) -> str:
    return (
        ""
        if low is None or high is None
        else f" ({low:+.3f} to {high:+.3f})"
        if low < 0
        else f" ({low:.3f} to {high:.3f})"
    )


def _judged(row: PHardDifference) -> str:
    if row.low is None or row.high is None:
        return ", too little to say how sure"
    return "" if row.low > 0.0 or row.high < 0.0 else ", which may be chance"


def _notes(config: PHardConfig) -> list[str]:
    model = config.config
    sizes = f"{config.mode.capitalize()} mode: {model.blocks} blocks of width {model.width} over {model.length} events"
    how = (
        "one negative a position, binary cross-entropy"
        if config.mode is Mode.FAITHFUL
        else "a softmax over shared random negatives and a term of its own for the listener's real ones"
    )
    notes = [
        f"{sizes}, {how}, patience of {model.patience} epochs for every p_hard.",
        "Epochs: the first within .001 of the best validation pair AUC, with Student's interval over the seeds.",
    ]
    if len(config.seeds) > 1:
        notes.append(f"Averaged over {len(config.seeds)} seeds; counts of rows and pairs are of the first.")
    return notes
