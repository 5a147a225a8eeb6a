"""Opening and writing: durable, shared between processes, and clear about what is wrong."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from player.errors import PlayerError
from player.storage import database as database_module
from player.storage import engine as engine_module
from player.storage.database import ChangeWatch, explain, open_database
from player.storage.event_kinds import Origin
from player.storage.models import ListeningSession, PlayerState, Station

WRITE_MANY = """
import sys
from pathlib import Path
from player.storage.database import open_database
from player.storage.models import ListeningSession
database = open_database(Path(sys.argv[1]))
for number in range(25):
    with database.session() as session:
        session.add(ListeningSession(started_us=number, origin=sys.argv[2]))
database.close()
"""


def refusal(path, **options) -> str:
    with pytest.raises(PlayerError) as caught:
        open_database(path, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def run_writers(path, count):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_MANY, str(path), origin], stderr=subprocess.PIPE)
        for origin in list(Origin)[:count]
    ]
    return [(writer.communicate(timeout=60)[1].decode(), writer.returncode) for writer in writers]


def count_sessions(path):
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT origin, count(*) FROM listening_session GROUP BY origin"))


# --- durability


def test_every_connection_writes_ahead_and_syncs_each_commit(database):
    with database.engine.connect() as first, database.engine.execution_options(reads=True).connect() as second:
        for connection in (first, second):
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


@pytest.mark.slow
def test_four_processes_that_write_at_once_all_succeed(database, path):
    assert run_writers(path, 4) == [("", 0)] * 4
    assert count_sessions(path) == dict.fromkeys(list(Origin)[:4], 25)


@pytest.mark.slow
def test_four_processes_that_create_the_database_at_once_all_succeed(path):
    assert run_writers(path, 4) == [("", 0)] * 4
    assert sum(count_sessions(path).values()) == 100


@pytest.mark.slow
def test_a_new_file_that_another_process_has_just_begun_to_write_is_waited_for(path):
    # What four processes at once come upon by chance: SQLite does not wait where a file changes its way of writing.
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("CREATE TABLE passing (x)")

    def let_go():
        holder.rollback()
        holder.close()

    timer = threading.Timer(0.3, let_go)
    timer.start()
    database = open_database(path)
    timer.join()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_a_reader_is_not_held_up_by_a_writer(database):
    with database.session() as writing:
        writing.add(ListeningSession(started_us=1, origin="cli"))
        writing.flush()
        with database.reader() as reading:
            assert reading.scalar(select(func.count()).select_from(ListeningSession)) == 0


def test_what_fails_half_way_is_not_written_at_all(database):
    def fail_half_way():
        with database.session() as session:
            session.add(ListeningSession(started_us=1, origin="cli"))
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(ListeningSession)) == 0


def test_a_broken_rule_of_the_schema_reaches_the_caller_who_knows_its_words(database):
    twice = [Station(name="Evening", noise_seed=1, created_us=1) for _ in range(2)]
    with pytest.raises(IntegrityError), database.session() as session:
        session.add_all(twice)


# --- what can be wrong with the file


def test_a_damaged_file_is_named_with_a_fix(database, path):
    database.close()
    contents = bytearray(path.read_bytes())
    contents[:4096] = os.urandom(4096)
    path.write_bytes(contents)
    sentence = refusal(path)
    assert str(path) in sentence
    assert "damaged or no database" in sentence
    assert "backups" in sentence


def test_a_text_file_in_its_place_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("These are my shopping notes, and they are long enough to be read as a page." * 20)
    before = path.read_bytes()
    assert "damaged or no database" in refusal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "tables",
    [
        ["CREATE TABLE photo (id INTEGER)"],
        ["CREATE TABLE alembic_version (version_num TEXT)", "INSERT INTO alembic_version VALUES ('0001')"],
        ["CREATE TABLE photo (id INTEGER)", "CREATE TABLE alembic_version (version_num TEXT)"],
    ],
    ids=["plain", "migrated with Alembic as well", "not migrated yet"],
)
def test_the_database_of_another_program_is_left_alone(path, tables):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        for statement in tables:
            connection.execute(statement)
        connection.commit()
    before = path.read_bytes()
    assert "another program" in refusal(path)
    assert path.read_bytes() == before


def test_a_folder_in_its_place_is_named(path):
    path.mkdir(parents=True)
    assert str(path) in refusal(path)


def test_a_newer_schema_is_refused_with_the_fix(database, path):
    set_revision(database, path, "9999")
    sentence = refusal(path)
    assert "newer version" in sentence
    assert "update the player" in sentence


def test_a_data_folder_below_a_file_is_named_with_a_fix(tmp_path):
    (tmp_path / "notes.txt").write_text("no folder")
    sentence = refusal(tmp_path / "notes.txt" / "data" / "player.db")
    assert str(tmp_path / "notes.txt" / "data") in sentence
    assert "--data-dir" in sentence


def test_a_database_held_by_another_program_is_told_after_the_wait(path, monkeypatch):
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.1)
    database = open_database(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(PlayerError, match="in use by another program"), database.session() as session:
            session.add(PlayerState(key="a", value="1"))
    database.close()


def test_an_empty_file_becomes_a_database(path):
    path.parent.mkdir()
    path.touch()
    open_database(path).close()
    assert path.stat().st_size > 0


def test_an_emptied_file_beside_models_is_no_new_library(path):
    (path.parent / "models" / "20260101T000000-abcdef").mkdir(parents=True)
    path.touch()
    sentence = refusal(path)
    assert "is empty" in sentence
    assert "backups" in sentence
    path.unlink()
    open_database(path).close()


def test_a_write_that_fails_on_a_full_disk_is_said_to_be_that(path, monkeypatch):
    path.parent.mkdir()
    failed = sqlite3.OperationalError("disk I/O error")
    assert "the database refused (disk I/O error)" in explain(failed, path)
    monkeypatch.setattr(database_module, "LEAST_FREE", 1 << 62)  # so full is any disk
    assert "is full; free some space" in explain(failed, path)


def rights(*paths):
    return [oct(one.stat().st_mode & 0o777) for one in paths]


def test_nobody_else_can_read_what_is_made(path):
    umask = os.umask(0o022)
    try:
        database = open_database(path)
        with database.session() as session:
            session.add(PlayerState(key="a", value="1"))
        assert rights(path.parent) == ["0o700"]
        assert rights(*path.parent.glob("player.db*")) == ["0o600"] * 3
        database.close()
    finally:
        os.umask(umask)


def test_what_others_could_read_is_mended_when_it_is_opened(path):
    open_database(path).close()
    path.chmod(0o644)
    open_database(path).close()
    assert rights(path) == ["0o600"]


# --- migrating


def set_revision(database, path, revision):
    with database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    database.close()


def test_an_old_database_is_copied_before_it_is_migrated(database, path, tmp_path, monkeypatch):
    with database.session() as session:
        session.add(PlayerState(key="precious", value="1"))
    set_revision(database, path, "0000")
    copied = []
    monkeypatch.setattr(database_module, "_migrate", lambda engine: copied.extend((tmp_path / "kept").glob("*.db")))
    open_database(path, backups=tmp_path / "kept").close()
    assert [copy.name.startswith("player-0000-") for copy in copied] == [True]
    with closing(sqlite3.connect(copied[0])) as connection:
        assert connection.execute("SELECT value FROM player_state WHERE key = 'precious'").fetchall() == [("1",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_schema_that_no_migration_knows_is_told_in_a_sentence_and_a_copy_stays(database, path):
    set_revision(database, path, "0000")
    assert "does not know" in refusal(path)
    assert len(list((path.parent / "backups").iterdir())) == 1


def test_without_room_for_a_copy_nothing_is_migrated(database, path, tmp_path):
    set_revision(database, path, "0000")
    (tmp_path / "file").touch()
    sentence = refusal(path, backups=tmp_path / "file" / "backups")
    assert f"No copy of {path} could be made" in sentence
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)


def test_a_current_database_is_not_copied(database, path):
    database.close()
    open_database(path).close()
    assert not (path.parent / "backups").exists()


# --- noticing others


@pytest.mark.slow
def test_a_watch_notices_another_process_once(database, path):
    watch = ChangeWatch(database)
    try:
        assert not watch.changed()
        assert run_writers(path, 1) == [("", 0)]
        assert watch.changed()
        assert not watch.changed()
    finally:
        watch.close()


def test_a_watch_passes_over_reading(database):
    watch = ChangeWatch(database)
    try:
        with database.reader() as session:
            session.scalar(select(func.count()).select_from(Station))
        assert not watch.changed()
    finally:
        watch.close()
