"""Embedding a library with a real network in real processes: in which order, how long it says, and how it goes on."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from embeddings.registry import frontend_module, frontend_spec
from player.library.embed import (
    FEW_TRACKS,
    EmbeddingRate,
    embed_pending,
    keep_rate,
    load_rate,
    projection,
    rate_key,
)
from player.library.embed_priority import PriorityKeeper
from player.library.scan import scan
from player.storage.models import Embedding
from tests.support.library import copy_home, make_library, new_database, write_songs
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
    keeper, ids = PriorityKeeper(home.database), home.track_ids
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
    key = rate_key(FRONTEND, frontend_spec(FRONTEND).version, 1)
    assert load_rate(home.database, key) > 0

    said.clear()
    embed(home, weights, announce=said.append)
    assert said == []  # nothing to do

    with home.database.session() as session:
        session.query(Embedding).delete()
    keep_rate(home.database, key, 2.0)
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


def test_a_file_that_took_too_long_is_tried_again_at_the_next_run(home, weights, monkeypatch):
    impatient = replace(frontend_module(FRONTEND), patience_seconds=0.0)
    monkeypatch.setattr("embeddings.registry.BUILT_IN", (impatient,))
    monkeypatch.setattr("embeddings.pipeline.LOOK_SECONDS", 0.0)
    report = embed(home, weights, should_stop=lambda: True)
    assert [why for _path, why in report.failed] == ["the file took too long and was given up"]
    monkeypatch.undo()
    assert embed(home, weights).embedded == SONGS


# --- The rate ----------------------------------------------------------------------------------------------------

EVENING = datetime(2024, 5, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tracks", "rate", "words"),
    [
        (10_000, 2.4, "10,000 tracks; at about 2.4 tracks a second this takes about 1 h 9 min (done about 23:39)."),
        (10_000, 0.5, "10,000 tracks; at about 30 tracks a minute this takes about 5 h 33 min (done about Thursday 04:03)."),
        (1_000_000, 0.5, "1,000,000 tracks; at about 30 tracks a minute this takes about 555 h 33 min (done about 25 May 2024)."),
        (300, 2.0, "300 tracks; at about 2.0 tracks a second this takes about 2 min (done about 22:32)."),
        (12, 4.0, "12 tracks; at about 4.0 tracks a second this takes about 3 s."),
        (1, 0.013, "1 track; at about 0.78 tracks a minute this takes about 1 min (done about 22:31)."),
    ],
)  # fmt: skip
def test_a_projection_in_words(tracks, rate, words):
    assert projection(tracks, rate, EVENING) == words


def test_a_hopeless_projection_is_words_too():
    assert "done about" in projection(10**9, 1e-9, EVENING)


def test_the_speed_is_that_after_the_first_result(monkeypatch):
    moment = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    rate = EmbeddingRate()
    moment += 60.0  # loading the network
    for done in range(FEW_TRACKS + 1):
        assert rate.measured is None
        assert rate.seconds_left(5) is None
        rate.heard()
        if done < FEW_TRACKS:
            moment += 0.5
    assert rate.measured == 2.0
    assert rate.seconds_left(5) == 2.5


def test_an_earlier_speed_serves_until_there_is_one(monkeypatch):
    moment = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    rate = EmbeddingRate(4.0)
    assert rate.tracks_per_second == 4.0
    for _ in range(FEW_TRACKS + 1):
        moment += 0.5
        rate.heard()
    assert rate.tracks_per_second == 2.0


def test_a_speed_is_kept_for_each_front_end_and_number_of_workers(tmp_path):
    database = new_database(tmp_path / "player.db")
    keep_rate(database, rate_key("musicnn", "1", 2), 2.5)
    assert load_rate(database, rate_key("musicnn", "1", 2)) == 2.5
    assert load_rate(database, rate_key("musicnn", "1", 1)) is None
    for nonsense in (0, -1, float("inf"), "fast", None):
        keep_rate(database, "x", nonsense)
        assert load_rate(database, "x") is None
    database.close()
