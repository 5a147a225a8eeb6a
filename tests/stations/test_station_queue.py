"""What a station plays next, on real tracks with vectors from a fixture."""

import time
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.event_store import EventStore
from player.feedback.events import MICROSECONDS, ListeningState, NewEvent, now_us
from player.feedback.labels import NOTHING_SAID
from player.feedback.log_reader import read_event_lines
from player.insight.diversity_panel import TREND_POINTS, DiversityCourse
from player.playback.active_station import ActiveStation, Present
from player.playback.headless import serve_next
from player.stations.collection import load_collection
from player.stations.modes import StationMode
from player.stations.reasons import queue_rows
from player.stations.seeds import Seed
from player.stations.station_queue import (
    ALL_SEEDS_GONE,
    Listening,
    effect_of_dial,
    rank_station,
    served,
    station_request,
)
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo, Stations
from player.storage.models import Decision
from recommender.ranking.rank import rank
from recommender.ranking.rules import RuleName
from tests.support.library import copy_home, make_library, open_home, settings, write_songs

PLACES = 12
NOW = 1.8e9
"""Seconds since 1970."""


def next_tracks(home, station="Evening", count=PLACES, **dials):
    return serve_next(home.database, home.paths, settings(**dials), station, count)


def ids(listed) -> list[int]:
    return [row.track.id for row in listed.queue]


def tell(home, kind, track, station=None, **more):
    return EventStore(home.database, "cli").append(NewEvent(kind, track, station, **more))


def decisions(home):
    with home.database.reader() as session:
        return session.scalars(select(Decision).order_by(Decision.id)).all()


def tune(home, station):
    """The library as it is now, and the station's scorer over it while nothing was trained."""
    collection = load_collection(home.database)
    return collection, StationScorer(collection, Stations(home.database).all(), station, None)


def scores(home, station):
    """(n,) the station's score of every track, by track id."""
    collection, scorer = tune(home, station)
    history = load_history(home.database, collection.rows)
    scored = scorer.score(history.labels, time.time())
    return dict(zip((row.id for row in collection.rows), scored.total, strict=True))


# --- rules


def test_a_thumb_down_takes_the_track_off_that_station_only(demo):
    evening, _ = demo.station("Evening"), demo.station("Morning")
    track = ids(next_tracks(demo))[0]
    tell(demo, "down", track, evening.id)
    assert track not in ids(next_tracks(demo, "Evening", 24))
    assert track in ids(next_tracks(demo, "Morning", 24))


def test_never_takes_the_track_off_every_station(demo):
    evening, _ = demo.station("Evening"), demo.station("Morning")
    track = demo.track_ids[3]
    tell(demo, "never", track, evening.id)
    for name in ("Evening", "Morning"):
        assert track not in ids(next_tracks(demo, name, 24))


def test_not_now_rests_the_track_for_a_day_everywhere(demo):
    demo.station()
    track, other = demo.track_ids[:2]
    tell(demo, "not-now", track)
    tell(demo, "not-now", other, at_us=now_us() - 25 * 3600 * MICROSECONDS)
    listed = ids(next_tracks(demo, count=24))
    assert track not in listed
    assert other in listed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["down", "never", "not-now"])
def test_what_is_taken_back_plays_again(demo, kind):
    station = demo.station()
    before = ids(next_tracks(demo, count=24))
    tell(demo, kind, before[0], station.id)
    tell(demo, "undo", before[0], station.id)
    assert ids(next_tracks(demo, count=24)) == before


def test_no_track_is_queued_twice(demo):
    demo.station()
    listed = ids(next_tracks(demo, count=24))
    assert len(set(listed)) == len(listed) == 24


def test_a_track_whose_file_is_gone_is_not_queued(demo):
    demo.station()
    gone = demo.track_ids[0]
    with demo.database.session() as session:
        session.connection().exec_driver_sql(f"UPDATE track_file SET missing = 1 WHERE track_id = {gone}")
    listed = next_tracks(demo, count=24)
    assert gone not in ids(listed)
    assert len(listed.queue) == 23
    assert "23" in listed.shortfall


