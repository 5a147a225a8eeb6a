"""Copies of the database: sound, pruned but for the last good one, and put back without losing what was there."""

import os
import sqlite3
from contextlib import closing

import pytest

from player.errors import PlayerError
from player.storage.backup import KEPT, back_up, check, copies, prune, restore
from player.storage.database import SCHEMA_REVISION, open_database
from player.storage.models import Playlist


def name_playlist(database, name):
    with database.session() as session:
        session.add(Playlist(name=name, created_us=1))


def names(path):
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM playlist ORDER BY id")]


def test_a_copy_is_put_back_and_what_was_there_is_kept(database, path, tmp_path):
    name_playlist(database, "first")
    back_up(path, tmp_path / "copy.db")
    name_playlist(database, "second")
    database.close()
    before = restore(tmp_path / "copy.db", path, tmp_path / "backups", SCHEMA_REVISION)
    assert (names(path), names(before)) == (["first"], ["first", "second"])
    open_database(path).close()


def test_a_damaged_database_gives_way_to_a_copy(database, path, tmp_path):
    name_playlist(database, "first")
    back_up(path, tmp_path / "copy.db")
    database.close()
    path.write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    assert check(path).problems
    assert restore(tmp_path / "copy.db", path, tmp_path / "backups", SCHEMA_REVISION).exists()
    assert (names(path), check(path).problems) == (["first"], ())


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_copy_is_refused_and_nothing_changes(database, path, tmp_path, content):
    name_playlist(database, "first")
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(PlayerError, match="Nothing was changed"):
        restore(tmp_path / "copy.db", path, tmp_path / "backups", SCHEMA_REVISION)
    assert names(path) == ["first"]


def test_old_copies_go_but_never_the_last_that_is_sound(database, path, tmp_path):
    folder = tmp_path / "backups"
    for number in range(KEPT + 3):
        copy = folder / f"player-0001-{number:03}.db"
        back_up(path, copy)
        os.utime(copy, (number, number))
    prune(folder)
    assert len(copies(folder)) == KEPT
    for copy in copies(folder)[:-1]:
        copy.write_bytes(b"damaged")
        os.utime(copy, (1000, 1000))
    (folder / "player-0001-zzz.db").write_bytes(b"damaged")
    prune(folder)
    assert [copy.name for copy in copies(folder) if not check(copy).problems] == [f"player-0001-{3:03}.db"]
