"""What makes a track like its station: the seed it is closest to, and the tags heard in both."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.stations.collection import Collection
from player.stations.stations import Seed, StationInfo, describe_seeds
from recommender.models.content_space import TrackSeed, seed_columns

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
        self._nearest = (
            np.argmax(seed_columns(collection.space, [content for _, content in self._found]), axis=0)
            if similarity.any()
            else None
        )
        self._known: dict[int, NDArray[np.int64]] = {}
        self._lifts: dict[int, NDArray[np.float32]] = {}
        self._held: dict[tuple[int, str], bool] = {}
        """By the seed's number: looked up once, for a seed may be an artist or a genre of thousands of tracks."""

    @property
    def known_seeds(self) -> tuple[Seed, ...]:
        """The station's seeds that name something in the library."""
        return tuple(seed for seed, _ in self._found)

    def of(self, row: int) -> Likeness:
        """The track's nearest seed and what they share."""
        if self._nearest is None:
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
