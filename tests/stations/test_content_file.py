"""What is kept of a large library's vectors: the same as made anew, and never out of date."""

from pathlib import Path

import numpy as np
import pytest

from bench.synthetic import synthetic_library
from embeddings.networks.specs import MUSICNN
from player.stations.content_file import Content, Tracks, load_content
from player.storage.database import Database

TRACKS = 60


def loaded(database: Database) -> Content:
    codes = np.zeros(TRACKS, np.int64)
    tracks = Tracks(np.arange(1, TRACKS + 1), codes, codes)
    with database.reader() as session:
        return load_content(session, database.path, MUSICNN.name, tracks, worth_keeping=1)


def kept(folder: Path) -> list[Path]:
    return list(folder.glob("player.db-content-*"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE embedding SET vector = zeroblob(length(vector)) WHERE track_id = 7",
        "DELETE FROM embedding WHERE track_id = 7",
    ],
)
def test_a_vector_that_changes_is_seen_at_the_next_start(tmp_path: Path, change: str) -> None:
    database = synthetic_library(tmp_path, TRACKS, 0)
    made, again = loaded(database), loaded(database)
    assert isinstance(again.space.vectors, np.memmap), "it was kept"
    np.testing.assert_array_equal(made.space.vectors, again.space.vectors)
    np.testing.assert_array_equal(made.tag_levels, again.tag_levels)
    with database.session() as session:
        session.connection().exec_driver_sql(change)
    after = loaded(database)
    assert not np.array_equal(after.table.vectors[6], made.table.vectors[6])
    assert len(kept(tmp_path)) == 1, "what is out of date is gone"
    database.close()


def test_what_is_damaged_is_made_anew(tmp_path: Path) -> None:
    database = synthetic_library(tmp_path, TRACKS, 0)
    made, (folder,) = loaded(database), kept(tmp_path)
    for damaged in folder.iterdir():
        damaged.write_bytes(damaged.read_bytes()[:-1])
        np.testing.assert_array_equal(loaded(database).space.vectors, made.space.vectors)
    (folder / "source.npy").unlink()
    np.testing.assert_array_equal(loaded(database).space.source, made.space.source)
    database.close()
