"""An evaluation's report: figures with their intervals, what they rest on, and one recommender against the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import Difference, difference_of_resamples
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import Bin
from recommender.evaluation.query_states import State
from recommender.evaluation.statistics import holm


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure of one recommender; without bounds when there was too little to redraw."""

    model: str
    metric: Measure
    mean: float
    low: float | None
    high: float | None
    seeds: int = 1


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Pair AUC of one recommender over those whose share of likes, so far, lies in ``share_low`` … ``share_high``."""

    model: str
    share_low: float
    share_high: float
    count: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ShareBin:
    """How many listeners (or stations) have a share of likes in ``low`` … ``high``."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Promised and real shares of likes of one recommender that states probabilities."""

    model: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """What was learned from and what was measured on."""

    name: str
    state: State
    ordered: bool
    train: int
    validation: int
    test: int
    cold_share: float
    cold_listener_share: float


@dataclass(frozen=True, slots=True)
class Report:
    """A table of figures and what it rests on.

    Attributes:
        rows: one for each recommender and measure that could be computed.
        positives, negatives: judged rows of the test that were predicted.
        pairs: (+, -) pairs of one listener and station.
        listeners: with judged test rows.
        listeners_with_pairs: of these, with a pair.
        split: what is past and what is test.
        by_positive_share: pair AUC by the share of likes in what went before (Mei et al. 2024, Fig. 2, left).
        positive_shares: how that share is distributed (Fig. 2, right).
        share_unit: whose share it is, "listener", or "station" where there are too few listeners.
        reliability: of the recommenders that state probabilities.
        omitted: for each figure that is missing, why, a sentence each.
        notes: what has to be said beside the figures, a sentence each.
        seeds: over how many seeds the figures are averaged.
    """

    rows: tuple[MetricRow, ...]
    positives: int
    negatives: int
    pairs: int
    listeners: int
    listeners_with_pairs: int
    split: SplitFacts
    by_positive_share: tuple[ShareRow, ...]
    positive_shares: tuple[ShareBin, ...]
    share_unit: str
    reliability: tuple[Reliability, ...]
    omitted: tuple[str, ...]
    notes: tuple[str, ...]
    seeds: int

    def row(self, model: str, metric: Measure) -> MetricRow | None:
        """One figure with its bounds, or None when it is not there."""
        return next((row for row in self.rows if row.model == model and row.metric == metric), None)

    def mean(self, model: str, metric: Measure) -> float | None:
        """One figure of the table, or None when it is not there."""
        row = self.row(model, metric)
        return None if row is None else row.mean


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one recommender.

    Attributes:
        values: (L,) of each listener, NaN where the listener has none; all NaN for a measure of the whole.
        resampled: (B,) the figure in each resample, NaN where it has none; the same draws for all recommenders.
        mean, low, high: the figure and its interval.
    """

    values: NDArray[np.float64]
    resampled: NDArray[np.float64] | None
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Prequential:
    """One listener's judged rows in time order, each against the earlier ones of its session, else of its station.

    Attributes:
        time: (R,) seconds, rising.
        wins: by recommender, (R,) as :func:`recommender.evaluation.metrics.prequential_wins` gives them.
    """

    time: NDArray[np.float64]
    wins: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report and the values behind it, which compare recommenders listener by listener, resample by resample.

    Attributes:
        report: the table.
        listeners: (L,) who was measured on, rising.
        figures: by recommender and measure; absent where it could not be computed.
        prequential: of a single listener; None where there are several.
    """

    report: Report
    listeners: NDArray[np.int64]
    figures: Mapping[tuple[str, Measure], Figure]
    prequential: Prequential | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the recommenders, in the order they were given."""
        return tuple(dict.fromkeys(model for model, _ in self.figures))

    def figure(self, model: str, measure: Measure) -> Figure | None:
        """A figure, or None when it could not be computed."""
        return self.figures.get((model, measure))

    def resampled(self, model: str, measure: Measure) -> NDArray[np.float64] | None:
        """(B,) the figure in each resample, or None."""
        figure = self.figure(model, measure)
        return None if figure is None else figure.resampled

    def paired(self, measure: Measure, models: Iterable[str]) -> NDArray[np.float64]:
        """(blocks, models) values of the listeners who have one of every model: what paired tests take.

        Raises:
            KeyError: a model has no such figure.
        """
        values = np.stack([self.figures[model, measure].values for model in models], axis=1)
        return values[np.isfinite(values).all(axis=1)]

    def difference(self, model: str, rival: str, measure: Measure) -> Difference | None:
        """How much better the model is than the rival, and how sure that is; None when there is nothing to compare."""
        own, theirs = self.figure(model, measure), self.figure(rival, measure)
        if own is None or theirs is None:
            return None
        sign = -1.0 if measure.lower_is_better else 1.0
        return difference_of_resamples(own.mean, theirs.mean, own.resampled, theirs.resampled, sign)


SURE = 0.05
"""A Holm-corrected p below this counts as sure."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One recommender against another.

    Attributes:
        rival: the other.
        measure: of what.
        own, theirs: the two figures.
        difference: own − theirs in the same resamples.
        p: two-sided, from the paired bootstrap; None where nothing could be redrawn.
        p_holm: p after Holm's correction over all rivals compared with on this measure.
    """

    rival: str
    measure: Measure
    own: float
    theirs: float
    difference: Difference
    p: float | None
    p_holm: float | None

    @property
    def surely_better(self) -> bool:
        """Better, and not by chance."""
        return self._sure and (self.difference.probability_better or 0.0) > 0.5  # noqa: PLR2004 - the even chance

    @property
    def surely_worse(self) -> bool:
        """Worse, and not by chance."""
        return self._sure and not self.surely_better

    @property
    def _sure(self) -> bool:
        return self.p_holm is not None and self.p_holm < SURE


def compare(evaluation: Evaluation, model: str, rivals: Sequence[str], measure: Measure) -> tuple[Comparison, ...]:
    """The model against each rival that has the measure, in their order.

    p is the share of resamples that contradict the direction, twice, never below what so many resamples can show:
    2 · (contradicting + 1) / (resamples + 1) (Davison & Hinkley 1997, section 4.2.3), a tie counting half.
    """
    found: list[tuple[str, float, float, Difference, float | None]] = []
    for rival in rivals:
        own, theirs = evaluation.figure(model, measure), evaluation.figure(rival, measure)
        difference = evaluation.difference(model, rival, measure)
        if own is not None and theirs is not None and difference is not None:
            found.append((rival, own.mean, theirs.mean, difference, _p(evaluation, model, rival, measure, difference)))
    corrected = _corrected([p for *_, p in found])
    return tuple(
        Comparison(rival, measure, own, theirs, difference, p, p_holm)
        for (rival, own, theirs, difference, p), p_holm in zip(found, corrected, strict=True)
    )


def _p(evaluation: Evaluation, model: str, rival: str, measure: Measure, difference: Difference) -> float | None:
    own, theirs = evaluation.resampled(model, measure), evaluation.resampled(rival, measure)
    if own is None or theirs is None or difference.probability_better is None:
        return None
    resamples = int(np.count_nonzero(np.isfinite(own) & np.isfinite(theirs)))
    contradicting = min(difference.probability_better, 1.0 - difference.probability_better) * resamples
    return min(1.0, 2.0 * (contradicting + 1.0) / (resamples + 1.0))


def _corrected(values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of those there are."""
    known = iter(holm(np.array([p for p in values if p is not None], np.float64)).tolist())
    return [None if p is None else next(known) for p in values]
