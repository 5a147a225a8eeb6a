"""Vectors in the database: pooled as asked, and valid from before the spread was kept."""

import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, select

from player.library.vectors import load_vectors, store_embedding
from player.storage.database import migrations_folder
from player.storage.models import Embedding, Track
from tests.support.library import new_database

MEAN, SPREAD, TAGS = np.array([1, 2, 3], "<f4"), np.array([4, 5, 6], "<f4"), np.array([0.5], "<f4")
TRACK = "INSERT INTO track VALUES (?, ?, NULL, 't', 'a', 'b', '', 'g', NULL, NULL, NULL, 1.0, 'flac', 44100, 2, 0)"


@pytest.fixture
def session(tmp_path):
    database = new_database(tmp_path / "player.db")
    with database.session() as session:
        session.add_all(track(number) for number in (1, 2, 3, 4))
        session.flush()
        yield session
    database.close()


def track(number):
    now = time.time_ns() // 1000
    names = {"title": "t", "artist": "a", "album": "b", "album_artist": "", "genre": "g"}
    sound = {"duration": 1.0, "codec": "flac", "sample_rate": 44_100, "channels": 2}
    return Track(id=number, fingerprint=str(number), added_us=now, **names, **sound)


def store(session, number, spread):
    data = None if spread is None else spread.tobytes()
    store_embedding(session, number, "f", "1", vector=MEAN.tobytes(), tags=TAGS.tobytes(), error=None, spread=data)


def test_what_is_stored_comes_back_and_its_spread_stays_beside_it(session):
    store(session, 1, SPREAD)
    store(session, 2, None)
    store_embedding(session, 3, "f", "1", vector=None, tags=None, error="damaged")
    found = load_vectors(session, "f", [1, 2, 3, 4])
    assert found.present.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(found.vectors[:2], [MEAN, MEAN])
    np.testing.assert_array_equal(found.tags[:2], [TAGS, TAGS])
    kept = session.scalars(select(Embedding.spread).order_by(Embedding.track_id)).all()
    assert kept == [SPREAD.tobytes(), None, None]


def test_embedding_anew_replaces_the_spread_too(session):
    store(session, 1, SPREAD)
    store(session, 1, None)
    assert session.scalar(select(Embedding.spread)) is None


@pytest.mark.slow
def test_a_database_from_before_the_spread_keeps_its_vectors(tmp_path):
    path = tmp_path / "player.db"
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(TRACK, (1, "fingerprint"))
        row = (1, "f", "1", MEAN.tobytes(), TAGS.tobytes(), None, 0)
        connection.execute("INSERT INTO embedding VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    database = new_database(path)
    with database.reader() as session:
        np.testing.assert_array_equal(load_vectors(session, "f", [1]).vectors, [MEAN])
        assert session.scalar(select(Embedding.spread)) is None
    database.close()
    assert [copy.name[:12] for copy in (tmp_path / "backups").iterdir()] == ["player-0001-"]


def test_a_damaged_row_is_passed_over_as_absent(session):
    for number, vector in ((1, MEAN), (2, np.array([1, np.inf, 3], "<f4")), (3, np.array([1, np.nan, 3], "<f4"))):
        store_embedding(session, number, "f", "1", vector=vector.tobytes(), tags=TAGS.tobytes(), error=None)
    store_embedding(session, 4, "f", "1", vector=MEAN.tobytes()[:-1], tags=b"x", error=None)
    loaded = load_vectors(session, "f", [1, 2, 3, 4])
    assert loaded.present.tolist() == [True, False, False, False]
    np.testing.assert_array_equal(np.isnan(loaded.vectors).all(axis=1), [False, True, True, True])
    np.testing.assert_array_equal(np.isnan(loaded.tags[:, 0]), [False, False, False, True])


def test_rows_that_are_all_damaged_are_no_error(session):
    store_embedding(session, 1, "f", "1", vector=b"abc", tags=b"x", error=None)
    assert load_vectors(session, "f", [1]).present.tolist() == [False]
