"""What a history saves: the reckoning on curves whose answer is known, and the history itself."""

from dataclasses import replace

import numpy as np
import pytest

from bench.simulation.listener import FIRST_SESSION, Listener, Temperament
from bench.simulation.world import NOWHERE, clustered_world
from bench.station.import_saves import IMPORTED_PLAYS, History, imported, joined, plays_until, rolling, saving
from player.feedback.signals import IMPORTED_WEIGHT
from recommender.events import Outcome


@pytest.fixture(scope="module")
def world():
    return clustered_world(600, seed=0)


@pytest.fixture(scope="module")
def listener(world):
    return Listener(world, Temperament(), seed=3)


def test_a_history_that_puts_a_listener_forty_plays_ahead_saves_forty():
    steps = np.linspace(0.3, 0.9, 200)
    alone = np.tile(steps, (5, 1)) + np.linspace(-0.05, 0.05, 5)[:, np.newaxis]
    found = saving(alone, alone[:, 40 : 40 + IMPORTED_PLAYS])
    for saved in (found.saved_at_once, found.saved_later):
        assert (saved.mean, saved.low, saved.high) == pytest.approx((40, 40, 40))
    assert found.at_once.mean == pytest.approx(40 * 0.6 / 199)


def test_a_history_that_does_nothing_saves_nothing():
    alone = np.tile(np.linspace(0.3, 0.9, 200), (5, 1))
    found = saving(alone, alone[:, :IMPORTED_PLAYS])
    assert (found.at_once.mean, found.saved_at_once.mean, found.saved_later.mean) == pytest.approx((0, 0, 0))


def test_what_is_never_reached_is_all_there_was():
    alone = np.full((5, 200), 0.5)
    found = saving(alone, np.full((5, IMPORTED_PLAYS), 0.6))
    assert found.saved_at_once.mean == found.most_at_once == 181


def test_one_lucky_session_is_not_taken_for_having_learned():
    curve = np.full(100, 0.4)
    curve[10] = 0.9
    curve[80:] = 0.8
    assert plays_until(curve, np.array([0.75])).tolist() == [80]


def test_rolling_means_are_those_of_each_window():
    values = np.random.default_rng(0).random((2, 50))
    slow = [[row[start : start + 20].mean() for start in range(31)] for row in values]
    assert rolling(values) == pytest.approx(np.array(slow))


def test_an_import_lies_before_the_first_session_on_no_station_at_half_weight(listener, world):
    rows = imported(listener, len(world), History(400, loves=True), seed=3)
    assert rows.time.max() < FIRST_SESSION
    assert set(rows.station.tolist()) == {NOWHERE}
    assert rows.weight.max() == pytest.approx(IMPORTED_WEIGHT)
    assert np.all(np.diff(rows.time) >= 0)


def test_only_a_history_with_loves_has_thumbs(listener, world):
    for loves in (False, True):
        rows = imported(listener, len(world), History(400, loves=loves), seed=3)
        assert np.isin(rows.outcome, [Outcome.THUMB_UP, Outcome.THUMB_DOWN]).any() == loves


def test_a_history_follows_the_taste_it_comes_from(listener, world):
    rows = imported(listener, len(world), History(2000, loves=False), seed=3)
    taste = listener.taste.logits
    assert taste[rows.track].mean() > taste.mean() + 0.2
    assert taste[rows.track[rows.label > 0]].mean() > taste[rows.track[rows.label < 0]].mean() + 0.2


def test_joined_logs_keep_every_row_in_order(listener, world):
    first = imported(listener, len(world), History(30, loves=False), seed=3)
    then = imported(listener, len(world), History(20, loves=True), seed=4)
    then = replace(then, time=then.time + FIRST_SESSION)
    both = joined(first, then)
    assert len(both) == len(first) + len(then)
    assert both.first(len(first)).track.tolist() == first.track.tolist()
    assert both.track[len(first) :].tolist() == then.track.tolist()
