"""The figures that describe a data set (the counterpart of Table 1 in Mei, Bembom & Ehmann 2024), in one pass.

All are exact. The memory grows with the tracks and, where listeners' rows are scattered, with the listeners, never with the
rows: the lengths of sequences are counted by length, and lengths that add up to N rows have at most √(2N) different values.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import Dataset
from recommender.datasets.stream import Chunk, DatasetStream
from recommender.events import EventLog

BLOCK_ROWS = 1 << 18
"""Rows of a log looked at together, so that a log on disk is not pulled into memory."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A data set in figures.

    Attributes:
        listeners, tracks, stations: that have at least one row.
        events: rows.
        positive, negative: rows by label; the others are history without one.
        explicit: labelled rows in which the listener said so.
        length_mean, length_median, length_p95, length_max: rows of a listener; 0 where there are none.
        positive_share: positive among the labelled, 0 where there are none.
        first_time, last_time: seconds; None where the rows have no order.
        density: rows per pair of listener and track; above 1 where tracks are heard again and again.
        approximate: figures that are not exact (none at present).
    """

    listeners: int
    tracks: int
    stations: int
    events: int
    positive: int
    negative: int
    explicit: int
    length_mean: float
    length_median: float
    length_p95: float
    length_max: int
    positive_share: float
    first_time: float | None
    last_time: float | None
    density: float
    approximate: tuple[str, ...] = ()


def statistics(of: Dataset | DatasetStream | EventLog) -> Statistics:
    """The figures of a data set, of a stream (which is read to its end) or of a log."""
    if isinstance(of, DatasetStream):
        return _statistics(of, ordered=of.ordered, consecutive=of.consecutive)
    log, ordered = (of.log, of.ordered) if isinstance(of, Dataset) else (of, True)
    return _statistics(_blocks(log), ordered=ordered, consecutive=False)


def _blocks(log: EventLog) -> Iterable[EventLog]:
    for start in range(0, len(log), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        yield replace(log, **{name: column[rows] for name, column in log.columns().items()})


def _statistics(chunks: Iterable[Chunk | EventLog], *, ordered: bool, consecutive: bool) -> Statistics:
    lengths = _RunLengths() if consecutive else _Counts()
    tracks, stations = _Counts(), _Counts()
    events = positive = negative = explicit = 0
    first, last = np.inf, -np.inf
    for chunk in chunks:
        events += len(chunk)
        positive += int(np.count_nonzero(chunk.label > 0))
        negative += int(np.count_nonzero(chunk.label < 0))
        explicit += int(np.count_nonzero(chunk.explicit & (chunk.label != 0)))
        first, last = min(first, float(chunk.time.min())), max(last, float(chunk.time.max()))
        for counted, column in ((lengths, chunk.listener), (tracks, chunk.track), (stations, chunk.station)):
            counted.add(column)
    values, counts = lengths.by_length()
    listeners = int(counts.sum())
    pairs = listeners * tracks.distinct
    return Statistics(
        listeners=listeners,
        tracks=tracks.distinct,
        stations=stations.distinct,
        events=events,
        positive=positive,
        negative=negative,
        explicit=explicit,
        length_mean=events / listeners if listeners else 0.0,
        length_median=_quantile(values, counts, 0.5),
        length_p95=_quantile(values, counts, 0.95),
        length_max=int(values.max(initial=0)),
        positive_share=positive / (positive + negative) if positive + negative else 0.0,
        first_time=first if ordered and events else None,
        last_time=last if ordered and events else None,
        density=events / pairs if pairs else 0.0,
    )


def _quantile(values: NDArray[np.int64], counts: NDArray[np.int64], share: float) -> float:
    """The quantile of values given by how often each occurs, interpolated as ``numpy.quantile`` does; 0 of none."""
    if not len(values):
        return 0.0
    upto = np.cumsum(counts)
    place = share * (upto[-1] - 1)
    below, above = values[np.searchsorted(upto, [np.floor(place), np.ceil(place)], side="right")]
    return float(below + (above - below) * (place - np.floor(place)))


@dataclass(slots=True)
class _Counts:
    """How often each index occurs."""

    _counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, index: NDArray[np.int64]) -> None:
        found = np.bincount(index)
        if len(found) > len(self._counts):
            # Doubled, so that a table that grows all the time is not copied all the time.
            self._counts = np.pad(self._counts, (0, max(len(found), 2 * len(self._counts)) - len(self._counts)))
        self._counts[: len(found)] += found

    @property
    def distinct(self) -> int:
        return int(np.count_nonzero(self._counts))

    def by_length(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The different counts, ascending, and how many indices have each."""
        return np.unique_counts(self._counts[self._counts > 0])


@dataclass(slots=True)
class _RunLengths:
    """How long the runs of equal, ever rising indices are; only the run that may go on is remembered."""

    _finished: Counter[int] = field(default_factory=Counter[int])
    _open: int = -1
    _length: int = 0

    def add(self, index: NDArray[np.int64]) -> None:
        starts = np.flatnonzero(np.diff(index, prepend=self._open) != 0)
        if not len(starts):
            self._length += len(index)
            return
        if self._open >= 0:
            self._finished[self._length + int(starts[0])] += 1
        lengths, counts = np.unique_counts(np.diff(starts))
        self._finished.update(dict(zip(lengths.tolist(), counts.tolist(), strict=True)))
        self._open, self._length = int(index[-1]), len(index) - int(starts[-1])

    def by_length(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The different lengths, ascending, and how many runs have each."""
        every = self._finished + (Counter([self._length]) if self._open >= 0 else Counter())
        pairs = np.array(sorted(every.items()), np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]
