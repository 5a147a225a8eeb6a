"""What a station thinks of every track: the library and its stations as the recommender's live score wants them."""

from collections.abc import Collection as Keys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from player.feedback.labels import InteractionRows, Labels
from player.feedback.play_counts import StationPlays, TimesPlayed
from player.stations.collection import Collection
from player.stations.reason_keys import muted_of, seeds_left
from player.stations.seeds import Seed, describe_seeds
from player.stations.stations import StationInfo
from recommender.models.content_space import TrackSeed, seed_columns
from recommender.models.model_card import FrontEndId, Model
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.station_scorer import LiveScorer, LiveScores

MOST_TAGS = 2
"""In a reason; the line has to fit beside the queue."""
LONGEST_SEED = 24
"""Characters of a seed's name in a reason."""
HALF = 0.5
"""A tag holds for a seed of several tracks when it holds for this share of those that were listened to."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """One track beside the seed it is closest to.

    Attributes:
        seed: the seed in words; empty when the station prefers nothing.
        text: the whole reason, when tags tell more than the seed alone; else empty.
        of: the seed itself.
    """

    seed: str
    text: str = ""
    of: Seed | None = None


class StationLikeness:
    """Puts into words why tracks are near a station's seeds.

    Args:
        collection: the library.
        station: the station.
        similarity: (n,) every track's likeness to it; all zero for a station that prefers nothing.
    """

    def __init__(self, collection: Collection, station: StationInfo, similarity: NDArray[np.float32]) -> None:
        self._collection = collection
        self._found = collection.seeds(station.seeds)
        self._words = [_words(seed, collection) for seed, _ in self._found]
        self._prefers = bool(similarity.any())
        self._known: dict[int, NDArray[np.int64]] = {}
        self._lifts: dict[int, NDArray[np.float32]] = {}
        self._held: dict[tuple[int, str], bool] = {}
        """By the seed's number: looked up once, for a seed may be an artist or a genre of thousands of tracks."""

    @cached_property
    def _nearest(self) -> NDArray[np.int64]:
        """(n,) the number of the seed that each track is closest to."""
        contents = [content for _, content in self._found]
        if len(contents) == 1:
            return np.zeros(len(self._collection), np.int64)
        return np.argmax(seed_columns(self._collection.space, contents), axis=0)

    @property
    def known_seeds(self) -> tuple[Seed, ...]:
        """The station's seeds that name something in the library."""
        return tuple(seed for seed, _ in self._found)

    def of(self, row: int) -> Likeness:
        """The track's nearest seed and what they share."""
        if not self._prefers:
            return Likeness("")
        number = int(self._nearest[row])
        seed, content = self._found[number]
        words = self._words[number]
        if isinstance(content, TrackSeed):
            if seed.kind == "track" and row in content.tracks:
                return Likeness(words, "this station's seed", seed)
            tags = self._shared(row, number)
            return Likeness(words, f"{', '.join(tags)} like {words}" if tags else "", seed)
        tags = self._asked_for(row, seed)
        return Likeness(words, f"heard in it: {', '.join(tags)}" if tags else "", seed)

    def _shared(self, row: int, number: int) -> tuple[str, ...]:
        """The tags that hold for the track and for its seed, those first that mark both most."""
        tags = self._collection.heard
        if not self._collection.listened_to(row):
            return ()
        if number not in self._lifts:
            self._lifts[number] = self._lift_of(number)
        lift = np.minimum(self._collection.tag_lift(row), self._lifts[number])
        names = (tags.names[column] for column in np.argsort(-lift) if lift[column] > 0)
        return _apart(name for name in names if tags.holding(name)[row] and self._holds_for(number, name))

    def _asked_for(self, row: int, seed: Seed) -> tuple[str, ...]:
        """A seed's tag and the one that marks the track most beside it; nothing where the seed's does not hold."""
        tags = self._collection.heard
        if not tags.holding(seed.value)[row]:
            return ()
        lift = self._collection.tag_lift(row)
        names = [tags.names[column] for column in np.argsort(-lift) if lift[column] > 0]
        return _apart([seed.value, *(name for name in names if tags.holding(name)[row])])

    def _holds_for(self, number: int, name: str) -> bool:
        if (number, name) not in self._held:
            known = self._listened_to(number)
            self._held[number, name] = bool(self._collection.heard.holding(name)[known].mean() >= HALF)
        return self._held[number, name]

    def _lift_of(self, number: int) -> NDArray[np.float32]:
        """(tags,) how much more probable each tag is for the seed's tracks than for the library; never for none."""
        known = self._listened_to(number)
        if not len(known):
            return np.full(len(self._collection.tag_names), -np.inf, np.float32)
        return self._collection.tag_lift(known).mean(axis=0)

    def _listened_to(self, number: int) -> NDArray[np.int64]:
        """Rows of those tracks of a seed that have tags of their own."""
        if number not in self._known:
            _, seed = self._found[number]
            assert isinstance(seed, TrackSeed), "only seeds of tracks share tags"
            self._known[number] = seed.tracks[np.isfinite(self._collection.vectors.tags[seed.tracks]).all(axis=1)]
        return self._known[number]


def _apart(names: Iterator[str] | list[str]) -> tuple[str, ...]:
    """The first few, without those that another one contains: "rock" says what "indie rock" does."""
    chosen: list[str] = []
    for name in map(str.lower, names):
        if not any(name in other or other in name for other in chosen):
            chosen.append(name)
        if len(chosen) == MOST_TAGS:
            break
    return tuple(chosen)


def _words(seed: Seed, collection: Collection) -> str:
    """The seed as a reason calls it, cut to fit; a title keeps its closing quotation mark."""
    words = describe_seeds([seed], collection.rows).removeprefix(f"{seed.kind} ")
    if len(words) <= LONGEST_SEED:
        return words
    end = "…”" if words.endswith("”") else "…"
    return words[: LONGEST_SEED - len(end)].rstrip() + end


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
            similarity[index] = collection.likeness(station)
    return Catalogue(
        track_ids=collection.catalogue.ids,
        station_ids=np.array([*(station.id for station in stations), NOWHERE], np.int64),
        vectors=collection.vectors.vectors,
        frontend=frontend_id(collection),
        seed_similarity=similarity,
        space=collection.space,
        everywhere=len(stations),
        artist=collection.catalogue.artist,
        album=collection.catalogue.album,
    )


class StationScorer:
    """Scores every track for one station; keeps what does not change between events.

    Args:
        collection: the library.
        stations: all there are: the sequence model knows events of each.
        station: the one to score for.
        model: the trained model, if any.
        apply: what applies it to a catalogue.
        live: what scores in a state; a plain rule in trials.
    """

    def __init__(
        self,
        collection: Collection,
        stations: Sequence[StationInfo],
        station: StationInfo,
        model: Model | None,
        apply: type[ModelScorer] = ModelScorer,
        live: type[LiveScorer] = LiveScorer,
    ) -> None:
        self.collection = collection
        self.station = station
        self.version = CONTENT_VERSION if model is None else model.card.version
        self._all = tuple(stations)
        self._model = model
        self._apply = apply
        self._scores_by = live
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
        self._live = self._scores_by(catalogue, None if self._model is None else self._apply(self._model, catalogue))
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
