"""The library as the recommender knows it: tracks as integers, vectors, and codes for artists, albums and genres."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.spec import FrontEndSpec
from player.library.albums import Albums, load_works
from player.library.name_normalisation import find_versions
from player.library.query import QueryError, parse_query
from player.library.search import Heard, TrackIndex, heard_nothing
from player.library.sound_tags import SoundTags, sound_tags
from player.library.tracks import TrackRow, load_catalogue
from player.library.vectors import VectorTable
from player.stations.content_file import RAREST, Tracks, load_content, mean_log_probabilities
from player.stations.seeds import Seed
from player.stations.stations import StationInfo, genres_of, tracks_of_seed
from player.storage.database import Database
from recommender.models.content_space import (
    ContentSpace,
    LibrarySeed,
    TagSeed,
    TrackSeed,
    VectorSource,
    seed_similarity,
)
from recommender.models.content_space import Seed as ContentSeed
from recommender.ranking.rank import TrackTable

UNKNOWN = -1
"""The code of an empty name."""
LEAN = 0.5
"""Standard deviations of likeness to a station by which one of likeness to what it leans to counts: half a seed."""


@dataclass(frozen=True)
class Collection:
    """Every track the player has ever seen, by artist, album and number; the index of a track is its row.

    Attributes:
        rows: the tracks as the listener sees them.
        index: track id → row.
        playable: (n,) bool, whether a file is there.
        vectors: the front-end's vectors and tags, and the moods.
        space: the content space fitted to them.
        catalogue: what the ranking needs.
        frontend: whose vectors and tags they are.
        heard: the tags as they hold or do not.
    """

    rows: list[TrackRow]
    index: dict[int, int]
    playable: NDArray[np.bool_]
    vectors: VectorTable
    space: ContentSpace
    catalogue: TrackTable
    frontend: FrontEndSpec
    heard: SoundTags
    finder: TrackIndex
    """Finds rows for queries."""
    tag_levels: NDArray[np.float32]
    """(tags,) mean log probability of each tag over the library."""
    works: Albums
    """Works of several movements, as albums are of tracks."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The names of the tags and moods."""
        return self.heard.names

    @property
    def embedded(self) -> int:
        """How many playable tracks have a vector."""
        return int(np.count_nonzero(self.playable & (self.space.source == VectorSource.OWN)))

    def seeds(self, seeds: Sequence[Seed]) -> list[tuple[Seed, ContentSeed]]:
        """A station's seeds, each with what the content space understands; those that name nothing any more are left out."""
        found: list[tuple[Seed, ContentSeed]] = []
        for seed in seeds:
            if seed.kind == "library":
                found.append((seed, LibrarySeed()))
            elif seed.kind == "tag":
                column = self._tag(seed.value)
                if column is not None:
                    found.append((seed, TagSeed(column)))
            elif members := tracks_of_seed(seed, self.rows, self.search):
                found.append((seed, TrackSeed(np.array(members, np.int64))))
        return found

    def likeness(self, station: StationInfo) -> NDArray[np.float32]:
        """(n,) how close each track is to a station: see ``seed_similarity``."""
        leanings = [
            (content, LEAN * (1 if leaning.sign == "more" else -1))
            for leaning in station.leanings
            for _, content in self.seeds([leaning.seed])
        ]
        return seed_similarity(self.space, [content for _, content in self.seeds(station.seeds)], leanings)

    def named(self, seeds: Iterable[Seed]) -> NDArray[np.bool_]:
        """(n,) the rows that seeds name; a tag names those in which it is heard, the library all."""
        mask = np.zeros(len(self.rows), np.bool_)
        for seed in seeds:
            if seed.kind == "library":
                mask[:] = True
            elif seed.kind == "tag":
                mask |= self.heard.holding(seed.value)
            else:
                mask[tracks_of_seed(seed, self.rows, self.search)] = True
        return mask

    def search(self, query: str) -> list[int]:
        """The rows that meet a query, missing files too."""
        return np.flatnonzero(self.meeting(query)).tolist()

    def meeting(self, query: str, heard: Heard = heard_nothing) -> NDArray[np.bool_]:
        """(n,) which rows meet a query that is kept; one that means nothing any more finds none.

        Args:
            query: as it was written.
            heard: what the log adds up to.
        """
        try:
            return self.finder.meeting(parse_query(query), heard)
        except QueryError:
            return np.zeros(len(self.rows), np.bool_)

    def listened_to(self, row: int) -> bool:
        """Whether the track has tags of its own."""
        tags = self.vectors.tags
        return tags.shape[1] == len(self.tag_names) > 0 and bool(np.isfinite(tags[row]).all())

    def tag_lift(self, rows: int | NDArray[np.int64]) -> NDArray[np.float32]:
        """(tags,) or (k, tags): log probability of each tag above the library's mean.

        "rock" is probable for nearly everything; what tells a track apart is by how much more it is so for this one.
        """
        return np.log(np.maximum(self.vectors.tags[rows], RAREST)) - self.tag_levels

    def _tag(self, name: str) -> NDArray[np.float32] | None:
        folded = [tag.casefold() for tag in self.tag_names]
        tags = self.vectors.tags
        if name.casefold() not in folded or tags.shape[1] != len(folded):
            return None
        return tags[:, folded.index(name.casefold())]


