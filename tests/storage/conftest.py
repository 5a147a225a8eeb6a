"""A real database in a folder of its own."""

import pytest

from player.storage.database import open_database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "player.db"


@pytest.fixture
def database(path):
    opened = open_database(path)
    yield opened
    opened.close()
