"""Embedding a library with a real network in real processes: in which order, how long it says, and how it goes on."""

import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import select

from embeddings.registry import frontend_card
from player.library.embed import embed_pending
from player.library.embed_priority import WishKeeper
from player.library.embedding_rate import FEW_TRACKS, keep_pace, load_pace, pace_key
from player.library.scan import scan
from player.storage.models import Embedding
from tests.support.library import copy_home, make_library, write_songs
from tests.support.published import save_checkpoint

pytestmark = pytest.mark.slow

FRONTEND = "clmr"
SONGS = 20
"""Enough for a run to be seen in its middle."""
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    return write_songs(tmp_path_factory.mktemp("songs"), SONGS, 0.3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("weights") / "clmr.pt", FRONTEND, "encoder.")


@pytest.fixture(scope="module")
def template(songs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("template") / "home"
    make_library(folder, [songs], vectors=False)
    return folder


@pytest.fixture
def home(template, tmp_path):
    home = copy_home(template, tmp_path / "data")
    yield home
    home.close()


def embed(home, weights, *, report=lambda _progress: None, should_stop=lambda: False, announce=lambda _: None):
    return embed_pending(
        home.database,
        home.paths,
        frontend=FRONTEND,
        weights=weights,
        workers=1,
        retry_failed=False,
        report=report,
        should_stop=should_stop,
        announce=announce,
    )


def embedded(home) -> list[int]:
    """Tracks with a vector, in the order in which they got it."""
    with home.database.reader() as session:
        chosen = select(Embedding.track_id).where(Embedding.vector.is_not(None), Embedding.frontend == FRONTEND)
        return list(session.scalars(chosen.order_by(Embedding.created_us)))


def command(home, weights) -> subprocess.Popen:
    options = ["--frontend", FRONTEND, "--weights", str(weights), "--workers", "1", "--data-dir", str(home.paths.data)]
    return subprocess.Popen(
        [sys.executable, "-m", "player", "embed", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_more_than(count, home, process) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(embedded(home)) <= count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_order_follows_the_station_while_the_job_runs(home, weights, songs, tmp_path):
    keeper, ids = WishKeeper(home.database), home.track_ids
    first, second = home.station("One"), home.station("Two")
    keeper.keep(first.id, [ids[2]])
    shared = write_songs(tmp_path / "more", SONGS + 2, 0.3)

    def turn(progress):
        if progress.done == 1:
            keeper.keep(second.id, [ids[9], ids[7]])
        if progress.done == 5:
            # Two tracks more than there were; the others are known.
            scan(home.database, [shared])

    report = embed(home, weights, report=turn)
    order = embedded(home)
    assert (report.embedded, report.failed, report.left) == (SONGS + 2, (), 0)
    assert order[0] == ids[2]
    # The worker's next file was chosen before the listener turned to the other station.
    assert order[2:4] == [ids[9], ids[7]]
    new = set(home.track_ids) - set(ids)
    assert set(order[6:8]) == new


class ToldError(Exception):
    """Ends a run where it says something."""


def leave(sentence):
    raise ToldError(sentence)


def test_how_long_it_takes_is_said_after_a_few_tracks_and_the_next_time_at_once(home, weights):
    said, seen = [], []
    embed(home, weights, announce=lambda sentence: said.append((len(seen), sentence)), report=seen.append)
    (moment, sentence) = said[0]
    assert len(said) == 1
    assert moment == FEW_TRACKS + 1  # the start and eight results
    assert sentence.startswith(f"{SONGS - FEW_TRACKS - 1} tracks; at about ")
    assert seen[FEW_TRACKS].seconds_left is None
    assert seen[FEW_TRACKS + 1].seconds_left > 0
    key = pace_key(FRONTEND, frontend_card(FRONTEND).version, 1)
    assert load_pace(home.database, key) > 0

    said.clear()
    embed(home, weights, announce=said.append)
    assert said == []  # nothing to do

    with home.database.session() as session:
        session.query(Embedding).delete()
    keep_pace(home.database, key, 2.0)
    words = f"^{SONGS} tracks; at about 2.0 tracks a second this takes about {SONGS // 2} s\\.$"
    with pytest.raises(ToldError, match=words):
        embed(home, weights, announce=leave, report=leave)


def test_killed_it_resumes_with_the_rest_and_ctrl_c_stops_it_without_loss(home, weights):
    process = command(home, weights)
    wait_for_more_than(0, home, process)
    process.kill()
    process.communicate()
    killed = embedded(home)
    assert 0 < len(killed) < SONGS

    process = command(home, weights)
    wait_for_more_than(len(killed), home, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in err
    # Nothing that was kept was listened to again.
    assert embedded(home)[: len(killed)] == killed
    assert len(embedded(home)) < SONGS


def test_asked_to_stop_it_ends_within_a_file_and_says_what_is_left(home, weights):
    report = embed(home, weights, should_stop=lambda: True)
    assert (report.embedded, report.left) == (1, SONGS - 1)
    assert len(embedded(home)) == 1
