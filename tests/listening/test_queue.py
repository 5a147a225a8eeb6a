"""What a station plays next, on real tracks with vectors from a fixture."""

import time
import zlib
from dataclasses import asdict

import numpy as np
import pytest
from sqlalchemy import func, select

from player.errors import PlayerError
from player.listening.collection import load_collection
from player.listening.headless import serve_next
from player.listening.history import read_history
from player.listening.journal import load_journal
from player.listening.log import MICROSECONDS, FeedbackLog, NewEvent, now_us
from player.listening.measures import TREND_POINTS, DiversityCourse
from player.listening.queue import Listening, rank_station, served
from player.listening.reasons import queue_rows
from player.listening.scoring import StationScorer
from player.listening.stations import Stations
from player.listening.tuned import TunedStation
from player.storage.models import Decision
from tests.support.library import make_library, open_home, settings, write_songs

PLACES = 12


def next_tracks(home, station="Evening", count=PLACES, **dials):
    return serve_next(home.database, home.paths, settings(**dials), station, count)


def ids(listed) -> list[int]:
    return [row.track.id for row in listed.queue]


def tell(home, kind, track, station=None, **more):
    return FeedbackLog(home.database, "cli").append(NewEvent(kind, track, station, **more))


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
    journal = load_journal(home.database, collection.rows)
    scored = scorer.score(journal.labelled, time.time())
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
        journal = load_journal(demo.database, collection.rows)
        queue = rank_station(scorer, Listening(journal.state, journal.labelled, time.time()), dials, PLACES)
        return queue.track_rows, queue_rows(queue, scorer, journal.state, before, time.time())

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
    served_line, unserved_line = read_history(demo.database)
    assert (served_line.rank, served_line.model_version) == (3, "content")
    assert served_line.score == pytest.approx(third.score)
    assert served_line.propensity == pytest.approx(third.propensity)
    assert (unserved_line.rank, unserved_line.score, unserved_line.propensity) == (None, None, None)


def test_a_slot_committed_when_it_is_served_equals_one_committed_at_once(demo):
    station = demo.station()
    collection, scorer = tune(demo, station)
    journal = load_journal(demo.database, collection.rows)
    listening = Listening(journal.state, journal.labelled, time.time())
    later = rank_station(scorer, listening, settings().station, 5)
    at_once = rank_station(scorer, listening, settings().station, 5, commit_first=5)
    assert all(row.propensity is None for row in later.ranking.rows)
    for place in range(5):
        one, other = asdict(served(later, scorer, place)), asdict(served(at_once, scorer, place))
        for name in ("propensity", "log_partition", "eligible_utilities"):  # float32 products, in another order
            assert one.pop(name) == pytest.approx(other.pop(name), rel=1e-5)
        assert one == other


@pytest.mark.parametrize("rests", [0, 20, 24])
def test_what_is_left_when_the_first_place_plays_is_what_a_new_ranking_would_give(demo, rests):
    station = demo.station("Seeded", f"track:{demo.track_ids[5]}")
    for track in demo.track_ids[:4]:
        tell(demo, "finish", track, station.id)
    for track in demo.track_ids[:rests]:
        tell(demo, "not-now", track)
    collection, scorer = tune(demo, station)
    journal = load_journal(demo.database, collection.rows)
    tuned = TunedStation(scorer, settings().station)
    choice = tuned.choose(journal, frozenset())
    left = [(row.track.id, row.slot, row.score) for row in tuned.rows]
    tuned.rerank(journal, frozenset(), choice.track.id)
    assert [(row.track.id, row.slot, row.score) for row in tuned.rows] == left


# --- measures


def test_the_measures_follow_what_was_played(demo):
    station = demo.station()
    collection, scorer = tune(demo, station)
    course = DiversityCourse(scorer)

    def measures(following=course):
        journal = load_journal(demo.database, collection.rows)
        queue = rank_station(scorer, Listening(journal.state, journal.labelled, time.time()), settings().station, 5)
        return {measure.key: measure for measure in following.measure(queue, journal.state)}

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
    assert read_history(demo.database) == []
    with demo.database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == PLACES
