"""What the sequential model knows of the tracks before it is trained."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.feedback import LabelMatrix
from recommender.events import EventLog
from recommender.models.parameter_shapes import LIKED
from recommender.sequence.track_counts import TrackCounts


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of the tracks before training.

    Attributes:
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        row: (tracks,) int64 row of the track's own embedding, 0 for a track without one.
        shrink: (rows + 1,) float32 factor of each own embedding, 0 for row 0.
        liked, labelled: (rows + 1,) float32 likes, and likes and dislikes, of each row's track; those of row 0 are 0.
        likes: who liked what; None where the log is not at hand whole.
    """

    content: NDArray[np.float32]
    row: NDArray[np.int64]
    shrink: NDArray[np.float32]
    liked: NDArray[np.float32]
    labelled: NDArray[np.float32]
    likes: LabelMatrix | None = None

    @staticmethod
    def of(train: EventLog, content: NDArray[np.float32], id_shrinkage: float) -> "Items":
        """Of the tracks of a log; see :meth:`of_counts`."""
        return Items.of_counts(TrackCounts.of(train), content, id_shrinkage, likes_of(train))

    @staticmethod
    def of_counts(
        counts: TrackCounts, content: NDArray[np.float32], id_shrinkage: float, likes: LabelMatrix | None = None
    ) -> "Items":
        """Give each track heard an embedding of its own, shrunk by n / (n + ``id_shrinkage``).

        Without shrinkage every track of the catalogue has one in full, as SASRec's table of items: a track that was
        never heard then learns from being drawn as a random negative.
        """
        heard = counts.heard
        tracks = np.flatnonzero(heard) if id_shrinkage else np.arange(len(heard))
        row = np.zeros(len(heard), np.int64)
        row[tracks] = np.arange(1, len(tracks) + 1)
        factors = heard[tracks] / (heard[tracks] + id_shrinkage) if id_shrinkage else np.ones(len(tracks))

        def by_row(values: NDArray[np.generic]) -> NDArray[np.float32]:
            return np.concatenate([[0.0], values]).astype(np.float32)

        liked, disliked = counts.liked[tracks], counts.disliked[tracks]
        return Items(content, row, by_row(factors), by_row(liked), by_row(liked + disliked), likes)

    @property
    def like_share(self) -> float:
        """Share of likes among all labels, kept off 0 and 1 by one label of each kind."""
        return float((self.liked.sum() + 1.0) / (self.labelled.sum() + 2.0))

    @property
    def log_popularity(self) -> NDArray[np.float32]:
        """Logarithm of one more than each row's likes over their mean, (rows + 1,) float32."""
        likes = self.liked + 1.0
        return np.log(likes / likes.mean()).astype(np.float32)


def likes_of(log: EventLog) -> LabelMatrix:
    """Who liked what in a log, by the outcomes that say so."""
    labels = LabelMatrix.of(log.where(np.isin(log.outcome, LIKED)))
    return labels.where(labels.sign > 0)