# --- order


def test_two_rankings_without_an_event_between_them_agree(demo):
    demo.station("Evening", "genre:" + demo.rows[0].genre.split("; ")[0])
    first, second = next_tracks(demo), next_tracks(demo)
    assert first == second


def test_a_longer_list_begins_with_the_shorter_one(demo):
    demo.station()
    assert ids(next_tracks(demo, count=20))[:5] == ids(next_tracks(demo, count=5))


def test_a_station_prefers_what_is_like_its_seeds(demo):
    genres = [row.genre for row in demo.rows]
    genre = max((genre for genre in set(genres) if genre), key=genres.count)
    station = demo.station("Seeded", f"genre:{genre.split('; ')[0]}")
    mean = {True: [], False: []}
    scored = scores(demo, station)
    for row in demo.rows:
        mean[row.genre == genre].append(scored[row.id])
    assert np.mean(mean[True]) > np.mean(mean[False]) + 1


def test_a_thumb_down_lowers_tracks_like_it_below_the_others(demo):
    station = demo.station()
    genres = [row.genre for row in demo.rows]
    genre = max(set(genres), key=genres.count)
    alike = [row.id for row in demo.rows if row.genre == genre]
    others = [row.id for row in demo.rows if row.genre != genre]
    before = scores(demo, station)
    for track in alike[:2]:
        tell(demo, "down", track, station.id)
    after = scores(demo, station)
    change = {track: after[track] - before[track] for track in (*alike[2:], *others)}
    assert max(change[track] for track in alike[2:]) < np.median([change[track] for track in others])
    assert all(change[track] < 0 for track in alike[2:])


def test_a_thumb_from_another_station_counts_for_less(demo):
    evening, morning = demo.station("Evening"), demo.station("Morning")
    track = demo.track_ids[0]
    tell(demo, "down", track, morning.id)
    assert scores(demo, morning)[track] < scores(demo, evening)[track] < 0


def test_rows_say_how_far_they_moved(demo):
    station = demo.station()
    collection, scorer = tune(demo, station)
    dials = settings().station

    def rows(before):
        history = load_history(demo.database, collection.rows)
        queue = rank_station(scorer, Listening(history.state, history.labels, time.time()), dials, PLACES)
        return queue.track_rows, queue_rows(queue, scorer, history.state, before, time.time())

    first, shown = rows(())
    assert {row.move for row in shown} == {"same"}
    tell(demo, "down", collection.rows[first[0]].id, station.id)
    left = first[1:]
    second, shown = rows(left)
    for place, row in enumerate(shown):
        if second[place] not in left:
            assert row.move == "new"
        else:
            places = left.index(second[place]) - place
            assert (row.move, row.moved_by) == (
                ("up", places) if places > 0 else ("down", -places) if places else ("same", 0)
            )
    assert any(row.move == "new" for row in shown)


def test_every_row_has_a_reason(demo):
    demo.station("Evening", f"track:{demo.track_ids[5]}")
    assert all(row.reason and "\n" not in row.reason for row in next_tracks(demo).queue)


# --- decisions


def test_every_propensity_is_a_probability(demo):
    demo.station()
    assert all(0.0 < row.propensity <= 1.0 for row in next_tracks(demo, count=24).queue)


def test_listing_twice_with_nothing_in_between_logs_each_decision_once(demo):
    demo.station()
    listed = next_tracks(demo, count=5)
    next_tracks(demo, count=8)
    assert [decision.track_id for decision in decisions(demo)][:5] == ids(listed)
    assert len(decisions(demo)) == 8
    tell(demo, "up", ids(listed)[0], 1)
    next_tracks(demo, count=5)
    assert len(decisions(demo)) == 13


