"""What a station thinks of every track: the library and its stations as the recommender's live score wants them."""

from collections.abc import Collection as Keys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from player.feedback.event_log_adapter import InteractionRows
from player.feedback.labels import Labels
from player.feedback.play_counts import StationPlays, TimesPlayed
from player.stations.collection import Collection
from player.stations.reason_keys import muted_of, seeds_left
from player.stations.seed_similarity import Likeness, StationLikeness
from player.stations.stations import Seed, StationInfo
from recommender.models.content_space import seed_similarity
from recommender.models.model_card import FrontEndId, Model
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.station_scorer import LiveScorer, LiveScores

CONTENT_VERSION = "content"
"""The model version while nothing was trained: seeds and the running update alone."""
NOWHERE = 0
"""The station id of events told without a station."""


def frontend_id(collection: Collection) -> FrontEndId:
    """Which vectors the collection holds, as a model's card names them."""
    return FrontEndId(collection.frontend.name, collection.frontend.version, collection.vectors.vectors.shape[1])


def station_indices(stations: Sequence[StationInfo]) -> dict[int, int]:
    """Station id → index, as :func:`learning_catalogue` orders them."""
    return {station.id: index for index, station in enumerate(stations)}


def learning_catalogue(
    collection: Collection, stations: Sequence[StationInfo], only: StationInfo | None = None
) -> Catalogue:
    """The collection and its stations as models are trained and measured on them.

    The last station, with id 0, stands for events told without one.

    Args:
        collection: the library, with vectors.
        stations: all there are.
        only: the one whose likeness is needed; of every station when absent.
    """
    similarity = np.zeros((len(stations) + 1, len(collection)), np.float32)
    for index, station in enumerate(stations):
        if only is None or station.id == only.id:
            seeds = [content for _, content in collection.seeds(station.seeds)]
            similarity[index] = seed_similarity(collection.space, seeds)
    return Catalogue(
        track_ids=collection.catalogue.ids,
        station_ids=np.array([*(station.id for station in stations), NOWHERE], np.int64),
        vectors=collection.vectors.vectors,
        frontend=frontend_id(collection),
        seed_similarity=similarity,
        space=collection.space,
        everywhere=len(stations),
    )


class StationScorer:
    """Scores every track for one station; keeps what does not change between events.

    Args:
        collection: the library.
        stations: all there are: the sequence model knows events of each.
        station: the one to score for.
        model: the trained model, if any.
        apply: what applies it to a catalogue.
    """

    def __init__(
        self,
        collection: Collection,
        stations: Sequence[StationInfo],
        station: StationInfo,
        model: Model | None,
        apply: type[ModelScorer] = ModelScorer,
    ) -> None:
        self.collection = collection
        self.station = station
        self.version = CONTENT_VERSION if model is None else model.card.version
        self._all = tuple(stations)
        self._model = model
        self._apply = apply
        self._stations = station_indices(stations)
        self._interactions = InteractionRows(collection.index, self._stations)
        self.plays = StationPlays(collection.index, station.id)
        self.times_played = TimesPlayed(collection.index)
        self._last: _Scored | None = None
        self._seeded_by(station.seeds)

    def _seeded_by(self, seeds: tuple[Seed, ...]) -> None:
        """Score by these seeds of the station from now on; at 100,000 tracks this takes a moment."""
        self.seeds = seeds
        station = replace(self.station, seeds=seeds)
        stations = [station if one.id == station.id else one for one in self._all]
        catalogue = learning_catalogue(self.collection, stations, only=station)
        self._live = LiveScorer(catalogue, None if self._model is None else self._apply(self._model, catalogue))
        self._likeness = StationLikeness(self.collection, station, catalogue.similarity(self._stations[station.id]))

    @property
    def lost_seeds(self) -> tuple[Seed, ...]:
        """The seeds that count but name nothing in the library any more."""
        return tuple(seed for seed in self.seeds if seed not in self._likeness.known_seeds)

    def likeness(self, row: int) -> Likeness:
        """The seed a track is closest to, and what they share."""
        return self._likeness.of(row)

    def score(self, labels: Labels, now: float, muted: Keys[str] = frozenset()) -> LiveScores:
        """Score every track; asked the same again, as a mode does that has to know the scores first, it answers the same.

        Args:
            labels: what the whole log says about taste, in time order.
            now: seconds since 1970.
            muted: the reasons that count no more on this station, by their keys.
        """
        asked = frozenset(muted)
        seeds = seeds_left(self.station.seeds, muted)
        if seeds != self.seeds:
            self._seeded_by(seeds)
            self._last = None
        last = self._last
        if last is not None and last.labels is labels and (last.now, last.muted) == (now, asked):
            return last.scores
        left_out = muted_of(muted, self.collection.index)
        log = self._interactions.of(labels)
        scores = self._live.scores(log, self._stations[self.station.id], now, left_out)
        self._last = _Scored(labels, now, asked, scores)
        return scores


@dataclass(frozen=True, slots=True)
class _Scored:
    """What was asked last, and the answer."""

    labels: Labels
    now: float
    muted: frozenset[str]
    scores: LiveScores
