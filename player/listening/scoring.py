"""What a station thinks of every track: seeds, the trained models, and what was said since they were trained."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from player.listening.collection import Collection
from player.listening.interactions import LabelledEvent, build_log
from player.listening.stations import StationInfo, describe_seeds
from recommender.blend import Column
from recommender.content import seed_columns, seed_similarity
from recommender.events import Outcome
from recommender.explain import Part, ScoreParts
from recommender.model import FrontEndId, Model
from recommender.running import Head, fit_head
from recommender.scoring import Catalogue as LearningCatalogue
from recommender.scoring import ModelScorer

CONTENT_VERSION = "content"
"""The model version while nothing was trained: seeds and the running update alone."""
STATION_PULL = 3.0
"""Logits for one standard deviation of likeness to the seeds: what makes a station that station. It is no estimate of
liking and is never fitted: within a station all that was served lay near the seeds, so a fit would see no use in it."""
OTHER_STATION_SHARE = 0.3
"""How much a label from another station counts: a dislike at a party says little about the evening."""
NOWHERE = 0
"""The station id of events told without a station."""
HEAD_ROWS = 1000
"""The newest labels that the running update looks at; a fit takes about a millisecond."""
PART_OF = {
    Column.SEED: Part.SEED,
    Column.CLEP: Part.CLEP,
    Column.SEQUENCE: Part.SEQUENCE,
    Column.LIKING: Part.REPETITION,
    Column.HEARD: Part.REPETITION,
    Column.REST: Part.REPETITION,
    Column.PLAYS: Part.REPETITION,
}
PARTS = (Part.SEED, Part.HEAD, Part.CLEP, Part.SEQUENCE, Part.REPETITION)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A trained model, ready to score one collection in numpy.

    Attributes:
        scorer: the model over the collection's tracks.
        stations: station id → index, as the scorer knows them.
    """

    scorer: ModelScorer
    stations: dict[int, int]

    @property
    def version(self) -> str:
        """Its name."""
        return self.scorer.model.card.version

    @property
    def seen_until(self) -> float:
        """Seconds since 1970 of the last event it was trained on."""
        return self.scorer.model.card.seen_until


def learning_catalogue(
    collection: Collection, stations: Sequence[StationInfo], similarity: NDArray[np.float32] | None = None
) -> LearningCatalogue:
    """The collection and its stations as models are trained and measured on them.

    The last station, with id 0, stands for events told without one.

    Args:
        collection: the library, with vectors.
        stations: those there are.
        similarity: (stations + 1, n) likeness to their seeds where it is known or not needed; computed when absent.
    """
    if similarity is None:
        rows = [
            seed_similarity(collection.space, [content for _, content in collection.seeds(station.seeds)])
            for station in stations
        ]
        similarity = np.stack([*rows, np.zeros(len(collection), np.float32)])
    return LearningCatalogue(
        track_ids=collection.catalogue.ids,
        station_ids=np.array([*(station.id for station in stations), NOWHERE], np.int64),
        vectors=collection.vectors.vectors,
        frontend=frontend_id(collection),
        seed_similarity=similarity,
    )


def frontend_id(collection: Collection) -> FrontEndId:
    """Which vectors the collection holds, as a model's card names them."""
    return FrontEndId(collection.frontend.name, collection.frontend.version, collection.vectors.vectors.shape[1])


def station_indices(stations: Sequence[StationInfo]) -> dict[int, int]:
    """Station id → index, as :func:`learning_catalogue` orders them."""
    return {station.id: index for index, station in enumerate(stations)}


def serve_model(model: Model, collection: Collection, stations: Sequence[StationInfo]) -> ServedModel:
    """Prepare a trained model for a collection and the stations there are now.

    Raises:
        ValueError: the model was trained on other vectors.
    """
    # Each station's own likeness is put in by its scorer; computing all of them here would delay the start.
    unknown = np.zeros((len(stations) + 1, len(collection)), np.float32)
    return ServedModel(ModelScorer(model, learning_catalogue(collection, stations, unknown)), station_indices(stations))


@dataclass(frozen=True, slots=True)
class Scores:
    """What a station thinks of every track.

    Attributes:
        total: (n,) logits.
        parts: the same by part; they sum to ``total``.
        head: the running update.
        labels: what it was fitted on: features, liked, track rows.
    """

    total: NDArray[np.float64]
    parts: ScoreParts
    head: Head
    labels: "HeadLabels"


