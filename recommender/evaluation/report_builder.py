"""From what was measured to a report: averages over seeds, means over listeners, intervals, and what is left out."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import FEWEST_UNITS, interval, resampled_means
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import bins_of_sums
from recommender.evaluation.report import (
    Evaluation,
    Figure,
    MetricRow,
    Prequential,
    Reliability,
    Report,
    ShareBin,
    ShareRow,
    SplitFacts,
)

Floats = NDArray[np.float64]
Cell = tuple[str, Measure]

SHARE_BINS = 5
"""Fifths of the share of likes: fixed, so that two models and two logs fall into the same ones."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Pair AUC beside the share of likes so far.

    Attributes:
        unit: "listener", or "station" where there are too few listeners.
        key: (U,) which.
        share: (U,) of likes, NaN without earlier feedback.
        auc: (U,) by recommender, NaN without a pair.
    """

    unit: str
    key: NDArray[np.int64]
    share: Floats
    auc: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Measured:
    """All values behind a report.

    Attributes:
        models, measures: what was asked for, in order.
        listeners: (L,) who.
        values: (L,) of each listener, by recommender and measure.
        whole: figures of all listeners together.
        resampled: (B,) figures that were redrawn by rows, and all of the whole; the rest is redrawn by listeners.
        shares: for accuracy by share of likes.
        reliability: (bins, 3) sums of those who state probabilities.
        positives, negatives, pairs, with_pairs: counts for the report.
        reasons: why a measure may be missing for every recommender.
        split: facts.
        notes: sentences.
        resamples, seed: of the bootstrap.
        seeds: how many were averaged.
        prequential: of a single listener.
    """

    models: tuple[str, ...]
    measures: tuple[Measure, ...]
    listeners: NDArray[np.int64]
    values: Mapping[Cell, Floats]
    whole: Mapping[Cell, float]
    resampled: Mapping[Cell, Floats]
    shares: Shares
    reliability: Mapping[str, Floats]
    positives: int
    negatives: int
    pairs: int
    with_pairs: int
    reasons: Mapping[Measure, str]
    split: SplitFacts
    notes: tuple[str, ...]
    resamples: int
    seed: int
    seeds: int = 1
    prequential: Prequential | None = None


def average(runs: Sequence[Measured]) -> Measured:
    """One set of values from several seeds: each listener's values averaged over the seeds that have them.

    Counts and facts of the split are those of the first seed.
    """
    first = runs[0]
    if len(runs) == 1:
        return first
    listeners = np.unique(np.concatenate([run.listeners for run in runs]))
    cells = list(dict.fromkeys(cell for run in runs for cell in run.values))
    values = {
        cell: _aligned(listeners, [(run.listeners, run.values[cell]) for run in runs if cell in run.values])
        for cell in cells
    }
    whole_cells = dict.fromkeys(cell for run in runs for cell in run.whole)
    redrawn_cells = dict.fromkeys(cell for run in runs for cell in run.resampled)
    key = np.unique(np.concatenate([run.shares.key for run in runs]))
    shares = Shares(
        first.shares.unit,
        key,
        _aligned(key, [(run.shares.key, run.shares.share) for run in runs]),
        {
            model: _aligned(key, [(run.shares.key, run.shares.auc[model]) for run in runs if model in run.shares.auc])
            for model in first.models
        },
    )
    return replace(
        first,
        prequential=None,
        listeners=listeners,
        values=values,
        whole={cell: float(np.mean([run.whole[cell] for run in runs if cell in run.whole])) for cell in whole_cells},
        resampled={
            cell: _nanmean(np.stack([run.resampled[cell] for run in runs if cell in run.resampled]))
            for cell in redrawn_cells
        },
        shares=shares,
        reliability={
            model: np.sum([run.reliability[model] for run in runs if model in run.reliability], axis=0)
            for model in dict.fromkeys(model for run in runs for model in run.reliability)
        },
        notes=(*first.notes, f"Averaged over {len(runs)} seeds; counts of rows and pairs are of the first."),
        seeds=len(runs),
    )


def tabulate(measured: Measured) -> Evaluation:
    """The report and the values behind it."""
    figures = dict(_figures(measured))
    rows = tuple(
        MetricRow(model, measure, figure.mean, figure.low, figure.high, measured.seeds)
        for model in measured.models
        for measure in measured.measures
        if (figure := figures.get((model, measure))) is not None
    )
    report = Report(
        rows=rows,
        positives=measured.positives,
        negatives=measured.negatives,
        pairs=measured.pairs,
        listeners=len(measured.listeners),
        listeners_with_pairs=measured.with_pairs,
        split=measured.split,
        by_positive_share=tuple(
            row
            for model, auc in measured.shares.auc.items()
            for row in share_rows(model, auc, measured.shares.share, measured.resamples, measured.seed)
        ),
        positive_shares=tuple(_share_bins(measured.shares.share)),
        share_unit=measured.shares.unit,
        reliability=tuple(Reliability(model, bins_of_sums(sums)) for model, sums in measured.reliability.items()),
        omitted=tuple(_omissions(measured, figures)),
        notes=measured.notes,
        seeds=measured.seeds,
    )
    return Evaluation(report, measured.listeners, figures, measured.prequential)


def _figures(measured: Measured) -> Iterator[tuple[Cell, Figure]]:
    """Every figure that is defined."""
    nobody = np.full(len(measured.listeners), np.nan)
    for cell, estimate in measured.whole.items():
        resampled = measured.resampled.get(cell)
        bounds = interval(estimate, resampled)
        yield cell, Figure(nobody, resampled, estimate, bounds.low, bounds.high)
    cells = [cell for cell, values in measured.values.items() if np.isfinite(values).any()]
    if not cells:
        return
    redrawn = _redrawn_by_listener(measured, cells)
    for cell in cells:
        values = measured.values[cell]
        known = values[np.isfinite(values)]
        resampled = redrawn.get(cell)
        enough = cell in measured.resampled or len(known) >= FEWEST_UNITS
        bounds = interval(float(known.mean()), resampled if enough else None)
        yield cell, Figure(values, resampled, bounds.mean, bounds.low, bounds.high)


def _redrawn_by_listener(measured: Measured, cells: Sequence[Cell]) -> Mapping[Cell, Floats]:
    """Resampled means of the cells: by rows where that was done, else over redrawn listeners."""
    if any(cell in measured.resampled for cell in cells) or len(measured.listeners) < FEWEST_UNITS:
        return {cell: measured.resampled[cell] for cell in cells if cell in measured.resampled}
    table = np.stack([measured.values[cell] for cell in cells], axis=1)
    means = resampled_means(table, measured.resamples, measured.seed)
    return {cell: means[:, place] for place, cell in enumerate(cells)}


def share_rows(model: str, auc: Floats, share: Floats, resamples: int, seed: int) -> Iterator[ShareRow]:
    """Mean pair AUC of a recommender in each bin of the share of likes that holds anybody with a pair.

    Args:
        model: its name.
        auc: (L,) of each listener (or station), NaN without a pair.
        share: (L,) of likes so far, NaN without earlier feedback.
        resamples: of the bootstrap.
        seed: of its draws.
    """
    edges = np.linspace(0.0, 1.0, SHARE_BINS + 1)
    where = _bin(share)
    for place in range(SHARE_BINS):
        values = auc[(where == place) & np.isfinite(auc)]
        if len(values) == 0:
            continue
        enough = len(values) >= FEWEST_UNITS
        means = resampled_means(values[:, None], resamples, seed)[:, 0] if enough else None
        bounds = interval(float(values.mean()), means)
        low, high = float(edges[place]), float(edges[place + 1])
        yield ShareRow(model, low, high, len(values), bounds.mean, bounds.low, bounds.high)


def _share_bins(share: Floats) -> Iterator[ShareBin]:
    edges = np.linspace(0.0, 1.0, SHARE_BINS + 1)
    counts = np.bincount(_bin(share) + 1, minlength=SHARE_BINS + 1)[1:]
    for place, count in enumerate(counts):
        yield ShareBin(float(edges[place]), float(edges[place + 1]), int(count))


def _bin(share: Floats) -> NDArray[np.int64]:
    """Bin from 0 of each share, 1 in the last; -1 where there is none."""
    known = np.isfinite(share)
    return np.where(known, np.minimum(np.where(known, share, 0.0) * SHARE_BINS, SHARE_BINS - 1).astype(np.int64), -1)


def _omissions(measured: Measured, figures: Mapping[Cell, Figure]) -> Iterator[str]:
    """A sentence for each reason for which figures are missing."""
    by_reason: dict[str, list[str]] = {}
    for measure in measured.measures:
        without = [model for model in measured.models if (model, measure) not in figures]
        if not without:
            continue
        if len(without) == len(measured.models):
            by_reason.setdefault(measured.reasons.get(measure, NOTHING_DEFINED), []).append(str(measure))
        else:
            reason = OWN_REASONS.get(measure, NOTHING_DEFINED)
            by_reason.setdefault(reason, []).append(f"{measure} of {', '.join(without)}")
    for reason, missing in by_reason.items():
        yield f"{'; '.join(missing)}: {reason}"


NOTHING_DEFINED = "it is defined for no listener here"
OWN_REASONS = {
    Measure.ECE: "the scores are no probabilities",
    Measure.BRIER: "the scores are no probabilities",
    Measure.PRECISION: "no track is called liked",
}


def _aligned(keys: NDArray[np.int64], parts: Sequence[tuple[NDArray[np.int64], Floats]]) -> Floats:
    """Mean over the parts (own keys, values) of the value of each of ``keys``, NaN where none has one."""
    table = np.full((len(parts), len(keys)), np.nan)
    for place, (own, values) in enumerate(parts):
        table[place, np.searchsorted(keys, own)] = values
    return _nanmean(table)


def _nanmean(table: Floats) -> Floats:
    """Mean over the first axis, NaN left out; NaN where nothing is left, which is no reason for a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(table, axis=0) if len(table) else np.full(table.shape[1:], np.nan)
