"""An invented listener's database as every revision of the schema holds it, kept as SQL in ``tests/storage/dumps``.

``python -m tests.support.earlier`` writes the dump of a revision that has none yet: an empty database is migrated to it
and filled with the rows below, as far as it has their tables and columns. A dump that is there is never written anew: it
stands for the databases that are out there, and those do not change when this file does.

Beside them lies a model, as it was stored; it was trained on nobody's taste and belongs to these tracks.
"""

import sqlite3
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.learning.retraining import load_material
from player.storage.database import migrations_folder, open_database
from player.storage.folding import indexed_words
from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.model_card import Model
from recommender.models.registry import Registry
from recommender.training.retraining import retrain

KEPT = Path(__file__).parents[1] / "storage" / "dumps"
MODELS = KEPT / "models"
DIMENSION = 12
"""Of the vectors: whole ones would be most of a dump."""
BEGUN_US = 1_767_225_600_000_000
"""The first of January 2026."""
MINUTE_US = 60_000_000
WITHOUT_VECTOR = 12
MISSING = 11

Rows = list[dict[str, object]]


def us(minutes: float) -> int:
    """A moment, told by the minutes since all began."""
    return BEGUN_US + round(minutes * MINUTE_US) + 7  # odd microseconds, so that rounding would show


def vectors() -> dict[int, bytes]:
    """Track id → vector, of sixteenths, which no machine rounds otherwise."""
    drawn = np.random.default_rng(0).integers(-32, 33, (WITHOUT_VECTOR, DIMENSION)) / 16
    return {track: drawn[track - 1].astype("<f4").tobytes() for track in range(1, WITHOUT_VECTOR)}


def tracks() -> Iterator[tuple[int, str, str, str, str]]:
    """(id, title, artist, album, genre)."""
    albums = (
        ("Ödön Fiktív", "Nobody’s Waltzes", "Classical; Waltz", ("In Three", "In Four, by Mistake", "Coda")),
        ("The Invented", "No Such Album", "Rock", ("First Lie", 'It\'s "Quoted"; Twice', "Line\nBreak")),
        ("Placeholder Trio", "", "Jazz", ("Blue Template", "So Where", "Take One")),
        ("Маша Выдумка", "東京なし", "Electronic", ("Null", "NaN", "Ω")),
    )
    number = 0
    for artist, album, genre, titles in albums:
        for title in titles:
            number += 1
            yield number, title, artist, album, genre


def library() -> dict[str, Rows]:
    """Tracks and what was found out about them."""
    root = "/music of nobody"
    listing = list(tracks())
    return {
        "library_root": [{"path": root, "added_us": us(-9)}, {"path": "/mnt/ünmounted", "added_us": us(-8)}],
        "failed_file": [
            {
                "path": f"{root}/notes.mp3",
                "root": root,
                "size": 12,
                "mtime_ns": 1_700_000_000_000_000_001,
                "error": "no audio",
            }
        ],
        "track": [
            {
                "id": track,
                "fingerprint": f"flac-{track:04}",
                "audio_hash": None if track % 2 else f"{track:064x}",
                "title": title,
                "artist": artist,
                "album": album,
                "album_artist": artist,
                "genre": genre,
                "year": None if track == MISSING else 1990 + track,
                "track_number": 1 + (track - 1) % 3,
                "disc_number": 1,
                "duration": 120.25 + track,
                "codec": "flac",
                "sample_rate": 44_100,
                "channels": 2,
                "added_us": us(-8 + track / 60),
            }
            for track, title, artist, album, genre in listing
        ],
        "track_file": [
            {
                "id": track + 100,
                "track_id": track,
                "path": f"{root}/{track:02}.flac",
                "root": root,
                "size": 5_000_000_000 + track,
                "mtime_ns": 1_700_000_000_000_000_000 + track,
                "missing": track == MISSING,
            }
            for track, *_ in listing
        ]
        + [
            {
                "id": 120,
                "track_id": 1,
                "path": "/mnt/ünmounted/copy of 01.flac",
                "root": "/mnt/ünmounted",
                "size": 5,
                "mtime_ns": 6,
                "missing": True,
            }
        ],
        "embedding": [
            {
                "track_id": track,
                "frontend": "musicnn",
                "version": "msd-2",
                "vector": vector,
                "tags": np.array([track / 16, 0.5, 0.25], "<f4").tobytes(),
                "spread": None if track % 2 else vector[::-1],
                "error": None,
                "created_us": us(-7),
            }
            for track, vector in vectors().items()
        ]
        + [
            {
                "track_id": WITHOUT_VECTOR,
                "frontend": "musicnn",
                "version": "msd-2",
                "error": "too short",
                "created_us": us(-7),
            },
            {"track_id": 1, "frontend": "clmr", "version": "2", "vector": bytes(8), "created_us": us(-6)},
        ],
    }


