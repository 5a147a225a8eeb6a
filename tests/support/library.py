"""A listener's data with real music in it: the demo library, or tones, scanned into a real database.

The vectors are not what a network heard: they are seeded random numbers, alike within a genre (or within a group of
tones), which is all that stations, queues and training need in order to be tested. Nothing here claims more of them.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sqlalchemy import update

from embeddings.loudness import Loudness
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from player.config import Paths, Settings, settings_of
from player.demo import demo_music
from player.library.loudness import REFERENCE_LUFS, store_loudness
from player.library.scan import scan
from player.library.tracks import TrackRow, load_catalogue
from player.library.vectors import store_embedding
from player.stations.seeds import parse_seed
from player.stations.stations import StationInfo, Stations
from player.storage.database import Database, open_database
from player.storage.models import Station
from tests.support.tones import write_tones

CARD = frontend_spec(DEFAULT_FRONTEND)
SCATTER = 0.6
"""How far tracks of one group lie apart, where groups lie 1 apart in every dimension."""


@dataclass(frozen=True)
class Home:
    """A data folder with an open database."""

    paths: Paths
    database: Database

    @property
    def rows(self) -> list[TrackRow]:
        with self.database.reader() as session:
            return load_catalogue(session)

    @property
    def track_ids(self) -> list[int]:
        return [row.id for row in self.rows]

    def station(self, name: str = "Evening", *seeds: str) -> StationInfo:
        """Make a station, of the whole library without seeds; its noise is the same in every run."""
        parsed = [parse_seed(seed) for seed in seeds or ("library",)]
        made = Stations(self.database).create(name, parsed, self.rows, CARD.tag_names)
        with self.database.session() as session:
            session.execute(update(Station).where(Station.id == made.id).values(noise_seed=made.id))
        return replace(made, noise_seed=made.id)

    def close(self) -> None:
        self.database.close()


def paths_in(folder: Path) -> Paths:
    return Paths(data=folder, config=folder, cache=folder / "cache")


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "player.db")
        open_database(path).close()
        return path.read_bytes()


def new_database(path: Path) -> Database:
    """A database, empty where there is none yet: migrated once a process, as migrating takes a dozen tests' time."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty())
    return open_database(path)


def open_home(folder: Path) -> Home:
    paths = paths_in(folder)
    return Home(paths, new_database(paths.database))


def settings(**station) -> Settings:
    """Silent, but in real time; ``station`` sets the dials."""
    return settings_of({"audio": {"engine": "null"}, "station": station})


def make_library(folder: Path, music: Sequence[Path], *, vectors: bool = True) -> None:
    """Scan ``music`` into a new data folder and give every track a vector."""
    home = open_home(folder)
    try:
        scan(home.database, music)
        if vectors:
            give_vectors(home.database)
    finally:
        home.close()


def make_demo_library(folder: Path) -> None:
    """The 24 demo tracks in a new data folder."""
    make_library(folder, [demo_music()])


def copy_home(template: Path, folder: Path) -> Home:
    """A data folder of one's own, as ``template`` was when it was closed."""
    shutil.copytree(template, folder)
    return open_home(folder)


def give_vectors(database: Database, seed: int = 0) -> None:
    """Store a vector and tags for every track, random numbers alike within a genre, and a loudness that asks for no gain."""
    rng = np.random.default_rng(seed)
    with database.reader() as session:
        rows = load_catalogue(session)
    genres = sorted({row.genre for row in rows})
    centres = {genre: rng.standard_normal(CARD.dimension) for genre in genres}
    tags = {genre: rng.uniform(0.01, 0.6, len(CARD.tag_names)) for genre in genres}
    with database.session() as session:
        for row in sorted(rows, key=lambda row: row.id):
            vector = centres[row.genre] + SCATTER * rng.standard_normal(CARD.dimension)
            shown = np.clip(tags[row.genre] * rng.uniform(0.7, 1.3, len(CARD.tag_names)), 0, 1)
            store_embedding(
                session,
                row.id,
                CARD.name,
                CARD.version,
                vector=vector.astype("<f4").tobytes(),
                tags=shown.astype("<f4").tobytes(),
                error=None,
            )
            store_loudness(session, row.id, Loudness(REFERENCE_LUFS, -6.0))


def write_songs(folder: Path, count: int, seconds: float) -> Path:
    """A folder with ``count`` short tones, each of its own pitch, so that each is a track of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        write_tones(folder / f"Tone {number:02}.flac", [(220 + 40 * number, seconds)], rate=8000, layout="mono")
    return folder
