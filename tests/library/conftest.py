"""Real files made once, and a real database."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from player.storage.database import Database
from tests.library.audio_files import FORMATS, encode
from tests.support.library import new_database


@pytest.fixture(scope="session")
def originals(tmp_path_factory) -> Callable[[str], Path]:
    """A tagged three-second file of each kind, made once; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("originals")
    tags = {"title": "First Song", "artist": "Some One", "album": "An Album", "genre": "Folk", "track": "3"}

    def original(kind: str) -> Path:
        path = folder / f"{kind.replace(' ', '-')}.{FORMATS[kind].ending}"
        return path if path.exists() else encode(path, kind, tags=tags)

    return original


@pytest.fixture
def database(tmp_path) -> Database:
    opened = new_database(tmp_path / "data" / "player.db")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_music() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "music"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent")
    return folder


@pytest.fixture
def refuse(monkeypatch) -> Callable[[Path], None]:
    """Makes a folder one that may not be listed, also for root, to whom the system refuses nothing."""
    listing, refused = os.scandir, set()

    def scandir(path):
        if str(path) in refused:
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return lambda folder: refused.add(str(folder))
