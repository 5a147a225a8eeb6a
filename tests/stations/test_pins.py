"""Pins: pure moves, and what is kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.feedback.events import ListeningState, LoggedEvent
from player.stations.pins import NO_PINS, Pins, load_pins, save_pins, why_not
from player.storage.key_value import keep_fact

TRACKS = st.lists(st.integers(1, 9), unique=True, max_size=6).map(lambda tracks: Pins(tuple(tracks)))


def test_a_track_put_next_leads_and_is_there_once():
    assert Pins((1, 2, 3)).put_next(3).tracks == (3, 1, 2)
    assert NO_PINS.put_next(4).tracks == (4,)


def test_a_track_put_last_follows_the_others_unless_it_is_there_already():
    assert Pins((1, 2)).put_last((3, 1, 4, 3)).tracks == (1, 2, 3, 4)


def test_a_pin_moves_within_the_pins():
    pins = Pins((1, 2, 3))
    assert pins.moved(2, -1).tracks == (2, 1, 3)
    assert pins.moved(1, 1).tracks == (2, 1, 3)
    assert pins.moved(1, -5).tracks == (1, 2, 3)
    assert pins.moved(1, 9).tracks == (2, 3, 1)
    assert pins.moved(7, 1) == pins


@pytest.mark.slow
@given(TRACKS, st.integers(1, 9), st.integers(-9, 9))
def test_moving_loses_and_doubles_no_pin(pins, track, places):
    assert sorted(pins.moved(track, places).tracks) == sorted(pins.tracks)


@given(TRACKS, st.integers(1, 9))
def test_what_is_put_next_and_taken_off_leaves_the_others_in_their_order(pins, track):
    assert pins.put_next(track).without(track) == pins.without(track)


def test_pins_are_kept_for_each_station_by_itself(database):
    save_pins(database, 1, Pins((3, 1)))
    save_pins(database, None, Pins((5,)))
    assert load_pins(database, 1).tracks == (3, 1)
    assert load_pins(database, 2) == NO_PINS
    assert load_pins(database, None).tracks == (5,)


def test_pins_that_cannot_be_read_are_none(database):
    for kept in ({"a": 1}, "words", None, [1, "2", None, True, 3]):
        with database.session() as session:
            keep_fact(session, "pins:1", kept)
        assert load_pins(database, 1).tracks == ((1, 3) if isinstance(kept, list) else ())


def test_what_was_said_against_a_track_keeps_it_from_being_pinned():
    state = ListeningState()
    for number, (kind, track, station) in enumerate((("never", 1, None), ("down", 2, 1), ("not-now", 3, 1)), 1):
        state.apply(LoggedEvent(number, number * 1_000_000, kind, track, station, None, None, "tui", None, None))
    assert why_not(state, 1, 1, 10.0) == "it was banned"
    assert why_not(state, 1, 2, 10.0) == "it was thumbed down here"
    assert why_not(state, 2, 2, 10.0) == ""
    assert why_not(state, 1, 3, 10.0) == "it rests"
    assert why_not(state, 1, 3, 10.0 + 24 * 3600) == ""
