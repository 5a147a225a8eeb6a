"""A library that is only in the database: clustered vectors, artists, albums, and a history."""

import time
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from embeddings.networks.specs import MUSICNN
from embeddings.pooling import vector_to_bytes
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.library.tracks import load_catalogue
from player.stations.seeds import Seed
from player.stations.stations import Stations
from player.storage.database import Database, open_database
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Embedding, LibraryRoot, Track, TrackFile

GENRES = 20
TRACKS_AN_ARTIST = 15


def synthetic_library(folder: Path, tracks: int, events: int, seed: int = 0) -> Database:
    """A database with ``tracks`` tracks that sound like their genre, and a station with ``events`` past events."""
    rng = np.random.default_rng(seed)
    database = open_database(folder / "player.db")
    centres = rng.standard_normal((GENRES, MUSICNN.dimension))
    genre = rng.integers(GENRES, size=tracks)
    now = time.time_ns() // 1000
    with database.session() as session:
        session.add(LibraryRoot(path="/music", added_us=now))
        session.execute(insert(Track), [_track(number, int(genre[number]), now) for number in range(tracks)])
        session.execute(
            insert(TrackFile),
            [
                {
                    "track_id": n + 1,
                    "path": f"/music/{n}.mp3",
                    "root": "/music",
                    "size": 1,
                    "mtime_ns": 1,
                    "missing": False,
                }
                for n in range(tracks)
            ],
        )
        for start in range(0, tracks, 5000):
            rows = range(start, min(tracks, start + 5000))
            session.execute(insert(Embedding), [_embedding(n, centres[genre[n]], rng, now) for n in rows])
    with database.reader() as session:
        library = load_catalogue(session)
    station = Stations(database).create("Bench", [Seed("genre", "Genre 1")], library, ())
    told = [
        NewEvent(
            Kind(str(rng.choice(["up", "down", "skip", "finish"], p=[0.1, 0.1, 0.3, 0.5]))),
            int(rng.integers(tracks)) + 1,
            station.id,
            position=float(rng.uniform(0, 200)),
            at_us=now - (events - n) * 200_000_000,
        )
        for n in range(events)
    ]
    if told:
        EventStore(database, Origin.HEADLESS).append_all(told)
    return database


def _track(number: int, genre: int, now: int) -> dict[str, object]:
    artist = f"Artist {genre}-{number // TRACKS_AN_ARTIST}"
    return {
        "fingerprint": f"bench-{number}",
        "title": f"Track {number}",
        "artist": artist,
        "album": f"Album {number // TRACKS_AN_ARTIST}",
        "album_artist": artist,
        "genre": f"Genre {genre}",
        "duration": 210.0,
        "codec": "mp3",
        "sample_rate": 44100,
        "channels": 2,
        "added_us": now,
    }


def _embedding(number: int, centre: np.ndarray, rng: np.random.Generator, now: int) -> dict[str, object]:
    vector = (centre + 1.5 * rng.standard_normal(len(centre))).astype(np.float32)
    tags = rng.uniform(0, 0.5, len(MUSICNN.tag_names)).astype(np.float32)
    return {
        "track_id": number + 1,
        "frontend": MUSICNN.name,
        "version": MUSICNN.version,
        "vector": vector_to_bytes(vector),
        "tags": vector_to_bytes(tags),
        "created_us": now,
    }
