"""How often each track was heard, liked and disliked: all that a catalogue's start needs of a log, however long."""

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