def stations() -> dict[str, Rows]:
    """Three stations with a seed of every kind between them, what is pinned there, and where the listener stopped."""
    seeds = (
        (1, "genre", "Jazz"),
        (1, "artist", "Ödön Fiktív"),
        (1, "tag", "mellow"),
        (2, "library", ""),
        (5, "track", "4"),
        (5, "album", "No Such Album"),
        (5, "query", 'genre:rock year:1990-1999 "first lie"'),
    )
    return {
        "station": [
            {
                "id": 1,
                "name": "Evening",
                "noise_seed": 4_611_686_018_427_387_903,
                "created_us": us(0),
                "mode": "albums",
                "dial": 80,
            },
            {"id": 2, "name": "Everything, всё", "noise_seed": 0, "created_us": us(1)},
            {"id": 5, "name": "It's loud", "noise_seed": 17, "created_us": us(2), "mode": "new", "dial": 0},
        ],
        "station_seed": [
            {"id": number, "station_id": station, "kind": kind, "value": value}
            for number, (station, kind, value) in enumerate(seeds, 11)
        ],
        "player_state": [
            {"key": "pins:0", "value": "[6]"},
            {"key": "pins:1", "value": "[9, 3, 12]"},
            {
                "key": "resume",
                "value": '{"station_id": 1, "track_id": 8, "position": 33.5, "playing": false, "volume": 0.4, '
                '"decision_id": 3, "reason": "of a genre you like"}',
            },
            {"key": "trial.1.limits", "value": '{"pairs": 120, "until_us": null}'},
            {"key": "wishes", "value": '{"station": 1, "upcoming": [8, 9]}'},
        ],
    }


def chosen() -> dict[str, Rows]:
    """Playlists, exclusions and times that nothing is learned from."""
    return {
        "playlist": [
            {"id": 1, "name": "Mixtape, май", "created_us": us(2)},
            {"id": 4, "name": "Unheard", "query": "plays:0 -genre:jazz", "created_us": us(3)},
        ],
        "playlist_entry": [
            {"playlist_id": 1, "place": 0, "track_id": 7, "written": "../music of nobody/07.flac"},
            {"playlist_id": 1, "place": 1, "track_id": None, "written": "gone.flac"},
        ],
        "exclusion": [
            {"id": 1, "query": "genre:audiobook or path:Kids", "created_us": us(4)},
            {"id": 2, "query": "christmas", "station_id": 2, "season": "12-01..12-26", "created_us": us(5)},
        ],
        "unlearned_span": [
            {"id": 1, "since_us": us(500), "until_us": us(560), "private": True},
            {"id": 2, "since_us": us(600), "until_us": us(660), "private": False, "lifted_us": us(700)},
        ],
    }


def served() -> dict[str, Rows]:
    """Slots that were served, one of them by hand and two in a trial."""

    def slot(number: int, station: int, track: int, watermark: int, **more: object) -> dict[str, object]:
        ids, utilities = np.array([track, 2, 10], "<i4"), np.array([1.5, 0.25, -3.0], "<f4")
        return {
            "id": number,
            "time_us": us(10 + number),
            "station_id": station,
            "session_id": 1,
            "track_id": track,
            "watermark": watermark,
            "slot": number,
            "rank": 1,
            "score": 0.1 + number,
            "propensity": 0.625,
            "model_version": "20260101T000000-abcdef",
            "arm": "live",
            "temperature": 0.35,
            "eligible_count": 3,
            "log_partition": 4.400000000000001,
            "eligible": zlib.compress(ids.tobytes() + utilities.tobytes()),
        } | more

    return {
        "trial": [
            {
                "id": 1,
                "station_id": 5,
                "arm_a": "live",
                "arm_b": "untrained",
                "version_a": "20260101T000000-abcdef",
                "version_b": "untrained",
                "coin_seed": 2_305_843_009_213_693_951,
                "started_us": us(20),
            },
            {
                "id": 2,
                "station_id": 2,
                "arm_a": "old",
                "arm_b": "new",
                "version_a": "a",
                "version_b": "b",
                "coin_seed": 3,
                "started_us": us(1),
                "ended_us": us(2),
                "conclusion": "“new” is liked better.",
            },
        ],
        "decision": [
            slot(1, 1, 7, 0),
            slot(2, 1, 2, 3, rank=2),
            slot(3, 1, 8, 5, propensity=None, arm="chosen", session_id=None),
            slot(4, 5, 4, 9, trial_id=1, pair=0),
            slot(5, 5, 5, 9, trial_id=1, pair=0, arm="untrained", model_version="untrained"),
        ],
    }


