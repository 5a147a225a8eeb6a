"""What a retraining learns from: the parts of the history, the content, the opinions, what is missing; and, incrementally, which rows again.

New rows alone would make the sequence forget what the old ones taught it (catastrophic interference, McCloskey & Cohen
1989), so they are mixed with a replay of old ones (Robins 1995). A transformer learns from stretches of listening, so whole
stretches are replayed, drawn without replacement and the likelier the newer they are; how many there are is bounded, and
with it the time a training takes, however long the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.configuration import SequentialConfig, TrainingConfig
from recommender.events import EventLog, TimeSplit
from recommender.models.bayesian_taste import Opinions
from recommender.models.clep import ClepData
from recommender.models.model_card import Kind, Model
from recommender.models.model_scorer import Catalogue, rows_of
from recommender.models.numpy_inference import Standardisation
from recommender.models.parameter_shapes import Shapes, sequence_shapes
from recommender.sequence.negatives import standing_labels
from recommender.sequence.windows import NO_TARGET, following_positives
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
        if not np.any(following_positives(self.split.train) != NO_TARGET):
            missing.append("a like that follows another event in the older part of the history")
        return tuple(missing)


Arrays = Mapping[str, NDArray[np.generic]]

FULL_GROWTH = 0.2
"""Growth of the log since the last full training from which the next is full again."""
ROWS = 3000
"""Rows that an incremental training learns from in all: about what an epoch of a second goes through on one core."""
LEAST_REPLAY = 0.5
"""Share of these that is kept for old rows, however many are new."""
STRETCH = 64
"""Rows replayed together: as many as the sequence looks back."""
HALF_AS_LIKELY = 0.25
"""A stretch this share of the log older than another is half as likely to be replayed."""
EPOCHS = 10
"""Epochs at most: the weights are good to begin with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the sequence is trained on.

    Attributes:
        kind: in full or incrementally.
        why: the rule that decided.
        rows: the rows to learn from.
        new_rows: how many of them the parent has not learned from.
        parent: the model to go on from; None for a full training.
    """

    kind: Kind
    why: str
    rows: EventLog
    new_rows: int
    parent: Model | None

    @property
    def replayed_rows(self) -> int:
        """How many of the rows the parent has learned from."""
        return len(self.rows) - self.new_rows


def plan_training(
    log: EventLog, train: EventLog, config: TrainingConfig, live: Model | None, *, full: bool = False
) -> Plan:
    """Decide between a full and an incremental training, and draw the rows.

    Args:
        log: the whole history.
        train: the part that is learned from.
        config: what to train; another one than the live model's makes it full.
        live: the model in use, if any.
        full: whether a full training was asked for.
    """
    why = "asked for" if full else why_full(log, config, live)
    if why or live is None:
        return Plan(Kind.FULL, why, train, len(train), None)
    old = train.time <= live.card.lineage.trained_until
    new_rows = int(np.count_nonzero(~old))
    replayed = replay(int(np.count_nonzero(old)), max(ROWS - new_rows, int(LEAST_REPLAY * ROWS)), config.seed)
    kept = ~old
    kept[np.flatnonzero(old)[replayed]] = True
    grown = growth(log, live)
    why = f"the log grew by {grown:.0%} since the last full training"
    return Plan(Kind.INCREMENTAL, why, train.where(kept), new_rows, live)


def why_full(log: EventLog, config: TrainingConfig, live: Model | None) -> str:
    """Why a training has to be full; empty where an incremental one will do."""
    if live is None:
        return "no model to go on from"
    if live.card.configuration.sequential != config.sequential:
        return "other settings than the model in use"
    grown = growth(log, live)
    return f"the log grew by {grown:.0%}" if grown >= FULL_GROWTH else ""


def growth(log: EventLog, live: Model) -> float:
    """By what share the log grew since the last full training of the model's line."""
    before = live.card.lineage.full_rows
    return len(log) / before - 1.0 if before else np.inf


