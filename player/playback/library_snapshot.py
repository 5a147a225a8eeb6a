"""All that is read to listen: the library, its search, the log, and the model that serves."""

import gc
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from player.feedback.event_history import EventHistory, load_history
from player.folders import Paths
from player.learning.served_model import load_served_model
from player.library.query import QueryError, Words, leaves, parse_query
from player.library.search import TrackIndex
from player.library.sound_tags import SoundTags
from player.library.tracks import TrackRow
from player.stations.collection import Collection, load_collection
from player.stations.station_scoring import CONTENT_VERSION
from player.stations.stations import SeedNames
from player.storage.database import Database
from recommender.models.model_card import Model


@dataclass(frozen=True, slots=True)
class LibrarySnapshot:
    """Library, log and model as they were read.

    Attributes:
        collection: every track, with vectors.
        playable: those with a file, as search and lists index them.
        index: finds tracks.
        seeds: finds seeds for stations.
        history: the log and what follows from it.
        model: the trained model that serves, if any.
        problem: why a trained model does not serve; empty when it does.
    """

    collection: Collection
    playable: list[TrackRow]
    index: TrackIndex
    seeds: SeedNames
    history: EventHistory
    model: Model | None
    problem: str

    @property
    def model_version(self) -> str:
        """What chooses."""
        return CONTENT_VERSION if self.model is None else self.model.card.version

    def seed_suggestions(self, text: str) -> list[tuple[str, str, int]]:
        """(kind, value, tracks) of seeds whose name contains ``text``, and the text as a search where it finds any track.

        A search that names a field, as in ``genre:jazz year:1990-``, is meant as one and comes first.
        """
        named = self.seeds.search(text)
        try:
            asked = leaves(parse_query(text))
            found = len(self.index.search(text, heard=self.history.state.heard)) if asked else 0
        except QueryError:
            return named
        query = [("query", " ".join(text.split()), found)] if found else []
        plain = all(isinstance(leaf, Words) and not leaf.field for leaf in asked)
        return [*named, *query] if plain else [*query, *named]

    def playable_track(self, track_id: int | None) -> TrackRow | None:
        """The track of that id, where its file is there."""
        row = None if track_id is None else self.collection.index.get(track_id)
        return None if row is None or not self.collection.playable[row] else self.collection.rows[row]

    def title(self, track_id: int) -> str:
        """A track's title; empty for an unknown one."""
        row = self.collection.index.get(track_id)
        return "" if row is None else self.collection.rows[row].title


@contextmanager
def reading() -> Generator[None]:
    """Read what stays, and is no cycle to be found: the collector of those rests meanwhile, and passes over all of it from then on.

    It would walk through a large library again and again, and hold up the screen each time.
    """
    gc.collect()
    resting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if resting:
            gc.enable()


@reading()
def read_library(database: Database, paths: Paths) -> LibrarySnapshot:
    """Read everything; at 100,000 tracks this takes seconds."""
    collection = load_collection(database)
    playable = [row for row in collection.rows if not row.missing]
    heard = SoundTags(collection.tag_names, collection.vectors.tags[collection.playable])
    finding = load_served_model(paths, collection)
    return LibrarySnapshot(
        collection=collection,
        playable=playable,
        index=TrackIndex(database, playable, lambda: heard),
        seeds=SeedNames(playable, collection.tag_names),
        history=load_history(database, collection.rows),
        model=finding.model,
        problem=finding.problem,
    )
