"""What a retraining learns from: the parts of the history, the content, the opinions; and what is missing for one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog, TimeSplit
from recommender.models.bayesian_taste import Opinions
from recommender.models.clep import ClepData
from recommender.models.model_scorer import Catalogue
from recommender.models.numpy_inference import Standardisation
from recommender.sequence.negatives import standing_labels
from recommender.sequence.windows import NO_TARGET, next_positives
from recommender.training.history_evaluation import split_with_pairs

FEWEST_LABELS = 20
"""Labelled events before anything is trained: fewer cannot be split three ways."""
FEWEST_OF_A_KIND = 5
FEWEST_VECTORS = 10
"""Tracks with feedback whose sound is known, before CLEP can learn from them."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to learn from.

    Attributes:
        log: the whole history.
        catalogue: its tracks and stations.
        split: the history in time order: train | validation | gate.
        standardisation: of the content vectors.
        content: (n, dim) float32, standardised; zero rows for tracks without a vector.
        heard: (n,) bool, which tracks have a vector.
        most_songs: newest opinions that the content model learns from.
    """

    log: EventLog
    catalogue: Catalogue
    split: TimeSplit
    standardisation: Standardisation
    content: NDArray[np.float32]
    heard: NDArray[np.bool_]
    most_songs: int

    @classmethod
    def of(cls, log: EventLog, catalogue: Catalogue, most_songs: int) -> "Material":
        """Split the log and standardise the vectors.

        Raises:
            ValueError: when log and catalogue do not fit together.
        """
        if log.tracks != len(catalogue.track_ids):
            raise ValueError(f"the log is about {log.tracks} tracks, the catalogue has {len(catalogue.track_ids)}")
        if len(log) and log.station.max() >= len(catalogue.station_ids):
            raise ValueError(
                f"the log names station {log.station.max()}, the catalogue has {len(catalogue.station_ids)}"
            )
        standardisation = Standardisation.of(catalogue.vectors)
        return cls(
            log,
            catalogue,
            split_with_pairs(log),
            standardisation,
            standardisation.apply(catalogue.vectors),
            np.isfinite(catalogue.vectors).sum(axis=1) == catalogue.vectors.shape[1],
            most_songs,
        )

    @property
    def seen(self) -> EventLog:
        """The rows that training, stopping and blending may look at: all before the gate slice."""
        return self.log.first(len(self.split.train) + len(self.split.validation))

    def songs(self, log: EventLog) -> ClepData:
        """Tracks with a standing opinion in these rows and a content vector."""
        rows, label = standing_labels(log, np.zeros(len(log), np.int64))
        known = self.heard[log.track[rows]]
        rows, label = rows[known], label[known]
        newest = np.argsort(rows)[-self.most_songs :]
        return ClepData(self.content[log.track[rows[newest]]], label[newest] > 0)

    def opinions(self) -> Opinions:
        """What every station thinks of tracks whose sound is known, each opinion with its weight."""
        log = self.split.train
        rows, label = standing_labels(log, log.station - log.station.min())
        known = self.heard[log.track[rows]]
        newest = np.argsort(rows[known])[-self.most_songs :]
        rows, label = rows[known][newest], label[known][newest]
        return Opinions(self.content[log.track[rows]], label > 0, log.weight[rows])

    def missing(self) -> tuple[str, ...]:
        """What is missing before there can be a model, a sentence each; empty when nothing is."""
        return self._missing_labels() or self._missing_parts()

    def _missing_labels(self) -> tuple[str, ...]:
        positives, negatives = self.log.positives, self.log.negatives
        labels = positives + negatives
        missing: list[str] = []
        if labels < FEWEST_LABELS:
            more = FEWEST_LABELS - labels
            missing.append(f"{more} more thumbs, skips or finished tracks (have {labels} of {FEWEST_LABELS})")
        for count, kind in ((positives, "likes or finished tracks"), (negatives, "dislikes or skips")):
            if count < FEWEST_OF_A_KIND:
                missing.append(f"at least {FEWEST_OF_A_KIND} {kind} (have {count})")
        return tuple(missing)

    def _missing_parts(self) -> tuple[str, ...]:
        missing: list[str] = []
        songs = self.songs(self.split.train)
        if len(songs) < FEWEST_VECTORS:
            missing.append(
                f"the sound of at least {FEWEST_VECTORS} tracks with feedback (have {len(songs)}): embed them"
            )
        elif not np.any(songs.liked) or np.all(songs.liked):
            kind = "disliked" if np.any(songs.liked) else "liked"
            missing.append(f"a {kind} track in the older part of the history, which is what is learned from")
        if not np.any(next_positives(self.split.train) != NO_TARGET):
            missing.append("a like that follows another event in the older part of the history")
        return tuple(missing)
