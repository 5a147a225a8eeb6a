"""Training without being asked: when, how often, and what the screen says of it."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from player.config import Settings, settings_of
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.jobs import LOWEST_PRIORITY
from player.learning.auto_training import LOOK_SECONDS, PAUSE_SECONDS, AutoTraining, trained_answers
from player.playback.background import Background
from recommender.models.registry import Registry

PATIENCE_SECONDS = 120.0


class Life:
    """A clock and a count of answers."""

    def __init__(self, folder, after):
        self.now, self.answers, self.counted = 1000.0, 0, 0
        self.auto = AutoTraining(Registry(folder / "models"), after, self._count, lambda: self.now)

    def _count(self):
        self.counted += 1
        return self.answers

    def due_later(self):
        self.now += LOOK_SECONDS
        return self.auto.due()


def test_the_setting_is_fifty_and_can_be_switched_off():
    assert Settings().learning.auto_after == 50
    assert settings_of({"learning": {"auto_after": 0}}).learning.auto_after == 0


def test_it_is_time_after_so_many_answers(tmp_path):
    life = Life(tmp_path, 50)
    life.answers = 49
    assert not life.due_later()
    life.answers = 50
    assert life.due_later()


def test_never_where_it_is_switched_off(tmp_path):
    life = Life(tmp_path, 0)
    life.answers = 10_000
    assert not life.due_later()
    assert life.counted == 0


def test_a_training_that_found_too_little_is_not_tried_again_before_as_much_is_new(tmp_path):
    life = Life(tmp_path, 50)
    life.answers = 60
    assert life.due_later()
    life.auto.note()
    life.now += PAUSE_SECONDS
    assert not life.due_later()
    life.answers = 110
    assert life.due_later()


def test_two_trainings_are_a_pause_apart_however_much_is_new(tmp_path):
    life = Life(tmp_path, 50)
    life.answers = 60
    life.auto.note()
    life.answers = 1000
    life.now += PAUSE_SECONDS - 2 * LOOK_SECONDS
    assert not life.due_later()
    assert life.due_later()


def test_answers_are_counted_now_and_then(tmp_path):
    life = Life(tmp_path, 50)
    for _ in range(100):
        life.now += LOOK_SECONDS / 10
        life.auto.due()
    assert life.counted <= 11


@pytest.fixture
def talkative(demo):
    """The demo library with sixty answers."""
    rng = np.random.default_rng(2)
    station = demo.station("Evening")
    liked = {row.genre for row in demo.rows if row.id % 2}
    EventStore(demo.database, "cli").append_all(
        [
            NewEvent("finish" if row.genre in liked else "skip", row.id, station.id, position=5.0)
            for row in rng.choice(np.array(demo.rows, object), 60)
        ]
    )
    return demo


@pytest.mark.slow
def test_the_player_trains_quietly_at_the_lowest_priority_in_one_thread_and_says_what_came_of_it(talkative):
    registry, views, ended = Registry(talkative.paths.models), [], threading.Event()

    def on_job():
        views.append(work.view)
        if work.view.finished:
            ended.set()

    auto = AutoTraining(registry, 50, lambda: 60)
    work = Background(talkative.database, talkative.paths, lambda **_: None, on_job, lambda: None, auto)
    threads = []
    work._thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ended.wait(0.05):
            assert time.monotonic() < deadline, f"on show is {work.view}"
            child = work._child
            if child is not None and any(view.stage != "Training …" for view in views):
                try:
                    assert os.getpriority(os.PRIO_PROCESS, child._process.pid) == LOWEST_PRIORITY
                    threads.append(sum(1 for _ in Path(f"/proc/{child._process.pid}/task").iterdir()))
                except (FileNotFoundError, ProcessLookupError):
                    continue
    finally:
        work.close()
    assert all(view.quiet for view in views[:-1])
    assert views[-1].summary.startswith("Trained by itself: ")
    assert registry.versions()
    assert trained_answers(registry) == 60
    # One that computes, and one that watches whether the player is still there.
    assert threads
    assert max(threads) <= 2
    assert not auto.due()


@pytest.mark.slow
def test_a_listener_who_asks_takes_a_quiet_training_over(talkative):
    auto = AutoTraining(Registry(talkative.paths.models), 50, lambda: 60)
    work = Background(talkative.database, talkative.paths, lambda **_: None, lambda: None, lambda: None, auto)
    try:
        work._train_when_due()
        assert work.view.quiet
        work.run("retrain")
        assert not work.view.quiet
    finally:
        work.close()
