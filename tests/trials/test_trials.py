"""Trials of two arms on a real library: who serves what, what counts, and how a trial ends."""

import time
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import NewEvent
from player.feedback.signals import FINISH, THUMB_DOWN, THUMB_UP
from player.playback.headless import serve_next
from player.stations.collection import load_collection
from player.stations.reasons import queue_rows
from player.stations.station_queue import Listening, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import Stations
from player.stations.trial_arms import Arm, TrialArms, Trials
from player.storage.models import Decision
from player.trials.lifecycle import TrialWish, begin_trial, report_of, settle, stop_trial
from player.trials.plays import closed_pairs, liking_of, read_slots, verdicts
from recommender.evaluation.sequential_test import ALPHA
from recommender.ranking.interleaving import arm_of, pair_of
from tests.support.library import settings

ARMS = (Arm("plain", "content"), Arm("other", "seeded"))


def two_arms(home, station, seed_track):
    """A trial of the station as it is against itself with one more seed, both scorers real."""
    collection = load_collection(home.database)
    stations = Stations(home.database).all()
    trial = Trials(home.database).start(station.id, ARMS, 400)
    plain = StationScorer(collection, stations, station, None)
    seeded = StationScorer(
        collection, stations, replace(station, seeds=home.station("Other", f"track:{seed_track}").seeds), None
    )
    seeded.version = "seeded"
    return TrialArms(trial, (plain, seeded))


def listening(home, scorer):
    history = load_history(home.database, scorer.collection.rows)
    return history, Listening(history.state, history.labels, time.time())


def play(home, trial_arms, judge):
    """Serve the next track of the trial and judge it; returns what was served."""
    scorer = trial_arms.scorers[0]
    _, present = listening(home, scorer)
    queue = trial_arms.rank(present, settings().station, 1)
    choice = served(queue, scorer, 0)
    log = EventStore(home.database, "headless")
    decision = log.serve([choice])[0]
    kind, action, position = ("finish", "end", None) if judge(choice) else ("skip", "next", 1.0)
    log.append(NewEvent(kind, choice.track_id, choice.station_id, position, action, decision_id=decision))
    return choice


@pytest.mark.slow
def test_each_slot_is_served_and_logged_by_the_arm_that_the_coin_gave_it_to(demo):
    arms = two_arms(demo, demo.station(), demo.track_ids[5])
    choices = [play(demo, arms, lambda _choice: True) for _ in range(12)]
    names = [ARMS[arm_of(arms.trial.coin_seed, choice.slot)].name for choice in choices]
    assert [choice.arm for choice in choices] == names
    assert [choice.pair for choice in choices] == [pair_of(choice.slot) for choice in choices]
    assert {choice.trial_id for choice in choices} == {arms.trial.id}
    versions = {"plain": "content", "other": "seeded"}
    assert [choice.model_version for choice in choices] == [versions[name] for name in names]
    with demo.database.reader() as session:
        kept = session.scalars(select(Decision).order_by(Decision.id)).all()
    assert [(one.trial_id, one.pair, one.arm) for one in kept] == [
        (choice.trial_id, choice.pair, choice.arm) for choice in choices
    ]


def test_the_propensity_is_the_softmax_of_the_arm_that_chose(demo):
    arms = two_arms(demo, demo.station(), demo.track_ids[5])
    scorer = arms.scorers[0]
    _, present = listening(demo, scorer)
    queue = arms.rank(present, settings().station, 8)
    for place, row in enumerate(queue.ranking.rows):
        choice = served(queue, scorer, place)
        own = queue.arm(place)
        assert row.score == pytest.approx(own.queue.request.scores[row.track])
        logits = np.array(choice.eligible_utilities) / choice.temperature
        assert np.logaddexp.reduce(logits) == pytest.approx(choice.log_partition, abs=1e-4)
        chosen = logits[list(choice.eligible_ids).index(choice.track_id)]
        assert np.exp(chosen - choice.log_partition) == pytest.approx(choice.propensity, rel=1e-4)
        assert choice.temperature == pytest.approx(own.queue.request.settings.temperature)
    scores = [arm.request.scores for arm in (queue.arm(p).queue for p in range(8))]
    assert any(not np.array_equal(one, scores[0]) for one in scores)


def test_a_slot_committed_at_once_equals_one_committed_when_it_is_served(demo):
    arms = two_arms(demo, demo.station(), demo.track_ids[5])
    scorer = arms.scorers[0]
    _, present = listening(demo, scorer)
    later = arms.rank(present, settings().station, 6)
    at_once = arms.rank(present, settings().station, 6, commit_first=6)
    for place in range(6):
        one, other = served(later, scorer, place), served(at_once, scorer, place)
        assert (one.track_id, one.arm, one.pair) == (other.track_id, other.arm, other.pair)
        assert one.propensity == pytest.approx(other.propensity, rel=1e-5)


