"""The log: appended durably, whole or not at all; undo; what had been served."""

import sqlite3
import zlib
from contextlib import closing

import numpy as np
import pytest
from sqlalchemy import func, select

from player.errors import PlayerError
from player.feedback.event_store import EventStore, NothingToUndoError, read_served
from player.feedback.events import MICROSECONDS, NewEvent, now_us, standing
from player.feedback.served import Served, pack_eligible
from player.storage.models import Decision, Event, ListeningSession


@pytest.fixture
def log(database):
    return EventStore(database, "cli")


def undo(log, track=1, station=None, at=None):
    """The event that was taken back."""
    taken = log.append(NewEvent("undo", track, station, at_us=at)).undoes_id
    return next(event for event in log.read() if event.id == taken)


def slot(track=1, **changes):
    values = {
        "station_id": 1,
        "track_id": track,
        "watermark": 0,
        "slot": 0,
        "rank": 1,
        "score": 0.5,
        "propensity": 0.25,
        "model_version": "content",
        "arm": "live",
        "temperature": 0.3,
        "eligible_count": 3,
        "log_partition": 2.0,
        "eligible": pack_eligible([track, 2, 3], [0.5, 0.25, 0.125]),
    }
    return Served(**values | changes)


# --- appending


def test_an_event_is_in_the_file_when_append_returns(database, log):
    logged = log.append(NewEvent("skip", 3, 1, position=12.5, action="next", at_us=77))
    with closing(sqlite3.connect(database.path)) as other:
        row = other.execute("SELECT id, time_us, kind, track_id, station_id, position, action, origin FROM event")
        assert row.fetchall() == [(logged.id, 77, "skip", 3, 1, 12.5, "next", "cli")]
    assert log.read() == [logged]


def test_an_event_without_a_time_is_of_now(log):
    before = now_us()
    assert before <= log.append(NewEvent("up", 1, 1)).time_us <= now_us()


@pytest.mark.parametrize(
    ("bad", "error"),
    [(NewEvent("undo", 2), PlayerError), (NewEvent("up", 999, 1), Exception), (NewEvent("up", 1, 999), Exception)],
    ids=["nothing to undo", "unknown track", "unknown station"],
)
def test_events_are_recorded_all_or_none(log, bad, error):
    with pytest.raises(error):
        log.append_all([NewEvent("up", 1, 1), bad, NewEvent("up", 3, 1)])
    assert log.read() == []


def test_reading_goes_on_after_what_is_known(log):
    first, second = log.append_all([NewEvent("up", 1, 1), NewEvent("up", 2, 1)])
    assert log.read(after=first.id) == [second]
    assert log.read(after=second.id) == []


def test_a_run_of_the_player_is_one_listening_session(database, log):
    log.append(NewEvent("up", 1, 1))
    log.append(NewEvent("up", 2, 1))
    EventStore(database, "tui").append(NewEvent("up", 3, 1))
    with database.reader() as session:
        assert session.scalars(select(ListeningSession.origin)).all() == ["cli", "tui"]
        assert session.scalars(select(Event.session_id).order_by(Event.id)).all() == [1, 1, 2]


def test_a_failed_append_leaves_no_session_behind_and_the_next_one_works(database, log):
    with pytest.raises(PlayerError):
        log.append(NewEvent("undo", 1))
    log.append(NewEvent("up", 1, 1))
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(ListeningSession)) == 1


# --- undo


def test_an_undo_of_nothing_says_which_of_the_events_it_was(log):
    events = [NewEvent("up", 1, 1), NewEvent("undo", 1), NewEvent("undo", 1)]
    with pytest.raises(NothingToUndoError) as caught:
        log.append_all(events)
    assert caught.value.event is events[2]


def test_undo_takes_back_the_tracks_last_event(log):
    _, second, _ = log.append_all([NewEvent("up", 1, 1), NewEvent("down", 1, 1), NewEvent("up", 2, 1)])
    assert undo(log) == second


def test_undo_again_takes_back_the_one_before_and_then_nothing_is_left(log):
    first, second = log.append_all([NewEvent("up", 1, 1), NewEvent("skip", 1, 1)])
    assert [undo(log), undo(log)] == [second, first]
    with pytest.raises(PlayerError, match="nothing to undo for track 1"):
        undo(log)


def test_undo_on_a_station_leaves_other_stations_alone(log):
    mine, _ = log.append_all([NewEvent("up", 1, 1), NewEvent("down", 1, 2)])
    assert undo(log, station=1) == mine


def test_undo_on_a_station_takes_back_what_holds_everywhere_too(log):
    _, ban = log.append_all([NewEvent("up", 1, 1), NewEvent("never", 1)])
    assert undo(log, station=1) == ban