@dataclass(frozen=True, slots=True)
class HeadLabels:
    """The rows of the running update, one for each label."""

    track: NDArray[np.int64]
    label: NDArray[np.int8]
    weight: NDArray[np.float64]
    outcome: NDArray[np.int8]


@dataclass(slots=True)
class StationScorer:
    """Scores every track for one station; keeps what does not change between events.

    Args:
        collection: the library.
        station: the station.
        model: the trained model, if any.
    """

    collection: Collection
    station: StationInfo
    model: ServedModel | None
    _seed_words: list[str] = field(init=False)
    _similarity: NDArray[np.float32] = field(init=False)
    _seed_columns: NDArray[np.float64] = field(init=False)
    _last_head: Head | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Compute the likeness to the seeds, once."""
        collection = self.collection
        found = collection.seeds(self.station.seeds)
        self._seed_words = [describe_seeds([seed], collection.rows).removeprefix(f"{seed.kind} ") for seed, _ in found]
        content_seeds = [content for _, content in found]
        self._similarity = seed_similarity(collection.space, content_seeds)
        self._seed_columns = seed_columns(collection.space, content_seeds)

    @property
    def version(self) -> str:
        """The model version that decisions are logged with."""
        return CONTENT_VERSION if self.model is None else self.model.version

    def nearest_seed(self, row: int) -> str:
        """The seed a track is closest to, in words; empty when the station prefers nothing."""
        if not len(self._seed_columns) or not self._similarity.any():
            return ""
        return self._seed_words[int(np.argmax(self._seed_columns[:, row]))]

    def score(self, labelled: Sequence[LabelledEvent], now: float) -> Scores:
        """Score every track.

        Args:
            labelled: what the whole log says about taste, in time order.
            now: seconds since 1970.
        """
        logits = np.zeros((len(PARTS), len(self.collection)), np.float64)
        logits[PARTS.index(Part.SEED)] = STATION_PULL * self._similarity
        if self.model is not None:
            self._add_model(logits, self.model, labelled, now)
        labels = self._head_labels(labelled)
        head = self._fit(labels, logits.sum(axis=0))
        logits[PARTS.index(Part.HEAD)] = head.contribution(self.collection.space.vectors)
        return Scores(logits.sum(axis=0), ScoreParts(PARTS, logits), head, labels)

    def _add_model(
        self, logits: NDArray[np.float64], model: ServedModel, labelled: Sequence[LabelledEvent], now: float
    ) -> None:
        log = build_log(labelled, self.collection.index, model.stations)
        station = model.stations.get(self.station.id, len(model.stations))
        columns = model.scorer.columns(log, station, now)
        columns[:, Column.SEED] = self._similarity
        contributions = model.scorer.model.card.blend.contributions(columns)
        for column in Column:
            logits[PARTS.index(PART_OF[column])] += contributions[:, column]

    def _head_labels(self, labelled: Sequence[LabelledEvent]) -> HeadLabels:
        """The labels given since the model was trained, those of this station at their full weight."""
        since = -np.inf if self.model is None else self.model.seen_until
        index = self.collection.index
        recent = [
            item
            for item in labelled[-HEAD_ROWS:]
            if item.event.seconds > since and item.signal.label and item.event.track_id in index
        ]
        share = [self._share(item) for item in recent]
        return HeadLabels(
            track=np.array([index[item.event.track_id] for item in recent], np.int64),
            label=np.array([item.signal.label for item in recent], np.int8),
            weight=np.array([item.signal.weight for item in recent], np.float64) * np.array(share, np.float64),
            outcome=np.array([item.signal.outcome for item in recent], np.int8),
        )

    def _share(self, item: LabelledEvent) -> float:
        everywhere = item.signal.outcome == Outcome.NEVER
        return 1.0 if everywhere or item.event.station_id == self.station.id else OTHER_STATION_SHARE

    def _fit(self, labels: HeadLabels, offset: NDArray[np.float64]) -> Head:
        features = self.collection.space.vectors[labels.track]
        head = fit_head(features, labels.label, labels.weight, offset[labels.track], start=self._last_head)
        self._last_head = head
        return head
