"""What the sequential model knows of the tracks before it is trained: all that a catalogue's start needs of a log, however long."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog


@dataclass(frozen=True, slots=True)
class TrackCounts:
    """Rows of a log by track; (tracks,) int64 each.

    Attributes:
        heard: all rows.
        liked: rows with label +1.
        disliked: rows with label -1.
    """

    heard: NDArray[np.int64]
    liked: NDArray[np.int64]
    disliked: NDArray[np.int64]

    @staticmethod
    def of(log: EventLog) -> "TrackCounts":
        """Count a log."""

        def count(track: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.bincount(track, minlength=log.tracks)

        return TrackCounts(count(log.track), count(log.track[log.label > 0]), count(log.track[log.label < 0]))

    def __add__(self, other: "TrackCounts") -> "TrackCounts":
        """The counts of two logs of one catalogue together."""
        return TrackCounts(self.heard + other.heard, self.liked + other.liked, self.disliked + other.disliked)


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of the tracks before training.

    Attributes:
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        row: (tracks,) int64 row of the track's own embedding, 0 for a track without one.
        shrink: (rows + 1,) float32 factor of each own embedding, 0 for row 0.
    """

    content: NDArray[np.float32]
    row: NDArray[np.int64]
    shrink: NDArray[np.float32]

    @staticmethod
    def of(train: EventLog, content: NDArray[np.float32], id_shrinkage: float) -> "Items":
        """Of the tracks of a log; see :meth:`of_counts`."""
        return Items.of_counts(TrackCounts.of(train), content, id_shrinkage)

    @staticmethod
    def of_counts(counts: TrackCounts, content: NDArray[np.float32], id_shrinkage: float) -> "Items":
        """Give each track heard an embedding of its own, shrunk by n / (n + ``id_shrinkage``).

        Without shrinkage every track of the catalogue has one in full, as SASRec's table of items: a track that was
        never heard then learns from being drawn as a random negative.
        """
        heard = counts.heard
        tracks = np.flatnonzero(heard) if id_shrinkage else np.arange(len(heard))
        row = np.zeros(len(heard), np.int64)
        row[tracks] = np.arange(1, len(tracks) + 1)
        factors = heard[tracks] / (heard[tracks] + id_shrinkage) if id_shrinkage else np.ones(len(tracks))
        return Items(content, row, np.concatenate([[0.0], factors]).astype(np.float32))