def test_undo_passes_over_starts_and_stops(log):
    thumb, *_ = log.append_all([NewEvent("up", 1, 1), NewEvent("start", 1, 1), NewEvent("stop", 1, 1, action="quit")])
    assert undo(log) == thumb


def test_undo_with_a_time_takes_back_what_came_before_it(log):
    first, _ = log.append_all([NewEvent("up", 1, 1, at_us=100), NewEvent("down", 1, 1, at_us=300)])
    assert undo(log, at=200) == first


def test_undo_with_a_time_before_everything_takes_back_what_there_is(log):
    _, second = log.append_all([NewEvent("up", 1, 1, at_us=100), NewEvent("down", 1, 1, at_us=300)])
    assert undo(log, at=50) == second


def test_undo_goes_by_when_it_was_told_not_by_when_it_happened(log):
    _, last = log.append_all([NewEvent("down", 1, 1, at_us=300), NewEvent("up", 1, 1, at_us=100)])
    assert undo(log) == last


def test_undo_takes_back_what_was_told_here_before_what_was_imported(database, log):
    told = log.append(NewEvent("down", 1, 1, at_us=300))
    EventStore(database, "import").append(NewEvent("up", 1, at_us=500))
    assert undo(log) == told


def test_undo_reaches_an_event_told_for_the_future(log):
    told = log.append(NewEvent("up", 1, 1, at_us=now_us() + 3600 * MICROSECONDS))
    assert undo(log).id == told.id


def test_an_undo_and_its_event_may_be_told_together(log):
    thumb, taken = log.append_all([NewEvent("up", 1, 1), NewEvent("undo", 1, 1)])
    assert taken.undoes_id == thumb.id
    assert standing(log.read()) == []


def test_what_stands_is_in_the_order_in_which_it_happened(log):
    log.append_all([NewEvent("up", 1, 1, at_us=300), NewEvent("up", 2, 1, at_us=100), NewEvent("up", 3, 1, at_us=200)])
    log.append(NewEvent("undo", 3))
    assert [event.track_id for event in standing(log.read())] == [2, 1]


# --- what was served


def test_the_same_slot_served_again_is_one_decision(database, log):
    first = log.serve([slot(1), slot(2, slot=1, rank=2)])
    assert log.serve([slot(1), slot(2, slot=1, rank=2), slot(3, slot=2, rank=3)])[:2] == first
    with database.reader() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 3


def test_after_an_event_or_with_another_model_it_is_another_decision(log):
    ids = [log.serve([slot(**change)])[0] for change in ({}, {"watermark": 9}, {"model_version": "v1"}, {"slot": 4})]
    assert len(set(ids)) == 4


def test_what_was_served_by_chance_is_read_in_order_the_newest_of_a_time_on(database, log):
    begun = now_us() / MICROSECONDS - 1
    chances = enumerate([0.25, 0.0, 1.0, 0.5])
    log.serve([slot(place + 1, slot=place, propensity=chance) for place, chance in chances])
    assert [(one.track_id, one.propensity) for one in read_served(database, begun, 9)] == [
        (1, 0.25),
        (3, 1.0),
        (4, 0.5),
    ]
    assert [one.track_id for one in read_served(database, begun, 2)] == [3, 4]
    assert read_served(database, begun + 3600, 9) == []


def test_the_eligible_set_is_kept_whole(database, log):
    log.serve([slot(7, eligible=pack_eligible([7, 2, 3], [0.5, 0.25, -1.5]))])
    with database.reader() as session:
        blob = zlib.decompress(session.scalar(select(Decision.eligible)))
    assert np.frombuffer(blob[:12], "<i4").tolist() == [7, 2, 3]
    assert np.frombuffer(blob[12:], "<f4").tolist() == [0.5, 0.25, -1.5]


def test_feedback_told_from_outside_is_about_what_was_served_last(log):
    log.serve([slot(1)])
    (newest,) = log.serve([slot(1, watermark=5)])
    log.serve([slot(1, watermark=6, station_id=2)])
    assert log.append(NewEvent("up", 1, 1)).decision_id == newest
    assert log.append(NewEvent("up", 2, 1)).decision_id is None
    assert log.append(NewEvent("up", 1)).decision_id is None


def test_the_player_itself_says_which_decision_it_means(database):
    played = EventStore(database, "tui")
    (decision,) = played.serve([slot(1)])
    assert played.append(NewEvent("skip", 1, 1, action="next", decision_id=decision)).decision_id == decision
    assert played.append(NewEvent("up", 1, 1)).decision_id is None