def test_the_logged_eligible_set_gives_the_propensity_again(demo):
    station = demo.station("Evening", f"track:{demo.track_ids[5]}")
    tell(demo, "down", demo.track_ids[0], station.id)
    next_tracks(demo)
    for decision in decisions(demo):
        blob = zlib.decompress(decision.eligible)
        count = len(blob) // 8
        tracks = np.frombuffer(blob, "<i4", count)
        utilities = np.frombuffer(blob, "<f4", count, offset=4 * count).astype(float)
        assert count == decision.eligible_count  # fewer than are kept at most: the whole set is there
        assert sorted(set(tracks.tolist())) == sorted(tracks.tolist())
        assert np.all(np.diff(utilities) <= 0)
        logits = utilities / decision.temperature
        assert np.logaddexp.reduce(logits) == pytest.approx(decision.log_partition, abs=1e-4)
        chosen = logits[tracks.tolist().index(decision.track_id)]
        assert np.exp(chosen - decision.log_partition) == pytest.approx(decision.propensity, rel=1e-4)
        assert demo.track_ids[0] not in tracks


def test_history_shows_what_had_been_served(demo):
    station = demo.station()
    listed = next_tracks(demo)
    third = listed.queue[2]
    tell(demo, "up", third.track.id, station.id)
    tell(demo, "never", third.track.id)
    served_line, unserved_line = read_event_lines(demo.database)
    assert (served_line.rank, served_line.model_version) == (3, "content")
    assert served_line.score == pytest.approx(third.score)
    assert served_line.propensity == pytest.approx(third.propensity)
    assert (unserved_line.rank, unserved_line.score, unserved_line.propensity) == (None, None, None)


def test_a_slot_committed_when_it_is_served_equals_one_committed_at_once(demo):
    station = demo.station()
    collection, scorer = tune(demo, station)
    history = load_history(demo.database, collection.rows)
    listening = Listening(history.state, history.labels, time.time())
    later = rank_station(scorer, listening, settings().station, 5)
    at_once = rank_station(scorer, listening, settings().station, 5, commit_first=5)
    assert all(row.propensity is None for row in later.ranking.rows)
    for place in range(5):
        one, other = served(later, scorer, place), served(at_once, scorer, place)
        assert one.eligible_ids.tolist() == other.eligible_ids.tolist()
        for name in ("propensity", "log_partition", "eligible_utilities"):  # float32 products, in another order
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-5)
        inexact = {"propensity": None, "log_partition": 0.0, "eligible": b""}
        assert replace(one, **inexact) == replace(other, **inexact)


@pytest.mark.parametrize("rests", [0, 20, 24])
def test_what_is_left_when_the_first_place_plays_is_what_a_new_ranking_would_give(demo, rests):
    station = demo.station("Seeded", f"track:{demo.track_ids[5]}")
    for track in demo.track_ids[:4]:
        tell(demo, "finish", track, station.id)
    for track in demo.track_ids[:rests]:
        tell(demo, "not-now", track)
    collection, scorer = tune(demo, station)
    history = load_history(demo.database, collection.rows)
    tuned, present = ActiveStation(scorer, settings().station, StationMode()), Present(history)
    choice = tuned.choose(present)
    left = [(row.track.id, row.slot, row.score) for row in tuned.rows]
    tuned.release()
    tuned.rerank(present, choice.track.id)
    assert [(row.track.id, row.slot, row.score) for row in tuned.rows] == left


# --- the dial


def dialled_queue(home, station, position):
    """The queue and the dial's effect with the dial at a position."""
    collection, scorer = tune(home, replace(station, dial=position))
    history = load_history(home.database, collection.rows)
    queue = rank_station(scorer, Listening(history.state, history.labels, NOW), settings().station, PLACES)
    return queue, effect_of_dial(scorer, history.state, queue)


def test_towards_discover_more_of_the_queue_was_never_played(demo):
    station = demo.station()
    heard = set(demo.track_ids[:10])
    for track in [*heard, *heard]:
        tell(demo, "finish", track, station.id)
    shares = []
    for position in (0, 50, 100):
        queue, effect = dialled_queue(demo, station, position)
        shares.append(effect.queue.never_played)
        new = [demo.track_ids[row] not in heard for row in queue.track_rows]
        assert effect.queue.never_played == pytest.approx(np.mean(new))
        assert effect.queue.repeats == pytest.approx(1 - np.mean(new))
    assert shares[0] < shares[2]
    assert shares == sorted(shares)


