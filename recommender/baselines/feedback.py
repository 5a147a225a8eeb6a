"""A log's labels as arrays and sparse matrices, and their biases: what models that factorise or compare tracks are fitted on."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelMatrix:
    """The labelled rows of a log, those of no weight left out.

    Attributes:
        listener, track: (m,) int64 indices.
        sign: (m,) +1 or -1.
        weight: (m,) above 0, how strongly each is meant.
        listeners: one more than the largest listener index.
        tracks: size of the catalogue.
    """

    listener: NDArray[np.int64]
    track: NDArray[np.int64]
    sign: Doubles
    weight: Doubles
    listeners: int
    tracks: int

    @staticmethod
    def of(log: EventLog) -> "LabelMatrix":
        """The rows of a log that are positive or negative."""
        rows = np.flatnonzero((log.label != 0) & (log.weight > 0))
        return LabelMatrix(
            listener=log.listener[rows],
            track=log.track[rows],
            sign=np.sign(log.label[rows]).astype(np.float64),
            weight=log.weight[rows].astype(np.float64),
            listeners=int(log.listener.max()) + 1 if len(log) else 0,
            tracks=log.tracks,
        )

    def __len__(self) -> int:
        return len(self.track)

    def where(self, mask: NDArray[np.bool_]) -> "LabelMatrix":
        """The labels where ``mask`` (m,) is true, over the same listeners and tracks."""
        return LabelMatrix(
            self.listener[mask], self.track[mask], self.sign[mask], self.weight[mask], self.listeners, self.tracks
        )

    def as_one_listener(self) -> "LabelMatrix":
        """The same labels as if listener 0 had given them all: a matrix of one row, whatever the listener's index."""
        return replace(self, listener=np.zeros_like(self.listener), listeners=1)

    @property
    def mean(self) -> float:
        """Weighted mean of the signs, -1…1; 0 without a label."""
        return float(np.average(self.sign, weights=self.weight)) if len(self) else 0.0

    def matrix(self, values: Doubles) -> "csr_matrix":
        """Sum of ``values`` (m,) by listener and track: sparse (listeners, tracks)."""
        from scipy.sparse import csr_matrix  # noqa: PLC0415 - slow to import, and the player imports this package

        return csr_matrix((values, (self.listener, self.track)), shape=(self.listeners, self.tracks))

    def liked(self) -> "csr_matrix":
        """1 where a listener liked a track, however often: sparse (listeners, tracks)."""
        often = self.matrix((self.sign > 0).astype(np.float64))
        often.data = np.minimum(often.data, 1.0)
        often.eliminate_zeros()
        return often

    def net(self) -> "csr_matrix":
        """What each listener thinks of each track: the weighted labels summed and cut at -1…1, (listeners, tracks)."""
        total = self.matrix(self.weight * self.sign)
        total.data = np.clip(total.data, -1.0, 1.0)
        total.eliminate_zeros()
        return total


def totals(index: NDArray[np.int64], values: NDArray[np.floating], count: int) -> Doubles:
    """Sum of the values (m,) by index, (count,)."""
    return np.bincount(index, values, minlength=count).astype(np.float64)


def net_of(history: EventLog) -> Doubles:
    """What one listener thinks of each track, (tracks,) in -1…1: :meth:`LabelMatrix.net` of their rows alone."""
    labels = LabelMatrix.of(history)
    return np.clip(totals(labels.track, labels.weight * labels.sign, history.tracks), -1.0, 1.0)


def most_frequent(track: NDArray[np.int64], tracks: int, most: int) -> NDArray[np.int64]:
    """Indices, rising, of the tracks that occur in ``track`` – the ``most`` frequent where there are more."""
    counts = np.bincount(track, minlength=tracks)
    heard = np.flatnonzero(counts)
    if len(heard) <= most:
        return heard
    return np.sort(heard[np.argsort(-counts[heard], kind="stable")[:most]])


PRIOR_ROWS = 5.0
"""LabelMatrix of no opinion that every track and every listener starts with."""
SWEEPS = 10
"""Rounds in which the two are estimated from each other; they settle within five."""


@dataclass(frozen=True, slots=True)
class Biases:
    """``mean + listener's bias + track's bias`` estimates a label, -1…1.

    Attributes:
        mean: of all labels.
        track: (tracks,) above 0 where a track is liked more than its listeners' other tracks.
    """

    mean: float
    track: Doubles

    @staticmethod
    def fit(labels: LabelMatrix) -> "Biases":
        """Shrunken least squares, listeners and tracks in turn (Koren 2008, eq. 1-2)."""
        mean, track, listener = labels.mean, np.zeros(labels.tracks), np.zeros(labels.listeners)
        centred = labels.sign - mean
        for _ in range(SWEEPS):
            track = _shrunken_mean(centred - listener[labels.listener], labels.weight, labels.track, labels.tracks)
            listener = _shrunken_mean(centred - track[labels.track], labels.weight, labels.listener, labels.listeners)
        return Biases(mean, track)

    def of_listener(self, labels: LabelMatrix) -> float:
        """The bias of the one listener whose labels these are; 0 without a label."""
        left = labels.weight * (labels.sign - self.mean - self.track[labels.track])
        return float(left.sum() / (labels.weight.sum() + PRIOR_ROWS))


def _shrunken_mean(values: Doubles, weight: Doubles, index: NDArray[np.int64], count: int) -> Doubles:
    return totals(index, weight * values, count) / (totals(index, weight, count) + PRIOR_ROWS)