LESS, SLEEP = "less", "sleep"
SINCE = {LESS: "0004", SLEEP: "0004"}
"""Kinds and actions that came into the log later than the first schema, by the revision that was the newest then."""


def happened(revision: str) -> dict[str, Rows]:
    """Every kind of event with every action that the log could hold then, told from everywhere it can be told from."""
    log: Rows = []

    def tell(number: int, kind: str, track: int, station: int | None = None, **more: object) -> None:
        if any(revision < SINCE.get(str(word), "") for word in (kind, more.get("action"))):
            return
        session, origin = more.pop("session_id", 1), more.pop("origin", "tui")
        log.append(
            {
                "id": number,
                "time_us": us(10 + number),
                "kind": kind,
                "track_id": track,
                "station_id": station,
                "session_id": session,
                "origin": origin,
            }
            | more
        )

    tell(1, "start", 7, 1, position=0.0, decision_id=1)
    tell(2, "up", 7, 1, position=12.125, decision_id=1)
    tell(3, "finish", 7, 1, position=127.25, action="end", decision_id=1, value=100.5)
    tell(4, "start", 2, 1, position=0.0, action="chose", decision_id=2)
    tell(5, "skip", 2, 1, position=3.0000000000000004, action="next", decision_id=2)
    tell(6, "replay", 7, 1, position=127.25)
    tell(7, "skip", 7, 1, position=90.0, action="previous")
    tell(8, "start", 2, 1, position=0.0, action="previous")
    tell(9, "skip", 2, 1, position=60.0, action="chose")
    tell(10, "down", 4, 5, position=1.5, decision_id=4)
    tell(11, "skip", 4, 5, position=1.5, action="down", decision_id=4)
    tell(12, "not-now", 5, 5, position=2.0, decision_id=5, value=3600.0)
    tell(13, "skip", 5, 5, position=2.0, action="not-now", decision_id=5)
    tell(14, "never", 10, 2)
    tell(15, "skip", 10, 2, position=8.0, action="never")
    tell(16, "stop", 3, 2, position=44.0, action="station")
    tell(17, "stop", 3, 2, action="error")
    tell(18, "down", 9, 1)
    tell(19, "clear", 9, 1)
    tell(20, "up", 6, 1)
    tell(21, "undo", 6, 1, undoes_id=20)
    tell(22, "down", 8, 1, session_id=2, origin="cli")
    tell(23, "up", 8, 1, session_id=2, origin="cli")
    tell(24, "up", 3, session_id=2, origin="cli")
    tell(25, "down", 7, 5, session_id=2, origin="headless")
    tell(26, "never", 1, session_id=2, origin="cli")
    tell(27, "undo", 1, undoes_id=26, session_id=2, origin="cli")
    tell(28, "not-now", 11, session_id=2, origin="cli")
    tell(29, "down", 1, session_id=3, origin="survey", position=10.0)
    # Years ago, and written last: what another player's history tells.
    tell(30, "finish", 12, session_id=4, origin="import", action="end", position=132.25, time_us=us(-900_000))
    tell(31, "up", 12, session_id=4, origin="import", time_us=us(-800_000))
    tell(32, "stop", 8, 1, position=33.5, action="quit", session_id=None)
    tell(33, "less", 8, 1, note="seed:genre:Jazz")
    tell(34, "finish", 9, 1, position=129.25, action="sleep")
    return {
        "listening_session": [
            {"id": number, "started_us": us(9 + number), "origin": origin}
            for number, origin in enumerate(("tui", "cli", "survey", "import"), 1)
        ],
        "event": log,
        "imported_record": [
            {"key": bytes(range(16)), "source": "spotify", "event_id": 30},
            {"key": bytes(range(240, 256)), "source": "lastfm", "event_id": 31},
        ],
    }


