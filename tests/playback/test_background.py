"""Jobs beside the music: embedding that can be paused, what may run meanwhile, and a library that grows as one listens."""

import os
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import delete, select

from embeddings.registry import DEFAULT_FRONTEND, frontend_card
from embeddings.weights.weight_files import find_weights
from player.jobs import LOWEST_PRIORITY, trainer_lock
from player.library.embed_priority import load_wishes
from player.library.vectors import store_embedding
from player.playback.background import CANNOT_PAUSE, NOTHING_TO_PAUSE, Background
from player.playback.controller import Controller, Opening
from player.stations.stations import genres_of
from player.storage.models import Embedding
from recommender.models.content_space import Source
from tests.support.library import CARD, copy_home, make_library, settings, write_songs

SONGS = 30
PATIENCE_SECONDS = 90.0


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Tones that nobody listened to yet."""
    folder = tmp_path_factory.mktemp("unheard")
    make_library(folder / "home", [write_songs(folder / "songs", SONGS, 0.4)], vectors=False)
    return folder / "home"


@pytest.fixture
def unheard(template, tmp_path):
    home = copy_home(template, tmp_path / "unheard")
    if find_weights(frontend_card(DEFAULT_FRONTEND).weights, named=None, cache=home.paths.cache) is None:
        pytest.skip("needs the weights of musicnn, which the set-up fetches")
    yield home
    home.close()


class Watcher:
    """Background work, and ways to wait for what it shows."""

    def __init__(self, home):
        self.home = home
        self.views = []
        self.reloads = 0
        self._changed = threading.Condition()
        self.work = Background(home.database, home.paths, self._outside, self._job, lambda: None)

    def _outside(self, *, library):
        self.reloads += library

    def _job(self):
        with self._changed:
            self.views.append(self.work.view)
            self._changed.notify_all()

    @property
    def view(self):
        return self.work.view

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen; on show is {self.view}"
            with self._changed:
                self._changed.wait(0.05)

    def wait_for_vectors(self, more_than=0):
        self.wait(lambda: len(vectors(self.home)) > more_than, "a vector")

    def wait_until_idle(self):
        self.wait(lambda: self.work._child is None, "the end of the job")


def vectors(home) -> list[int]:
    with home.database.reader() as session:
        return list(session.scalars(select(Embedding.track_id).where(Embedding.vector.is_not(None))))


@pytest.fixture
def watcher(unheard):
    watcher = Watcher(unheard)
    yield watcher
    watcher.work.close()


def test_embedding_is_paused_and_gone_on_with(watcher):
    watcher.work.start()
    watcher.wait_for_vectors()
    child = watcher.work._child._process.pid
    assert os.getpriority(os.PRIO_PROCESS, child) == LOWEST_PRIORITY
    assert watcher.work.pause() == ""
    assert watcher.view.paused
    watcher.wait_until_idle()
    done = len(vectors(watcher.home))
    assert 0 < done < SONGS
    assert (watcher.view.name, watcher.view.paused, watcher.view.finished) == ("embed", True, False)
    # The process is gone, so a training in another terminal finds the lock free.
    with trainer_lock(watcher.home.paths.trainer_lock):
        time.sleep(0.5)
    assert len(vectors(watcher.home)) == done

    watcher.views.clear()
    assert watcher.work.pause() == ""
    watcher.wait_for_vectors(done)
    for _ in range(4):  # two changes of mind, quicker than a process ends
        watcher.work.pause()
    assert not watcher.view.paused
    watcher.wait(lambda: watcher.view.finished, "the end")
    assert len(vectors(watcher.home)) == SONGS
    assert not any(view.finished for view in watcher.views[:-1])
    assert watcher.work.pause() == NOTHING_TO_PAUSE


def test_a_training_and_a_scan_run_while_it_is_paused_and_do_not_end_the_pause(watcher):
    watcher.work.start()
    watcher.wait_for_vectors()
    watcher.work.pause()
    watcher.work.run("retrain")  # while the embedding's process still holds the lock
    watcher.wait(lambda: watcher.view.name == "retrain" and watcher.view.finished, "the training")
    assert watcher.view.summary.startswith("Missing: ")
    watcher.work.run("scan")
    watcher.wait(lambda: watcher.view.name == "scan" and watcher.view.finished, "the scan")
    watcher.wait_until_idle()
    time.sleep(0.5)
    assert watcher.work._child is None
    assert 0 < len(vectors(watcher.home)) < SONGS


def test_what_is_paused_can_be_given_up(watcher):
    watcher.work.start()
    watcher.work.pause()  # it has hardly begun
    watcher.wait_until_idle()
    assert watcher.view.paused
    watcher.work.stop()
    assert (watcher.view.finished, watcher.view.paused) == (True, False)
    assert watcher.work.pause() == NOTHING_TO_PAUSE


def test_only_embedding_is_paused(watcher, tmp_path):
    assert watcher.work.pause() == NOTHING_TO_PAUSE
    watcher.work.start(str(write_songs(tmp_path / "new", 2, 0.3)))
    assert watcher.view.name == "scan"
    assert watcher.work.pause() == CANNOT_PAUSE
    # The folder it was opened with is scanned first, although there is something to embed.
    watcher.wait(lambda: watcher.view.name == "embed", "the embedding after the scan")
    assert len(watcher.home.track_ids) > SONGS - 1


# --- a library that grows as one listens, through the controller


@pytest.fixture
def growing(demo):
    """The demo library with a station of one genre, and a track of that genre that nobody listened to yet."""
    genre, _ = Counter(genre for row in demo.rows for genre in genres_of(row)).most_common(1)[0]
    station = demo.station("Evening", f"genre:{genre}")
    late = next(row for row in reversed(demo.rows) if genre in genres_of(row))
    with demo.database.session() as session:
        session.execute(delete(Embedding).where(Embedding.track_id == late.id))
    # Holding the lock keeps the controller's own embedding away: what has a vector is decided here.
    with trainer_lock(demo.paths.trainer_lock):
        controller = Controller(
            demo.database, demo.paths, settings(), origin="tui", opening=Opening(station_id=station.id)
        )
        controller.start()
        yield demo, controller, late, genre
        controller.close()


def wait(condition, what):
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def scores(controller) -> dict[int, float]:
    return {row.track.id: row.score for row in controller.snapshot().queue}


def test_a_track_without_a_vector_is_queued_and_played_and_scored_by_its_own_sound_once_it_has_one(growing):
    home, controller, late, genre = growing
    shown = controller.snapshot()
    assert (shown.tracks, shown.embedded) == (24, 23)
    if shown.now.track.id == late.id:
        controller.next()
    mates = {row.id for row in home.rows if genre in genres_of(row)}
    before = scores(controller)
    strangers = [score for track, score in before.items() if track not in mates]
    # Its artist's or genre's mean stands in: it is ranked with its like, far above the rest.
    assert before[late.id] > max(strangers)

    controller.play_track(late.id)
    wait(lambda: (now := controller.snapshot().now).track.id == late.id and now.position > 0.1, "its sound")
    other = next(row.id for row in home.rows if row.id not in mates)
    controller.play_track(other)

    with home.database.reader() as session:
        far = session.get(Embedding, (other, CARD.name))
    with home.database.session() as session:
        store_embedding(session, late.id, CARD.name, CARD.version, vector=far.vector, tags=far.tags, error=None)
    wait(lambda: controller.snapshot().embedded == 24, "the new vector's arrival")
    known = controller._session.known.collection
    assert known.space.source[known.index[late.id]] == Source.OWN
    row = known.index[late.id]
    assert known.space.vectors[row] == pytest.approx(known.space.vectors[known.index[other]])
    score = controller._session.tuned.scorer.score(controller._session.history.labels, time.time()).total
    assert score[row] < min(score[known.index[track]] for track in mates - {late.id})


def test_what_plays_and_is_queued_is_wished_for_until_everything_has_a_vector(growing):
    home, controller, late, _ = growing

    def wished():
        with home.database.reader() as session:
            return load_wishes(session).upcoming

    def queued():
        shown = controller.snapshot()
        return (shown.now.track.id, *(row.track.id for row in shown.queue))

    wait(lambda: wished() == queued(), "the wish")
    controller.next()
    wait(lambda: wished() == queued(), "the next wish")
    with home.database.session() as session:
        store_embedding(
            session, late.id, CARD.name, CARD.version, vector=bytes(4 * CARD.dimension), tags=None, error=None
        )
    wait(lambda: controller.snapshot().embedded == 24, "the last vector")
    before = wished()
    controller.next()
    time.sleep(1.0)
    assert wished() == before


def test_what_cannot_be_paused_is_told(growing):
    _, controller, *_ = growing
    wait(lambda: controller.snapshot().job is not None and controller.snapshot().job.finished, "the refused job")
    controller.pause_job()
    assert controller.snapshot().notice == NOTHING_TO_PAUSE