def load_rows(database: Database) -> list[TrackRow]:
    """Every track, missing ones too, by artist, album and number."""
    with database.reader() as session:
        return load_catalogue(session)


def load_collection(database: Database, frontend: str = DEFAULT_FRONTEND) -> Collection:
    """Load tracks and vectors and fit the content space."""
    rows = load_rows(database)
    ids = np.array([row.id for row in rows], np.int64)
    artist, guests = artist_codes(rows)
    tracks = Tracks(ids, artist, codes(next(iter(genres_of(row)), "") for row in rows))
    with database.reader() as session:
        content = load_content(session, database.path, frontend, tracks)
        works = load_works(session, rows)
        heard = sound_tags(session, content.table, frontend)
    tags, space = heard.probabilities, content.space
    moods = tags is not content.table.tags
    return Collection(
        rows=rows,
        index={track_id: row for row, track_id in enumerate(ids.tolist())},
        playable=np.array([not row.missing for row in rows], np.bool_),
        vectors=replace(content.table, tags=tags),
        space=space,
        catalogue=TrackTable(
            ids=ids,
            vectors=space.vectors,
            artist=artist,
            album=codes(row.album_key if row.album else "" for row in rows),
            guests=guests,
            versions=find_versions(rows, artist.tolist()),
        ),
        frontend=frontend_spec(frontend),
        heard=heard,
        finder=TrackIndex(database, rows, lambda: heard),
        tag_levels=mean_log_probabilities(tags) if moods else content.tag_levels,
        works=works,
    )


def artist_codes(rows: Sequence[TrackRow]) -> tuple[NDArray[np.int64], dict[int, tuple[int, ...]]]:
    """(n,) the code of each track's first artist, and those of the further ones by row."""
    firsts = [row.all_artists[0] for row in rows]
    further = [(row, name) for row, track in enumerate(rows) for name in track.artists[1:]]
    known = codes([*firsts, *(name for _row, name in further)])
    guests: dict[int, tuple[int, ...]] = {}
    for (row, _name), code in zip(further, known[len(rows) :], strict=True):
        guests[row] = (*guests.get(row, ()), int(code))
    return known[: len(rows)], guests


def codes(names: Iterable[str]) -> NDArray[np.int64]:
    """(n,) one integer a different name, blind to case; ``UNKNOWN`` for an empty one."""
    known: dict[str, int] = {}
    of_name = {"": UNKNOWN}
    values: list[int] = []
    for name in names:
        if name not in of_name:
            of_name[name] = known.setdefault(name.casefold(), len(known))
        values.append(of_name[name])
    return np.array(values, np.int64)
