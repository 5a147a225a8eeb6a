"""What an evaluation says: a table of figures with their intervals, what it rests on, and the values behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import Difference, difference_of_resamples
from recommender.evaluation.calibration import Bin
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.query_states import State


@dataclass(frozen=True, slots=True)
class Row:
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

    rows: tuple[Row, ...]
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

    def row(self, model: str, metric: Measure) -> Row | None:
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
class Evaluation:
    """A report and the values behind it, which compare recommenders listener by listener, resample by resample.

    Attributes:
        report: the table.
        listeners: (L,) who was measured on, rising.
        figures: by recommender and measure; absent where it could not be computed.
    """

    report: Report
    listeners: NDArray[np.int64]
    figures: Mapping[tuple[str, Measure], Figure]

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