def test_a_turned_dial_is_compared_with_the_queue_of_its_middle(demo):
    station = demo.station()
    for track in demo.track_ids[:10]:
        tell(demo, "finish", track, station.id)
    middle, neutral = dialled_queue(demo, station, 50)
    turned, effect = dialled_queue(demo, station, 90)
    assert turned.track_rows != middle.track_rows
    assert effect.neutral == neutral.queue == neutral.neutral
    assert "new to you" in effect.sentence
    assert "→" not in neutral.sentence
    assert np.allclose(turned.request.scores, turned.scores.total + turned.dial)
    assert middle.dial is None


# --- what a mode and a listener's own choice add


def requested(home, **listening):
    station = home.station("Asked")
    collection, scorer = tune(home, station)
    history = load_history(home.database, collection.rows)
    return scorer, Listening(history.state, history.labels, NOW, **listening)


def test_pinned_rows_keep_the_front_whatever_the_mode_and_have_no_propensity(demo):
    only = np.arange(24) < 12
    scorer, listening = requested(demo, pinned=(20, 3), candidates=only)
    queue = rank_station(scorer, listening, settings().station, PLACES, commit_first=PLACES)
    assert queue.track_rows[:2] == (20, 3)
    assert [row.propensity is None for row in queue.ranking.rows] == [
        True,
        True,
        *[False] * (len(queue.track_rows) - 2),
    ]
    assert max(queue.track_rows[2:]) < 12
    with pytest.raises(ValueError, match="no propensity"):
        served(queue, scorer, 0)


@pytest.mark.parametrize("kind", ["never", "down", "not-now", "gone", "unplayable"])
def test_a_pinned_track_that_may_not_play_is_dropped(demo, kind):
    station = demo.station("Evening")
    track = demo.track_ids[7]
    if kind == "gone":
        with demo.database.session() as session:
            session.connection().exec_driver_sql(f"UPDATE track_file SET missing = 1 WHERE track_id = {track}")
    elif kind != "unplayable":
        tell(demo, kind, track, station.id)
    collection, scorer = tune(demo, station)
    history = load_history(demo.database, collection.rows)
    unplayable = frozenset([track]) if kind == "unplayable" else frozenset()
    listening = Listening(history.state, history.labels, time.time(), unplayable=unplayable, pinned=(7, 3))
    queue = rank_station(scorer, listening, settings().station, PLACES)
    assert queue.track_rows[0] == 3
    assert 7 not in queue.track_rows


def test_a_bonus_moves_the_ranking_and_leaves_the_stations_own_scores(demo):
    bonus = np.zeros(24)
    bonus[13] = 50.0
    scorer, listening = requested(demo, bonus=bonus)
    queue = rank_station(scorer, listening, settings().station, 3)
    assert queue.track_rows[0] == 13
    assert queue.ranking.rows[0].score == pytest.approx(queue.scores.total[13] + 50.0)


def test_asking_alone_ranks_nothing_and_a_ranking_of_it_is_the_queue(demo):
    scorer, listening = requested(demo, pinned=(2,))
    asked = station_request(scorer, listening, settings().station, PLACES)
    queue = rank_station(scorer, listening, settings().station, PLACES)
    assert rank(scorer.collection.catalogue, asked.request).tracks == queue.track_rows
    assert rank_station(scorer, listening, settings().station, 0).track_rows == ()


# --- calibration


@pytest.mark.slow
def test_a_strong_calibration_keeps_to_the_shares_of_what_was_liked(demo):
    station = demo.station("Mixed")
    collection, scorer = tune(demo, station)
    genres = [row.genre for row in collection.rows]
    rare = min(set(genres), key=genres.count)
    liked = next(row for row in collection.rows if row.genre == rare)
    for _ in range(30):
        tell(demo, "up", liked.id, station.id)
    history = load_history(demo.database, collection.rows)
    listening = Listening(history.state, history.labels, NOW)

    def share(strength):
        queue = rank_station(scorer, listening, settings(calibration=strength, breadth=24).station, 4)
        return sum(genres[row] == rare for row in queue.track_rows)

    assert share(10.0) >= share(0.0)
    mix = station_request(scorer, listening, settings().station, 4).request.mix
    genre = mix.aspects[0]
    assert genre.wanted[genre.codes[collection.index[liked.id]]] == pytest.approx(1.0)


