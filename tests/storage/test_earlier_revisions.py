"""A database of every earlier revision opens, and everything the listener said and made is found in it again."""

import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.learning.served_model import load_served_model
from player.library.scan_roots import known_roots
from player.library.tracks import load_catalogue
from player.library.vectors import load_vectors
from player.stations.collection import load_collection
from player.stations.pins import load_pins
from player.stations.resume import load_resume_point
from player.stations.stations import Stations
from player.stations.trial_arms import Trials
from player.storage.database import SCHEMA_REVISION, open_database
from player.storage.event_kinds import Action, Kind, Origin
from player.storage.models import Base, Decision
from recommender.models.registry import Registry
from tests.storage.test_schema import is_modelled
from tests.support.earlier import (
    DIMENSION,
    KEPT,
    MINUTE_US,
    MISSING,
    MODELS,
    SINCE,
    WITHOUT_VECTOR,
    connect,
    dump,
    migrate_to,
    restore,
    revisions,
    us,
    vectors,
)
from tests.support.library import paths_in

ENOUGH_FOR_ONE = 30_000
"""Bytes; the dumps come along with every copy of the repository."""
KEPT_REVISIONS = sorted(file.stem for file in KEPT.glob("*.sql"))


@pytest.fixture(scope="module", params=KEPT_REVISIONS)
def revision(request):
    return request.param


@pytest.fixture(scope="module")
def told(revision, tmp_path_factory):
    """Table → its rows as they were before the player opened the file."""
    path = tmp_path_factory.mktemp("told") / "player.db"
    restore(revision, path)
    return rows_of(path)


@pytest.fixture(scope="module")
def migrated(revision, tmp_path_factory):
    """A data folder as the player left it that opened the file first; to be copied."""
    paths = paths_in(tmp_path_factory.mktemp("migrated") / "data")
    restore(revision, paths.database)
    open_database(paths.database, backups=paths.backups).close()
    return paths.data


@pytest.fixture
def paths(tmp_path):
    return paths_in(tmp_path / "data")


@pytest.fixture
def opened(migrated, paths):
    shutil.copytree(migrated, paths.data)
    database = open_database(paths.database, backups=paths.backups)
    yield database
    database.close()


def query(path, sql):
    with closing(connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]


