"""A trial on the station that is on: taken up and left while the music plays."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from player.playback.controller import Controller, Opening
from player.stations.seeds import Seed
from player.stations.station_scoring import StationScorer
from player.stations.trial_arms import Arm, TrialArms, Trials
from player.storage.models import Decision
from recommender.ranking.interleaving import arm_of, pair_of
from tests.support.library import settings

pytestmark = pytest.mark.slow

ARMS = (Arm("plain", "content"), Arm("other", "seeded"))
PATIENCE_SECONDS = 60.0


@pytest.fixture
def station(demo, monkeypatch):
    """A station whose trials have a real second arm that needs no training: the same player with one more seed."""

    def arms(trial, collection, stations, station, _paths):
        seeds = (*station.seeds, Seed("track", str(demo.track_ids[5])))
        seeded = StationScorer(collection, stations, replace(station, seeds=seeds), None)
        seeded.version = "seeded"
        return TrialArms(trial, (StationScorer(collection, stations, station, None), seeded))

    monkeypatch.setattr("player.trials.lifecycle.open_arms", arms)
    return demo.station()


@pytest.fixture
def controller(demo, station):
    """A silent player on that station."""
    made = Controller(demo.database, demo.paths, settings(), origin="tui", opening=Opening(station_id=station.id))
    made.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while made.snapshot().now is None:
        assert time.monotonic() < deadline, made.snapshot()
        time.sleep(0.02)
    yield made
    made.close()


def begin(home, station, controller, pairs=50):
    """A trial begun by another process, once it was noticed."""
    trial = Trials(home.database).start(station.id, ARMS, pairs)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not controller.snapshot().trial:
        assert time.monotonic() < deadline, controller.snapshot()
        time.sleep(0.02)
    return trial


def decisions(home):
    with home.database.reader() as session:
        return session.scalars(select(Decision).order_by(Decision.id)).all()


def test_a_trial_that_begins_elsewhere_has_what_comes_after_the_first_place_and_one_line(demo, station, controller):
    assert controller.snapshot().trial == ""
    promised = controller.snapshot().queue[0].track.id
    trial = begin(demo, station, controller)
    for _ in range(6):
        controller.next()
    first, shown, *served = decisions(demo)
    assert (first.trial_id, shown.trial_id, shown.track_id) == (None, None, promised)
    assert len(served) == 5
    for decision in served:
        assert (decision.trial_id, decision.pair) == (trial.id, pair_of(decision.slot))
        assert decision.arm == ARMS[arm_of(trial.coin_seed, decision.slot)].name
        assert 0 < decision.propensity <= 1
    assert {decision.arm for decision in served} == {"plain", "other"}
    assert controller.snapshot().trial.startswith("trial plain / other: ")
    assert "of 50 pairs" in controller.snapshot().trial
    (told,) = controller.listening().trials
    assert told.startswith("Evening: trial plain / other: ")
    assert len(controller.snapshot().queue) > 10


def test_a_trial_that_is_stopped_leaves_the_station_to_itself(demo, station, controller):
    trials = Trials(demo.database)
    trial = begin(demo, station, controller)
    controller.next()
    controller.next()
    assert decisions(demo)[-1].trial_id == trial.id
    promised = controller.snapshot().queue[0].track.id
    trials.end(trial, "Stopped.")
    controller.next()
    shown = decisions(demo)[-1]
    assert (shown.track_id, shown.trial_id, shown.pair) == (promised, None, None), "the first place is a promise"
    controller.next()
    last = decisions(demo)[-1]
    assert (last.trial_id, last.pair, last.arm, last.model_version) == (None, None, "live", "content")
    assert controller.snapshot().trial == ""


def test_a_trial_whose_pairs_are_full_ends_with_its_sentence_on_the_screen(demo, station, controller):
    begin(demo, station, controller, pairs=2)
    notices = []
    for _ in range(8):
        controller.next()
        notices.append(controller.snapshot().notice)
    assert sum("No winner between “plain” and “other” in 2 pairs" in notice for notice in notices) == 1
    assert Trials(demo.database).all()[0].conclusion.startswith("No winner")
    assert controller.snapshot().trial == ""
    assert decisions(demo)[-1].trial_id is None


def test_a_trial_pauses_while_its_station_plays_in_another_mode(demo, station, controller):
    begin(demo, station, controller)
    controller.next()
    controller.set_mode("new")
    controller.next()
    assert decisions(demo)[-1].trial_id is None
    assert controller.snapshot().trial == ""
    controller.set_mode("station")
    controller.next()
    assert decisions(demo)[-1].trial_id is not None


def test_both_arms_follow_the_stations_dial(demo, station, controller):
    begin(demo, station, controller)
    controller.next()
    controller.turn_dial(40)
    for _ in range(6):
        controller.next()
    turned = decisions(demo)[-4:]
    assert {decision.trial_id for decision in turned} == {1}
    trial = controller._session.tuned.trial
    assert {scorer.station.dial for scorer in trial.scorers} == {controller._session.station.dial}
    assert controller._session.station.dial != 50
