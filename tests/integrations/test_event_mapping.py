"""What entries come to, and that it is what the player itself would have made of the same."""

import pytest

from player.integrations.event_mapping import ended_us, events_of
from player.integrations.history.entries import End, Entry, Judgement, Play, TrackName

SECOND = 1_000_000
AT = 1_588_357_800 * SECOND


def events(said, duration=200.0):
    return events_of(Entry(b"", TrackName("A", "B"), said), 7, duration)


@pytest.mark.parametrize(
    ("end", "heard", "kind", "action"),
    [
        (End.FINISHED, 30.0, "finish", "end"),
        (End.NEXT, 3.0, "skip", "next"),
        (End.BACK, 3.0, "skip", "previous"),
        (End.CHOSE, 3.0, "skip", "chose"),
        (End.STOPPED, 199.0, "finish", "end"),
        (End.UNTOLD, 185.0, "finish", "end"),
        (End.UNTOLD, 10.0, "skip", "next"),
    ],
)
def test_how_a_play_ended_is_an_event_with_its_place(end, heard, kind, action):
    (event,) = events(Play(end, ended_us=AT, heard=heard))
    assert (event.kind, event.action, event.position, event.at_us, event.track_id) == (kind, action, heard, AT, 7)
    assert event.station_id is None


@pytest.mark.parametrize(
    ("end", "heard"), [(End.STOPPED, 60.0), (End.UNTOLD, 60.0), (End.UNTOLD, None), (End.FAILED, 199.0)]
)
def test_stops_on_the_way_and_errors_say_nothing(end, heard):
    assert events(Play(end, ended_us=AT, heard=heard)) == ()


def test_a_short_track_left_after_its_half_was_not_skipped_early():
    assert events(Play(End.UNTOLD, ended_us=AT, heard=14.0), duration=24.0) == ()


def test_nothing_is_heard_longer_than_it_lasts():
    (event,) = events(Play(End.NEXT, ended_us=AT, heard=1000.0))
    assert event.position == 200.0


def test_a_track_picked_by_hand_was_chosen_at_its_start():
    start, end = events(Play(End.FINISHED, started_us=AT - 200 * SECOND, ended_us=AT, heard=200.0, chosen=True))
    assert (start.kind, start.action, start.at_us) == ("start", "chose", AT - 200 * SECOND)
    assert end.kind == "finish"


def test_verdicts_are_thumbs_on_no_station():
    for kind in ("up", "down", "replay"):
        (event,) = events(Judgement(kind, AT))
        assert (event.kind, event.at_us, event.station_id) == (kind, AT, None)


def test_an_end_is_reckoned_from_the_start_where_only_that_is_told():
    assert ended_us(Play(End.FINISHED, started_us=AT), 200.0) == AT + 200 * SECOND
    assert ended_us(Play(End.UNTOLD, started_us=AT, heard=30.0), 200.0) == AT + 30 * SECOND
