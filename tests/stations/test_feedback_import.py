"""Feedback told from outside: names are looked up, and what is wrong is told with its line."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.errors import PlayerError
from player.feedback.events import MICROSECONDS
from player.stations.feedback_import import Told, parse_time, read_batch, to_event

STATIONS = {"Evening": 7}
DURATIONS = {1: 200.0, 2: 0.0}


def refusal(action) -> str:
    with pytest.raises(PlayerError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def event(kind="skip", track=1, station="Evening", position=None, at=None):
    return to_event(Told(kind, track, station, position, at), STATIONS, DURATIONS)


def write(tmp_path, *lines):
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return file


# --- time


@given(st.integers(1, 17 * 10**14), st.integers(-14, 14))
def test_a_time_with_a_zone_is_that_moment(microseconds, hours):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert abs(parse_time(moment.astimezone(timezone(timedelta(hours=hours))).isoformat()) - microseconds) <= 1


def test_a_time_without_a_zone_is_local(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert parse_time("1970-01-01T05:30:01") == MICROSECONDS
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_what_is_no_time_is_told_how_to_write_one(text):
    assert "2026-05-31T18:30:00" in refusal(lambda: parse_time(text))


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "9999-12-31T12:00:00", "0001-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_refused(text):
    assert "before 1970 or more than a day in the future" in refusal(lambda: parse_time(text))
    assert "more than a day" in refusal(lambda: parse_time((datetime.now(UTC) + timedelta(hours=25)).isoformat()))
    assert parse_time((datetime.now(UTC) + timedelta(hours=23)).isoformat())


# --- one event


def test_names_become_numbers():
    told = event("up", position=12.5, at="1970-01-01T00:00:05+00:00")
    assert (told.kind, told.track_id, told.station_id, told.position, told.at_us) == (
        "up",
        1,
        7,
        12.5,
        5 * MICROSECONDS,
    )


def test_a_told_skip_is_a_press_of_next():
    assert event("skip").action == "next"
    assert event("finish").action is None


def test_a_position_beyond_the_end_is_the_end():
    assert event(position=1e9).position == 200.0
    assert event(track=2, position=1e9).position == 1e9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "love"}, "not-now, never, less, undo"),
        ({"kind": "start"}, "is not an event"),
        ({"track": 99}, "There is no track 99"),
        ({"station": "Morning"}, "there are: Evening"),
        ({"kind": "up", "station": None}, "--station"),
        ({"position": -1.0}, "-1.0"),
        ({"position": float("nan")}, "position"),
        ({"position": float("inf")}, "position"),
        ({"at": "soon"}, "soon"),
    ],
)
def test_a_wrong_event_is_told_what_is_wrong(change, words):
    assert words in refusal(lambda: event(**change))


@pytest.mark.parametrize("kind", ["skip", "finish", "replay", "not-now", "never", "undo"])
def test_what_is_no_thumb_needs_no_station(kind):
    assert event(kind, station=None).station_id is None


# --- a file


def test_a_file_gives_its_events_with_their_lines(tmp_path):
    file = write(
        tmp_path,
        {"event": "up", "track_id": 1, "station": "Evening"},
        "",
        {"event": "skip", "track_id": 2, "position": 3},
    )
    assert read_batch(file) == [(1, Told("up", 1, "Evening")), (3, Told("skip", 2, None, 3.0))]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2"),
        ("[]", "JSON object"),
        ("7", "JSON object"),
        ({"event": "up", "track_id": 1, "mood": "happy"}, "unknown field mood"),
        ({"event": "up"}, "track_id"),
        ({"event": "up", "track_id": "1"}, "whole number"),
        ({"event": "up", "track_id": True}, "whole number"),
        ({"event": 1, "track_id": 1}, "must be a word"),
        ({"event": "skip", "track_id": 1, "position": "late"}, "number of seconds"),
        ({"event": "skip", "track_id": 1, "position": True}, "number of seconds"),
        ({"event": "skip", "track_id": 1, "position": 10**400}, "line 2"),
        ({"event": "skip", "track_id": 1, "at": 5}, "must be texts"),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_that_nothing_was_recorded(tmp_path, line, words):
    sentence = refusal(lambda: read_batch(write(tmp_path, {"event": "skip", "track_id": 1}, line)))
    assert words in sentence
    assert f"{tmp_path / 'events.jsonl'}, line 2" in sentence
    assert "nothing was recorded" in sentence


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    assert "cannot be read" in refusal(lambda: read_batch(tmp_path / "nowhere.jsonl"))
    (tmp_path / "picture").write_bytes(b"\xff\xd8\xff")
    assert "cannot be read" in refusal(lambda: read_batch(tmp_path / "picture"))
