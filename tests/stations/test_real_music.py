"""The loop on real music and real vectors: scanned, listened to, seeded by one track, turned by five thumbs."""

import csv
import os
import shutil
from pathlib import Path

import pytest

from embeddings.errors import EmbeddingError
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import ensure_weights
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.library.embed import embed_pending
from player.library.scan import scan
from player.playback.headless import serve_next
from tests.support.library import open_home, settings

SHARED = Path(__file__).parents[3] / "shared"
A_GROUP = 8
"""Tracks of each of the four groups: a few seconds of listening, and chance is one in four."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "music.csv").is_file(), reason=f"needs the development data at {SHARED}"),
]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """A folder with some tracks of each group, and each track's group by its file name."""
    folder = tmp_path_factory.mktemp("music")
    groups = {}
    with (SHARED / "music.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if sum(group == row["group"] for group in groups.values()) < A_GROUP:
                name = f"{row['track_id']}{Path(row['path']).suffix}"
                groups[name] = row["group"]
                shutil.copy(SHARED / "music" / row["path"], folder / name)
    return folder, groups


@pytest.fixture(scope="module")
def home(music, tmp_path_factory):
    home = open_home(tmp_path_factory.mktemp("home"))
    card = frontend_spec(DEFAULT_FRONTEND)
    try:
        weights = ensure_weights(card.weights, named=None, cache=home.paths.cache)
    except EmbeddingError as error:
        pytest.skip(f"the weights of {card.name} cannot be had: {error}")
    report = scan(home.database, [music[0]])
    assert (report.added, report.failed) == (4 * A_GROUP, ())
    done = embed_pending(
        home.database,
        home.paths,
        frontend=card.name,
        weights=weights,
        workers=min(2, os.cpu_count() or 1),
        retry_failed=False,
        report=lambda _progress: None,
        should_stop=lambda: False,
    )
    assert (done.embedded, done.failed, done.left) == (4 * A_GROUP, (), 0)
    yield home
    home.close()


def queue(home, station, count=6):
    return list(serve_next(home.database, home.paths, settings(breadth=2), station.name, count).queue)


def test_a_station_from_one_classical_track_plays_classical_until_it_is_thumbed_away(home, music):
    group_of = {row.id: music[1][Path(row.path).name] for row in home.rows}
    classical = [track for track, group in group_of.items() if group == "classical"]
    station = home.station("From one", f"track:{classical[0]}")
    before = queue(home, station)
    heard = [group_of[row.track.id] for row in before]
    assert heard.count("classical") >= 4, heard

    log = EventStore(home.database, "cli")
    log.append_all([NewEvent("down", row.track.id, station.id) for row in before[:5]])
    after = queue(home, station)
    assert not {row.track.id for row in after} & {row.track.id for row in before[:5]}
    assert [group_of[row.track.id] for row in after].count("classical") < heard.count("classical")