def rows_of(path):
    tables = [
        row["name"]
        for row in query(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_words%'")
    ]
    return {table: query(path, f"SELECT * FROM {table}") for table in tables if table != "alembic_version"}


def schema_of(path):
    rows = query(path, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    # How a statement is broken into lines is up to the version of the library that wrote it.
    return [row | {"sql": " ".join((row["sql"] or "").split())} for row in rows]


def picked(rows, *columns):
    """The rows as tuples; None for what a revision did not know."""
    return [tuple(row.get(column) for column in columns) for row in rows]


# --- the dumps


def test_every_revision_has_a_dump():
    missing = set(revisions()) - set(KEPT_REVISIONS)
    assert not missing, "`python -m tests.support.earlier` writes what is missing"
    assert set(KEPT_REVISIONS) == set(revisions())


def test_a_dump_is_small(revision):
    assert (KEPT / f"{revision}.sql").stat().st_size < ENOUGH_FOR_ONE


def test_a_dump_has_rows_in_every_table(told):
    assert [table for table, rows in told.items() if not rows] == []


@pytest.mark.slow
def test_a_revision_still_makes_the_tables_it_made(revision, paths, tmp_path):
    # A migration that is out there is history: whoever ran it has what it made then.
    restore(revision, paths.database)
    migrate_to(tmp_path / "made now.db", revision)
    assert schema_of(paths.database) == schema_of(tmp_path / "made now.db")


# --- what a migration may not lose

NEVER_FILLED = {"audio_hash"}
"""Columns that went because no version of the player wrote them."""
BEGUN = {"vectors"}
"""Facts that a migration begins to keep."""


def test_no_row_and_no_value_is_lost(told, opened, paths):
    now = rows_of(paths.database)
    for table, rows in told.items():
        columns = [name for name in rows[0] if name not in NEVER_FILLED]
        now[table] = [row for row in now[table] if row.get("key") not in BEGUN or row in rows]
        assert picked(now[table], *columns) == picked(rows, *columns), table


@pytest.mark.slow
def test_the_schema_is_that_of_a_new_database(opened, paths, tmp_path):
    open_database(tmp_path / "new.db").close()
    assert schema_of(paths.database) == schema_of(tmp_path / "new.db")
    with opened.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_name": is_modelled}
        )
        assert context.get_current_revision() == SCHEMA_REVISION
        assert compare_metadata(context, Base.metadata) == []


def test_the_database_is_sound_and_every_reference_leads_somewhere(opened, paths):
    assert query(paths.database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert query(paths.database, "PRAGMA foreign_key_check") == []


def test_the_copy_made_before_is_what_was_there(revision, told, opened, paths, tmp_path):
    copies = list(paths.backups.glob("*.db"))
    assert len(copies) == (revision != SCHEMA_REVISION)
    restore(revision, tmp_path / "as it was.db")
    for copy in copies:
        assert (schema_of(copy), rows_of(copy)) == (schema_of(tmp_path / "as it was.db"), told)


def test_opening_it_again_changes_nothing(opened, paths):
    opened.close()
    before = dump(paths.database)
    copies = list(paths.backups.glob("*"))
    open_database(paths.database, backups=paths.backups).close()
    assert dump(paths.database) == before
    assert list(paths.backups.glob("*")) == copies


# --- what the player finds in it


def test_every_event_is_found(told, opened):
    columns = (
        "id", "time_us", "kind", "track_id", "station_id", "position", "action", "origin", "decision_id", "undoes_id",
        "value", "note",
    )  # fmt: skip
    found = EventStore(opened, "cli").read()
    assert [tuple(getattr(event, column) for column in columns) for event in found] == picked(told["event"], *columns)


def test_every_kind_of_event_is_among_them(revision, told):
    words = {word for row in told["event"] for word in (row["kind"], row["action"]) if word}
    later = {word for word, since in SINCE.items() if revision < since}
    assert words == {
        "start", "finish", "skip", "stop", "up", "down", "clear", "replay", "not-now", "never", "less", "undo",
        "next", "previous", "chose", "quit", "error", "end", "station", "sleep",
    } - later  # fmt: skip


def test_thumbs_bans_and_rests_follow_from_them_as_they_did(revision, opened):
    state = load_history(opened, load_collection(opened).rows).state
    assert dict(state.everywhere) == {3: 1, 12: 1}
    assert {station: thumbs for station, thumbs in state.thumbs.items() if thumbs} == {
        1: {7: 1, 8: 1},
        5: {4: -1, 7: -1},
    }
    assert state.thumbs_on(1) == {3: 1, 7: 1, 8: 1, 12: 1}
    assert state.never == {10}
    # Before a rest could be told for how long, it was a day.
    hours = 1 if revision >= "0004" else 24
    assert state.resting_until == {
        5: (us(22) + hours * 60 * MINUTE_US) / 1e6,
        11: (us(38) + 24 * 60 * MINUTE_US) / 1e6,
    }
    assert dict(state.muted) == ({1: {"seed:genre:Jazz"}} if revision >= "0004" else {})


@pytest.mark.slow
def test_plays_and_used_slots_follow_from_them_as_they_did(revision, opened):
    state = load_history(opened, load_collection(opened).rows).state
    asleep = revision >= "0004"
    assert state.plays == [(1, 7), (1, 2), (1, 7), (1, 2), (5, 4), (5, 5), (2, 10), *([(1, 9)] if asleep else [])]
    assert dict(state.slots) == {1: 4 + asleep, 5: 2, 2: 3}
    assert {track: (tally.plays, tally.skips) for track, tally in state.tallies.items()} == {
        7: (1, 0), 2: (0, 1), 4: (0, 0), 5: (0, 0), 10: (0, 0), 12: (1, 0), **({9: (1, 0)} if asleep else {}),
    }  # fmt: skip


def test_every_station_is_found_with_its_seeds(opened):
    found = {
        station.id: (station.name, station.noise_seed, [str(seed) for seed in station.seeds])
        for station in Stations(opened).all()
    }
    assert found == {
        1: ("Evening", 4_611_686_018_427_387_903, ["genre:Jazz", "artist:Ödön Fiktív", "tag:mellow"]),
        2: ("Everything, всё", 0, ["library"]),
        5: ("It's loud", 17, ["track:4", "album:No Such Album", 'query:genre:rock year:1990-1999 "first lie"']),
    }


def test_a_station_plays_as_it_did(revision, opened):
    ways = {station.id: (station.mode, station.dial) for station in Stations(opened).all()}
    # There was one way to play before there were several.
    chosen = {1: ("albums", 80), 5: ("new", 0)} if revision >= "0004" else {}
    assert ways == {1: ("station", 50), 2: ("station", 50), 5: ("station", 50)} | chosen


def test_every_decision_is_found(revision, told, opened):
    columns = [column.name for column in Decision.__table__.columns]
    with opened.reader() as session:
        found = session.scalars(select(Decision).order_by(Decision.id)).all()
        assert [tuple(getattr(row, column) for column in columns) for row in found] == picked(
            told["decision"], *columns
        )
    trials = [(4, 1, 0), (5, 1, 0)] if revision >= "0004" else []
    assert [(row.id, row.trial_id, row.pair) for row in found if row.trial_id is not None] == trials


def test_every_trial_is_found(revision, opened):
    found = [
        (trial.id, trial.station_id, [arm.version for arm in trial.arms], trial.coin_seed, trial.most_pairs)
        for trial in Trials(opened).all()
    ]
    both = [
        (1, 5, ["20260101T000000-abcdef", "untrained"], 2_305_843_009_213_693_951, 120),
        (2, 2, ["a", "b"], 3, 400),
    ]
    assert found == (both if revision >= "0004" else [])
    if found:
        assert Trials(opened).running(5).id == 1
        assert Trials(opened).all()[1].conclusion == "“new” is liked better."


def test_every_track_is_found_where_it_lies(told, opened):
    with opened.reader() as session:
        found = sorted(load_catalogue(session), key=lambda row: row.id)
    assert [(row.id, row.title, row.artist, row.album, row.genre, row.year, row.duration) for row in found] == picked(
        told["track"], "id", "title", "artist", "album", "genre", "year", "duration"
    )
    assert {row.id: row.path for row in found} == {row.id: f"/music of nobody/{row.id:02}.flac" for row in found}
    assert [row.id for row in found if row.missing] == [MISSING]
    assert [str(root) for root in known_roots(opened)] == ["/music of nobody", "/mnt/ünmounted"]


def test_every_vector_is_found(opened):
    ids = range(1, WITHOUT_VECTOR + 1)
    with opened.reader() as session:
        table = load_vectors(session, "musicnn", ids)
    assert table.vectors.shape == (WITHOUT_VECTOR, DIMENSION)
    assert {track: table.vectors[row].tobytes() for row, track in enumerate(ids) if table.present[row]} == vectors()
    assert np.array_equal(table.tags[:-1, 0], np.arange(1, WITHOUT_VECTOR) / 16)


def test_what_is_pinned_and_where_the_listener_stopped_are_found(opened):
    assert load_pins(opened, None).tracks == (6,)
    assert load_pins(opened, 1).tracks == (9, 3, 12)
    point = load_resume_point(opened)
    assert (point.station_id, point.track_id, point.position, point.decision_id) == (1, 8, 33.5, 3)


def test_a_model_stored_beside_it_serves(opened, paths):
    shutil.copytree(MODELS, paths.models)
    registry = Registry(paths.models)
    finding = load_served_model(paths, load_collection(opened))
    assert finding.problem == ""
    assert [card.version for card in registry.versions()] == [finding.model.card.version] == [registry.current()]


# --- going on from there


@pytest.mark.slow
def test_the_log_goes_on_after_the_last_event(told, opened):
    log = EventStore(opened, "cli")
    last = told["event"][-1]["id"]
    new = log.append(NewEvent("undo", 7, 1))
    assert new.id == last + 1
    state = load_history(opened, load_collection(opened).rows).state
    assert state.watermark == new.id
    assert log.read(after=last) == [new]


def test_every_imported_entry_stays_known(revision, told, opened, paths):
    known = query(paths.database, "SELECT key, source, event_id FROM imported_record ORDER BY event_id")
    assert known == told.get("imported_record", [])
    assert len(known) == (2 if revision >= "0003" else 0)


# --- words of the log


def test_a_word_that_no_version_wrote_gives_way_and_is_kept_in_the_note(paths):
    restore("0004", paths.database)
    with closing(sqlite3.connect(paths.database)) as connection:
        first, second, third = (row[0] for row in connection.execute("SELECT id FROM event ORDER BY id LIMIT 3"))
        connection.execute("UPDATE event SET kind = 'upp', action = NULL WHERE id = ?", (first,))
        connection.execute("UPDATE event SET kind = 'skip', action = 'nxt', note = NULL WHERE id = ?", (second,))
        connection.execute("UPDATE event SET origin = 'gui', note = 'mine' WHERE id = ?", (third,))
        connection.commit()
        count = connection.execute("SELECT count(*) FROM event").fetchone()[0]
    database = open_database(paths.database, backups=paths.backups)
    told = {event.id: event for event in EventStore(database, "cli").read()}
    database.close()
    assert len(told) == count
    assert (told[first].kind, told[first].note.split(",")[0]) == ("unknown", "(was: upp")
    assert (told[second].kind, told[second].action) == ("skip", None)
    assert "nxt" in told[second].note
    assert told[third].origin == "cli"
    assert told[third].note.startswith("mine (was: ")
    assert told[third].note.endswith("gui)")


@pytest.mark.parametrize("column", ["kind", "action", "origin"])
def test_the_schema_refuses_a_word_that_the_log_does_not_know(paths, column):
    restore("0004", paths.database)
    open_database(paths.database, backups=paths.backups).close()
    with closing(sqlite3.connect(paths.database)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE event SET {column} = 'upp'")


def test_the_words_of_the_schema_are_those_of_the_code(tmp_path):
    open_database(tmp_path / "new.db").close()
    (events,) = (
        row["sql"] for row in schema_of(tmp_path / "new.db") if row["name"] == "event" and row["type"] == "table"
    )
    for words in (Kind, Action, Origin):
        assert "(" + ", ".join(f"'{word}'" for word in words) + ")" in events