def revisions() -> list[str]:
    """Every revision there is, the first one first."""
    scripts = ScriptDirectory.from_config(_alembic())
    return [script.revision for script in reversed(list(scripts.walk_revisions()))]


def migrate_to(path: Path, revision: str) -> None:
    """Make an empty database of a revision."""
    engine = create_engine(f"sqlite:///{path}", creator=lambda: connect(path))
    with engine.begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def connect(path: Path | str) -> sqlite3.Connection:
    """A connection of which the triggers of the search index can make use."""
    connection = sqlite3.connect(path)
    connection.create_function("indexed_words", 1, indexed_words, deterministic=True)
    return connection


def dump(path: Path) -> str:
    """A database as SQL, which makes its search index anew."""
    with closing(connect(path)) as connection, closing(connect(":memory:")) as copy:
        connection.backup(copy)
        made = copy.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%' ORDER BY rowid"
        ).fetchall()
        for name, _ in made[::-1]:
            copy.execute(f"DROP TABLE {name}")
        copy.commit()
        again = [
            f"{sql};" + (f"\nINSERT INTO {name} ({name}) VALUES ('rebuild');" if "fts5(" in sql else "")
            for name, sql in made
        ]
        return "\n".join([*copy.iterdump(), *again]) + "\n"


def restore(revision: str, path: Path) -> None:
    """Make the database at ``path`` that the dump of a revision tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(connect(path)) as connection:
        connection.executescript((KEPT / f"{revision}.sql").read_text("utf-8"))


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def _make_dump(revision: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "player.db"
        migrate_to(path, revision)
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA foreign_keys=ON")
            for table, rows in (library() | stations() | chosen() | {"listening_session": []}).items():
                _insert(connection, table, rows)
            told = happened(revision)
            _insert(connection, "listening_session", told.pop("listening_session"))
            for table, rows in (served() | told).items():
                _insert(connection, table, rows)
            connection.commit()
        return dump(path)


def _insert(connection: sqlite3.Connection, table: str, rows: Rows) -> None:
    there = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    for row in rows if there else ():
        columns = [name for name in there if name in row]
        marks = ", ".join("?" * len(columns))
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", [row[name] for name in columns]
        )


def _store_model(revision: str) -> None:
    """Train a model as small as one can be on plays and skips drawn by lot, and store it."""
    tiny = TrainingConfig(
        ClepConfig(widths=(4, 4, 4, 2), head_widths=(2, 2, 1), epochs=1, head_epochs=1),
        SequentialConfig(width=4, length=4, blocks=1, heads=1, epochs=1),
    )
    rng = np.random.default_rng(0)
    plays = [
        NewEvent("finish" if rng.random() < 0.5 else "skip", int(track), 2, position=9.0, at_us=us(100 + minute))
        for minute, track in enumerate(rng.integers(1, WITHOUT_VECTOR, 60))
    ]
    with TemporaryDirectory() as folder:
        restore(revision, path := Path(folder) / "player.db")
        database = open_database(path)
        EventStore(database, "cli").append_all(plays)
        material = load_material(database)
        database.close()
    model = retrain(material.log, material.catalogue, tiny, None, lambda _: None, lambda: False).model
    assert model is not None
    card = replace(
        model.card, metrics=model.card.metrics[:8], promoted=True, created="2026-01-02T00:00:00.000000+00:00"
    )
    registry = Registry(MODELS)
    registry.promote(registry.save(Model(card, model.arrays)).version)


def main() -> None:
    """Write what is not there yet."""
    KEPT.mkdir(exist_ok=True)
    for revision in revisions():
        file = KEPT / f"{revision}.sql"
        if not file.exists():
            file.write_text(_make_dump(revision), "utf-8")
            sys.stdout.write(f"{file}\n")
    if not MODELS.exists():
        _store_model(revisions()[-1])
        sys.stdout.write(f"{MODELS}\n")


if __name__ == "__main__":
    main()