def replay(count: int, wanted: int, seed: int) -> NDArray[np.int64]:
    """Which of ``count`` old rows are learned from again: whole stretches, newer ones likelier.

    Drawn without replacement by the keys log(u) / weight (Efraimidis & Spirakis 2006), a reservoir over the stretches.

    Args:
        count: old rows there are, in time order.
        wanted: rows at most.
        seed: of the draw.

    Returns:
        Rising places among the old rows; all of them when they are no more than ``wanted``.
    """
    if count <= wanted:
        return np.arange(count)
    stretches = -(-count // STRETCH)
    age = (stretches - 1 - np.arange(stretches)) * STRETCH / count
    weight = 0.5 ** (age / HALF_AS_LIKELY)
    keys = np.log(np.random.default_rng(seed).random(stretches)) / weight
    chosen = np.sort(np.argsort(-keys)[: max(1, wanted // STRETCH)])
    rows = (chosen[:, None] * STRETCH + np.arange(STRETCH)).reshape(-1)
    return rows[rows < count].astype(np.int64)


def starting_weights(parent: Model, catalogue: Catalogue, rows: EventLog) -> dict[str, NDArray[np.float32]]:
    """The parent's weights, tracks and stations matched to a log; NaN where the parent knows none.

    Args:
        parent: the model to go on from.
        catalogue: what the log's indices mean.
        rows: the rows that will be learned from.
    """
    arrays, config = parent.arrays, parent.card.configuration.sequential
    start = {name: np.asarray(arrays[name], np.float32) for name in sequence_shapes(config, 1, 1, 1)}
    heard = np.flatnonzero(np.bincount(rows.track, minlength=rows.tracks))
    tracks = rows_of(catalogue.track_ids[heard], np.asarray(arrays["track_ids"], np.int64))
    known = int(rows.station.max(initial=-1)) + 1
    stations = rows_of(catalogue.station_ids[:known], np.asarray(arrays["station_ids"], np.int64))
    start |= {name: _matched(start[name], tracks) for name in by_track(config)}
    return start | {name: _matched(start[name], stations) for name in by_station(config)}


def by_track(config: SequentialConfig) -> tuple[str, ...]:
    """Arrays with a row for each track that the training knew, after a row 0 for all others."""
    return _growing(sequence_shapes(config, 1, 1, 1), sequence_shapes(config, 1, 2, 1))


def by_station(config: SequentialConfig) -> tuple[str, ...]:
    """Arrays with a row for each station that the training knew, after a row 0 for all others."""
    return _growing(sequence_shapes(config, 1, 1, 1), sequence_shapes(config, 1, 1, 2))


def _growing(few: Shapes, more: Shapes) -> tuple[str, ...]:
    return tuple(name for name, shape in few.items() if more[name] != shape)


def _matched(table: NDArray[np.float32], known: NDArray[np.int64]) -> NDArray[np.float32]:
    """(1 + k, …) row 0 as it is, then the rows ``known`` (k,) of the table, NaN for those that are 0."""
    found = table[known]
    found[known == 0] = np.nan
    return np.concatenate([table[:1], found])


def remembered(
    arrays: dict[str, NDArray[np.generic]], parent: Model, catalogue: Catalogue
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a new model with the parent's own embeddings of tracks that its rows did not hold.

    Args:
        arrays: of the new model, ``track_ids`` included.
        parent: the model it began with.
        catalogue: the library; tracks that are no longer in it are let go.
    """
    ids, theirs = np.asarray(arrays["track_ids"], np.int64), np.asarray(parent.arrays["track_ids"], np.int64)
    kept = np.flatnonzero((rows_of(theirs, ids) == 0) & (rows_of(theirs, catalogue.track_ids) > 0))
    added = {
        name: np.concatenate([arrays[name], np.asarray(parent.arrays[name])[kept + 1]])
        for name in by_track(parent.card.configuration.sequential)
    }
    return {**arrays, **added, "track_ids": np.concatenate([ids, theirs[kept]])}