def test_two_rankings_agree_and_what_is_left_behind_the_first_keeps_its_arms(demo):
    arms = two_arms(demo, demo.station(), demo.track_ids[5])
    history, present = listening(demo, arms.scorers[0])
    first, second = (arms.rank(present, settings().station, 6) for _ in range(2))
    assert first.track_rows == second.track_rows
    left = first.after_first()
    assert [arm.name for arm in left.arms] == [arm.name for arm in first.arms[1:]]
    rows = queue_rows(left, arms.scorers[0], history.state, (), time.time())
    assert len(rows) == 5
    assert all(row.reason for row in rows)


@pytest.mark.slow
def test_the_arm_that_is_liked_better_wins_and_the_trial_says_so(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    trial = arms.trial
    for _ in range(60):
        play(demo, arms, lambda choice: choice.arm == "other")
    history, _ = listening(demo, arms.scorers[0])
    sentence = settle(demo.database, demo.paths, trial, history)
    assert sentence is not None
    assert sentence.startswith("“other” won against “plain”")
    ended = Trials(demo.database).all()[0]
    assert ended.conclusion == sentence
    assert Trials(demo.database).running(station.id) is None
    report = report_of(demo.database, demo.paths, ended)
    table = {line.key: line for line in report.table}
    assert table["completed"].arms[0].value == 0.0
    assert table["completed"].arms[1].value == 1.0
    assert table["skipped"].difference.value == 1.0
    assert table["liking"].difference.value == pytest.approx(-0.6)
    assert report.test.stopped_at is not None
    assert report.test.p <= ALPHA
    assert report.test.high < 0


@pytest.mark.slow
def test_arms_that_are_liked_alike_end_without_a_winner_at_the_most_pairs(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    short = replace(arms.trial, most_pairs=10)
    for number in range(20):
        play(demo, arms, lambda choice, number=number: (number // 2) % 2 == 0 or choice.slot % 2 == 0)
        history, _ = listening(demo, arms.scorers[0])
        early = settle(demo.database, demo.paths, short, history)
        if number < 19:
            assert early is None
    assert early is not None
    assert early.startswith("No winner between “plain” and “other” in 10 pairs")
    assert "would have" in early


def test_a_trial_ends_at_its_last_moment(demo):
    station = demo.station()
    trial = Trials(demo.database).start(station.id, ARMS, 400, hours=1e-9)
    history = load_history(demo.database, demo.rows)
    assert "0 pairs" in settle(demo.database, demo.paths, trial, history)


def test_a_pair_counts_only_when_both_were_served_and_judged(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    for _ in range(4):
        play(demo, arms, lambda _choice: True)
    # One chosen by hand takes the slot of a fifth, so the sixth is alone.
    EventStore(demo.database, "headless").append(NewEvent("finish", demo.track_ids[0], station.id, None, "end"))
    play(demo, arms, lambda _choice: True)
    history, _ = listening(demo, arms.scorers[0])
    slots = read_slots(demo.database, arms.trial)
    pairs = closed_pairs(slots, history)
    assert len(slots) == 5
    assert len(pairs.differences) == 2
    assert pairs.broken == 1
    assert closed_pairs(slots, history, open_pair=slots[-1].pair).broken == 0


def test_what_is_taken_back_counts_no_more(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    choice = play(demo, arms, lambda _choice: True)
    EventStore(demo.database, "headless").append(NewEvent("undo", choice.track_id, station.id))
    play(demo, arms, lambda _choice: True)
    history, _ = listening(demo, arms.scorers[0])
    assert len(verdicts(history.labels)) == 1
    assert closed_pairs(read_slots(demo.database, arms.trial), history).differences.tolist() == []


def test_what_was_said_outright_counts_before_what_was_shown():
    assert liking_of([FINISH]) == 0.75
    assert liking_of([THUMB_DOWN, FINISH]) == 0.0
    assert liking_of([THUMB_DOWN, THUMB_UP, FINISH]) == 1.0


def test_listing_the_next_tracks_on_the_command_line_takes_part_in_the_trial(demo):
    station = demo.station()
    trials = Trials(demo.database)
    # The same version under two names would be refused; what is compared here is only who serves.
    trial = trials.start(station.id, (Arm("untrained", "content"), Arm("gone", "20990101T000000-abcdef")), 50)
    listed = serve_next(demo.database, demo.paths, settings(), "Evening", 4)
    assert f"Trial {trial.id} cannot go on" in listed.problem
    assert len(listed.queue) == 4
    assert trials.running(station.id) is None
    assert serve_next(demo.database, demo.paths, settings(), "Evening", 4).problem == ""


def test_one_trial_at_a_time_and_two_arms_that_differ(demo):
    station = demo.station()
    trials = Trials(demo.database)
    with pytest.raises(PlayerError, match="same version"):
        trials.start(station.id, (ARMS[0], replace(ARMS[1], version="content")), 10)
    trials.start(station.id, ARMS, 10)
    with pytest.raises(PlayerError, match="still running"):
        trials.start(station.id, ARMS, 10)
    assert trials.start(demo.station("Morning").id, ARMS, 10).id == 2


def test_a_trial_is_kept_with_its_limits(demo):
    made = Trials(demo.database).start(demo.station().id, ARMS, 77, hours=2)
    found = Trials(demo.database).all()[0]
    assert found == made
    assert (found.most_pairs, found.until_us - found.started_us) == (77, 2 * 3600 * 1_000_000)


@pytest.mark.slow
def test_stopping_says_how_it_stood(demo):
    arms = two_arms(demo, demo.station(), demo.track_ids[5])
    for _ in range(4):
        play(demo, arms, lambda choice: choice.arm == "plain")
    stopped = stop_trial(demo.database, demo.paths, "Evening")
    assert stopped.ended_us is not None
    assert stopped.conclusion.startswith("Stopped by you after 2 pairs: “plain” leads by 0.60")
    with pytest.raises(PlayerError, match="No trial is running"):
        stop_trial(demo.database, demo.paths, "Evening")


@pytest.mark.slow
def test_no_control_without_a_model_that_serves(demo):
    demo.station()
    wish = TrialWish(("live", "without-negatives"), None, 100, None)
    with pytest.raises(PlayerError, match="No trained model serves yet"):
        begin_trial(demo.database, demo.paths, wish, lambda _progress: None, lambda: False)
    assert Trials(demo.database).all() == []


# --- what a trial has looked at stays


def path_of(home, arms):
    history, _ = listening(home, arms.scorers[0])
    return closed_pairs(read_slots(home.database, arms.trial), history).differences.tolist()


@pytest.mark.slow
def test_what_is_said_or_taken_back_after_a_pair_closed_leaves_the_path_as_it_was(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    choices = [play(demo, arms, lambda choice: choice.arm == "other") for _ in range(20)]
    before = path_of(demo, arms)
    assert len(before) == 10
    log = EventStore(demo.database, "tui")
    with demo.database.reader() as session:
        decisions = session.scalars(select(Decision.id).order_by(Decision.id)).all()
    for number, (choice, decision) in enumerate(zip(choices, decisions, strict=True)):
        match number % 4:
            case 0:
                log.append(NewEvent("up", choice.track_id, station.id, decision_id=decision))
            case 1:
                log.append(NewEvent("down", choice.track_id, station.id, decision_id=decision))
            case 2:
                log.append(NewEvent("undo", choice.track_id, station.id))
            case _:
                log.append(NewEvent("up", choice.track_id, station.id, decision_id=decision))
                log.append(NewEvent("clear", choice.track_id, station.id))
    assert path_of(demo, arms) == before


@pytest.mark.slow
def test_each_look_at_a_trial_finds_what_the_looks_before_found(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    seen = []
    for number in range(16):
        choice = play(demo, arms, lambda choice, number=number: number % 3 == 0 or choice.arm == "plain")
        path = path_of(demo, arms)
        assert path[: len(seen)] == seen
        seen = path
        log = EventStore(demo.database, "tui")
        log.append(NewEvent("down" if number % 2 else "up", choice.track_id, station.id))
        if number % 5 == 4:
            log.append(NewEvent("undo", choice.track_id, station.id))
        path = path_of(demo, arms)
        assert path[: len(seen)] == seen
        seen = path
    assert len(seen) == 8


def test_a_thumb_given_while_the_second_track_plays_still_counts_and_may_be_changed(demo):
    station = demo.station()
    arms = two_arms(demo, station, demo.track_ids[5])
    first = play(demo, arms, lambda _choice: True)
    _, present = listening(demo, arms.scorers[0])
    choice = served(arms.rank(present, settings().station, 1), arms.scorers[0], 0)
    log = EventStore(demo.database, "tui")
    decision = log.serve([choice])[0]
    for kind in ("down", "up"):
        log.append(NewEvent(kind, choice.track_id, station.id, 5.0, decision_id=decision))
        assert path_of(demo, arms) == []
    log.append(NewEvent("skip", choice.track_id, station.id, 9.0, "next", decision_id=decision))
    liking = {first.arm: 0.75, choice.arm: 1.0}
    assert path_of(demo, arms) == [pytest.approx(liking["plain"] - liking["other"])]
