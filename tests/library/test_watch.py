"""Folders that are watched: real files, the real notifications of the system."""

import contextlib
import queue
import shutil
import time

import pytest

from player.library.scan import changed_paths, scan
from player.library.watch import FolderWatch
from player.storage.models import TrackFile

PATIENCE_SECONDS = 60.0


@pytest.fixture
def watched(tmp_path):
    """A folder, and the paths that are told of it."""
    folder, told = tmp_path / "music", queue.Queue()
    folder.mkdir()
    watch = FolderWatch(told.put, check_seconds=3600)
    watch.follow([folder])
    yield folder, told
    watch.close()


def until_told(told, wanted, do):
    """Do something, again and again until the watch has begun, and wait until the folder is told."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        do()
        with contextlib.suppress(queue.Empty):
            if wanted in told.get(timeout=2.0):
                return
    pytest.fail(f"nothing was told of {wanted.name}")


def test_what_is_added_and_deleted_is_told_by_its_folder(watched):
    folder, told = watched
    (folder / "new").mkdir()
    until_told(told, folder / "new", lambda: (folder / "new/a.mp3").write_bytes(b"x"))
    (folder / "new/a.mp3").unlink()
    assert told.get(timeout=PATIENCE_SECONDS) == [folder / "new"]


def test_a_folder_that_another_takes_the_place_of_is_watched_on(watched):
    folder, told = watched
    until_told(told, folder, lambda: (folder / "a.mp3").write_bytes(b"x"))
    shutil.move(folder, folder.with_name("away"))
    folder.mkdir()
    (folder / "new").mkdir()
    until_told(told, folder / "new", lambda: (folder / "new/b.mp3").write_bytes(b"x"))


def test_only_what_holds_or_held_files_is_worth_a_scan(database, originals, tmp_path):
    album = tmp_path / "music/album"
    album.mkdir(parents=True)
    shutil.copy(originals("flac"), album)
    scan(database, [tmp_path / "music"])
    shutil.rmtree(album)
    paths = [album, tmp_path / "music", tmp_path / "music/never"]
    assert changed_paths(database, paths) == paths[:2]
    scan(database, [album])
    with database.reader() as session:
        assert [file.missing for file in session.query(TrackFile)] == [True]
