"""Decisions met again: the states they were made in come back exactly, so a policy that is the logged one weighs 1."""

import time
import zlib

import numpy as np
import pytest

from player.feedback.event_store import EventStore, read_served
from player.feedback.events import NewEvent
from player.playback.controller import Controller, Opening
from player.playback.headless import serve_next
from player.stations.collection import load_collection
from player.storage.models import Decision
from player.trials import offpolicy as policies
from player.trials.offpolicy import evaluate_named, replay
from tests.support.library import settings

PATIENCE_SECONDS = 8.0


def evaluate(home, name):
    return evaluate_named(home.database, home.paths, settings().station, name, lambda _progress: None).report


def listen(home, station, plays, finish=lambda number: number % 2 == 0):
    """Serve and judge one after the other."""
    log = EventStore(home.database, "cli")
    for number in range(plays):
        track = serve_next(home.database, home.paths, settings(), station.name, 1).queue[0].track.id
        kind, position, action = ("finish", None, "end") if finish(number) else ("skip", 2.0, "next")
        log.append(NewEvent(kind, track, station.id, position, action))


@pytest.fixture
def weights(monkeypatch):
    """What the weights were that the last evaluation used."""
    seen = []

    def keep(decisions, policy, features, seed):
        seen.append(policy.chosen / decisions.propensity)
        return estimate(decisions, policy, features, seed)

    estimate = policies.evaluate_policy
    monkeypatch.setattr(policies, "evaluate_policy", keep)
    return seen


@pytest.mark.slow
def test_the_logging_policy_weighs_one_whatever_was_thumbed_banned_rested_or_taken_back(demo, weights):
    station = demo.station("Evening", f"track:{demo.track_ids[3]}")
    log = EventStore(demo.database, "cli")
    listen(demo, station, 4)
    log.append(NewEvent("down", demo.track_ids[0], station.id))
    listen(demo, station, 3)
    log.append(NewEvent("never", demo.track_ids[1]))
    log.append(NewEvent("not-now", demo.track_ids[2]))
    listen(demo, station, 3)
    log.append(NewEvent("undo", demo.track_ids[0], station.id))
    listen(demo, station, 3)
    evaluate(demo, "untrained")
    assert len(weights[0]) == 13
    assert weights[0] == pytest.approx(np.ones(13), rel=1e-4)


def test_a_list_served_whole_is_met_place_by_place(demo, weights):
    station = demo.station("Evening", f"track:{demo.track_ids[3]}")
    log = EventStore(demo.database, "cli")
    for row in serve_next(demo.database, demo.paths, settings(), "Evening", 8).queue:
        log.append(NewEvent("finish", row.track.id, station.id, None, "end"))
    evaluate(demo, "untrained")
    assert weights[0] == pytest.approx(np.ones(8), rel=1e-4)


@pytest.mark.slow
def test_places_prepared_while_music_played_are_met_as_they_were_drawn(tones, weights):
    """On the air: songs of a second that end by themselves, skips, a thumb, and tracks chosen by hand between them."""
    station = tones.station()
    player = Controller(tones.database, tones.paths, settings(), origin="tui", opening=Opening(station_id=station.id))
    player.start()

    def until_another(track):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while player.snapshot().now is None or player.snapshot().now.track.id == track:
            assert time.monotonic() < deadline, player.snapshot()
            time.sleep(0.02)
        return player.snapshot().now.track.id

    track = until_another(None)
    track = until_another(track)
    player.next()
    track = until_another(until_another(track))
    player.thumb(1)
    player.play_track(next(one for one in tones.track_ids if one != track))
    until_another(until_another(track))
    player.next()
    player.close()
    evaluate(tones, "untrained")
    assert len(weights[0]) >= 4
    assert weights[0] == pytest.approx(np.ones(len(weights[0])), rel=1e-4)


@pytest.mark.slow
def test_another_station_seed_would_not_weigh_one(demo, weights):
    """So the tests above could have failed: a state that is not the one that was gives other weights."""
    station = demo.station("Evening", f"track:{demo.track_ids[3]}")
    listen(demo, station, 8)
    with demo.database.session() as session:
        session.connection().exec_driver_sql(f"UPDATE station_seed SET value = '{demo.track_ids[9]}'")
    evaluate(demo, "untrained")
    assert not np.allclose(weights[0], 1.0, rtol=0.05)


@pytest.mark.slow
def test_chance_weighs_one_over_the_eligible(demo, weights):
    listen(demo, demo.station("Evening", f"track:{demo.track_ids[3]}"), 6)
    evaluate(demo, "random")
    kept = read_served(demo.database, 0.0, 100)
    assert weights[0] == pytest.approx([1 / one.eligible_count / one.propensity for one in kept], rel=1e-5)


@pytest.mark.slow
def test_popularity_prefers_what_was_finished_most(demo, monkeypatch):
    asked = []
    monkeypatch.setattr(policies, "evaluate_policy", lambda _decisions, policy, _features, _seed: asked.append(policy))
    station = demo.station()
    log = EventStore(demo.database, "cli")
    favourite = demo.track_ids[7]
    for _ in range(30):
        log.append(NewEvent("finish", favourite))
    for track in demo.track_ids[8:20]:  # so many that the favourite may come again
        log.append(NewEvent("skip", track, station.id, 2.0, "next"))
    listen(demo, station, 1)
    evaluate_named(demo.database, demo.paths, settings().station, "popularity", lambda _progress: None)
    (policy,) = asked
    row = load_collection(demo.database).index[favourite]
    assert row in policy.track
    assert policy.track[np.argmax(policy.probability)] == row
    assert policy.probability.max() > 2 * np.sort(policy.probability)[-2]


def test_decisions_without_a_verdict_or_about_tracks_that_are_gone_are_left_out(demo):
    station = demo.station()
    listen(demo, station, 3)
    serve_next(demo.database, demo.paths, settings(), "Evening", 5)
    assert evaluate(demo, "untrained").decisions == 3
    collection = load_collection(demo.database)
    every = read_served(demo.database, 0.0, 100)
    gone = every[0].track_id
    del collection.index[gone]
    met = list(replay(demo.database, collection, every, {one.id: None for one in every[:3]}))
    assert [one.decision.id for one in met] == [one.id for one in every[1:3]]


@pytest.mark.slow
def test_the_probability_beyond_what_was_kept_is_unknown_not_lost(demo):
    station = demo.station()
    listen(demo, station, 5)
    whole = evaluate(demo, "random")
    with demo.database.session() as session:
        for row in session.query(Decision):
            content = zlib.decompress(row.eligible)
            count = len(content) // 8
            ids, utilities = content[: 4 * count], content[4 * count :]
            row.eligible = zlib.compress(ids[: 4 * 5] + utilities[: 4 * 5])
    cut = evaluate(demo, "random")
    assert whole.unknown == pytest.approx(0.0, abs=1e-9)
    assert 0.5 < cut.unknown < 1.0
    assert cut.snips.mean == pytest.approx(whole.snips.mean)