# --- any state


def every_state():
    """Any state of a station of eight tracks: thumbs, bans, rests, plays, pins, dials, seeds that are gone."""
    tracks = st.sets(st.integers(0, 23))
    return st.fixed_dictionaries(
        {
            "never": tracks, "down": tracks, "resting": tracks, "unplayable": tracks, "missing": tracks,
            "all_of": st.sampled_from(["", "never", "down", "resting", "missing"]),
            "plays": st.lists(st.integers(0, 23), max_size=40),
            "pinned": st.lists(st.integers(0, 23), max_size=4),
            "playing": st.none() | st.integers(0, 23),
            "only": st.none() | tracks,
            "dial": st.integers(0, 100),
            "seeds": st.sampled_from([(), (Seed("library"),), (Seed("track", "9999"),), (Seed("genre", "No such"),)]),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def collected(demo_template, tmp_path_factory):
    home = copy_home(demo_template, tmp_path_factory.mktemp("states") / "demo")
    yield load_collection(home.database)
    home.close()


@pytest.mark.slow
@given(drawn=every_state())
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_state_stops_a_ranking_and_no_banned_track_is_ever_queued(collected, drawn):
    sets = {name: set(drawn[name]) for name in ("never", "down", "resting", "missing")}
    if drawn["all_of"]:
        sets[drawn["all_of"]] = set(range(24))
    ids = collected.catalogue.ids
    state = ListeningState()
    state.never = {int(ids[row]) for row in sets["never"]}
    state.thumbs[1] = {int(ids[row]): -1 for row in sets["down"]}
    state.resting_until = {int(ids[row]): NOW + 60 for row in sets["resting"]}
    state.plays = [(1, int(ids[row])) for row in drawn["plays"]]
    for row in drawn["plays"]:
        state.tallies[int(ids[row])].plays += 1
    collection = replace(collected, playable=np.array([row not in sets["missing"] for row in range(24)]))
    station = StationInfo(1, "Any", 7, drawn["seeds"], dial=drawn["dial"])
    scorer = StationScorer(collection, [station], station, None)
    only = None if drawn["only"] is None else np.isin(np.arange(24), list(drawn["only"]))
    unplayable = frozenset(int(ids[row]) for row in drawn["unplayable"])
    listening = Listening(state, NOTHING_SAID, NOW, drawn["playing"], unplayable, tuple(drawn["pinned"]), only)
    queue = rank_station(scorer, listening, settings().station, PLACES, commit_first=PLACES)
    again = rank_station(scorer, listening, settings().station, PLACES, commit_first=PLACES)
    assert queue.track_rows == again.track_rows
    banned = sets["never"] | sets["down"] | sets["missing"] | drawn["unplayable"]
    assert not banned & set(queue.track_rows)
    assert len(set(queue.track_rows)) == len(queue.track_rows)
    pins = [row for row in dict.fromkeys(drawn["pinned"]) if row not in banned | sets["resting"]]
    assert list(queue.track_rows[: len(pins)]) == pins
    for row in queue.ranking.rows:
        assert row.pinned == (row.propensity is None)
        assert row.pinned or (only is None or only[row.track])
        assert row.pinned or row.track not in sets["resting"] or RuleName.RESTING in row.relaxed
        assert row.propensity is None or 0 < row.propensity <= 1 + 1e-9
    assert bool(queue.shortfall) == (len(queue.track_rows) < PLACES)
    assert (ALL_SEEDS_GONE in queue.notes) == (drawn["seeds"] not in ((), (Seed("library"),)))
    effect = effect_of_dial(scorer, state, queue)
    assert 0.0 <= effect.queue.never_played <= 1.0
    assert effect.sentence


def test_a_station_that_lost_one_of_its_seeds_says_which(demo):
    station = demo.station("Two", f"track:{demo.track_ids[0]}", "genre:" + demo.rows[0].genre.split("; ")[0])
    collection, _ = tune(demo, station)
    lost = replace(station, seeds=(Seed("genre", "Zydeco"), station.seeds[0]))
    queue = rank_station(
        StationScorer(collection, [lost], lost, None),
        Listening(ListeningState(), NOTHING_SAID, NOW),
        settings().station,
        3,
    )
    assert queue.notes == (
        "Genre Zydeco is not in the library any more: the station plays on with the rest it is based on.",
    )


def test_rules_that_gave_way_are_told(tmp_path):
    make_library(tmp_path / "data", [write_songs(tmp_path / "songs", 3, 0.3)])
    home = open_home(tmp_path / "data")
    station = home.station()
    collection, scorer = tune(home, station)
    queue = rank_station(scorer, Listening(ListeningState(), NOTHING_SAID, NOW), settings().station, 3)
    assert len({row.artist for row in collection.rows}) == 1
    assert queue.notes == ("Only 3 tracks can play here now: artists may follow each other.",)
    home.close()


# --- measures


@pytest.mark.slow
def test_the_measures_follow_what_was_played(demo):
    station = demo.station()
    collection, scorer = tune(demo, station)
    course = DiversityCourse(scorer)

    def measures(following=course):
        history = load_history(demo.database, collection.rows)
        queue = rank_station(scorer, Listening(history.state, history.labels, time.time()), settings().station, 5)
        return {measure.key: measure for measure in following.measure(queue, history.state)}

    before = measures()
    assert before["never_played"].value == 1.0
    assert before["never_played"].trend == ()
    for track in demo.track_ids[:6]:
        tell(demo, "finish", track, station.id)
    after = measures()
    assert after["never_played"].value == pytest.approx(18 / 24)
    assert after["coverage"].value == pytest.approx(6 / 24)
    assert after["coverage"].trend[-1] == after["coverage"].value
    assert after["coverage"].after_queue > after["coverage"].value
    assert 0.0 <= after["gini"].value <= 1.0
    for track in demo.track_ids * 2:
        tell(demo, "finish", track, station.id)
        followed = measures()
    assert followed == measures(DiversityCourse(scorer))
    assert len(followed["gini"].trend) == TREND_POINTS + 1
    tell(demo, "undo", demo.track_ids[0])
    assert measures() == measures(DiversityCourse(scorer))


# --- small libraries


def test_an_empty_library_is_told_in_a_sentence(tmp_path):
    home = open_home(tmp_path / "data")
    home.station()
    with pytest.raises(PlayerError, match="The library is empty"):
        next_tracks(home)
    home.close()


@pytest.mark.slow
@pytest.mark.parametrize("vectors", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_a_tiny_library_gives_all_it_has_and_says_why_not_more(tmp_path, count, vectors):
    make_library(tmp_path / "data", [write_songs(tmp_path / "songs", count, 0.3)], vectors=vectors)
    home = open_home(tmp_path / "data")
    station = home.station()
    listed = next_tracks(home, count=10)
    assert sorted(ids(listed)) == sorted(home.track_ids)
    assert listed.shortfall
    assert all(0 < row.propensity <= 1 for row in listed.queue)
    assert all(np.isfinite(row.score) for row in listed.queue)
    for track in home.track_ids:
        tell(home, "down", track, station.id)
    nothing = next_tracks(home, count=10)
    assert nothing.queue == ()
    assert "thumbed down" in nothing.shortfall
    home.close()


def test_a_station_whose_seed_is_gone_plays_on(demo):
    demo.station("Seeded", f"track:{demo.track_ids[0]}")
    with demo.database.session() as session:
        session.connection().exec_driver_sql("UPDATE station_seed SET value = '9999'")
    assert len(next_tracks(demo, "Seeded").queue) == PLACES


def test_looking_at_the_list_leaves_no_event(demo):
    demo.station()
    next_tracks(demo)
    assert read_event_lines(demo.database) == []
    with demo.database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == PLACES
