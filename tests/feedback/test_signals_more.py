"""The rest of the table: seeking, sleeping, coming back, thumbs everywhere, rests of a length, less because of this."""

from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_history import EventHistory
from player.feedback.event_recorder import correcting
from player.feedback.events import MICROSECONDS, LoggedEvent, uses_a_slot
from player.feedback.signals import (
    AWAY_SECONDS,
    EARLY_WEIGHT,
    FINISH,
    RETURNED,
    played_share,
    signal_of,
)
from player.storage.event_kinds import Action, Kind
from recommender.events import Outcome

SONG = 200.0
DURATIONS = dict.fromkeys(range(1, 5), SONG)


def event(number, kind, track=1, station=1, *, at=None, origin="tui", **more):
    names = ("position", "action", "decision_id", "undoes_id", "value", "note")
    fields = {name: more.get(name) for name in names}
    seconds = number if at is None else at
    return LoggedEvent(id=number, time_us=round(seconds * MICROSECONDS), kind=kind, track_id=track, station_id=station,
                       origin=origin, **fields)  # fmt: skip


def history(*events) -> EventHistory:
    kept = EventHistory([], DURATIONS)
    for one in events:
        kept.add([one])
    return kept


def weights(kept):
    return {item.event.id: item.signal.label * item.signal.weight for item in kept.labels}


def signal(kind, position=None, action=None, **more):
    return signal_of(kind, position=position, duration=SONG, action=action, **more)


# --- seeking


def test_seeking_to_the_end_is_no_finish_but_a_skip_after_what_was_heard():
    assert signal("finish", SONG, "end", heard=10.0) == signal("skip", 10.0, "next")
    assert signal("finish", SONG, "end", heard=120.0) == signal("skip", 120.0, "next")
    assert signal("finish", SONG, "end", heard=185.0) == FINISH
    assert signal("skip", 195.0, "next", heard=10.0).outcome == Outcome.SKIP_EARLY


def test_the_share_is_what_was_heard():
    assert played_share("finish", SONG, SONG, 50.0) == 0.25
    assert played_share("skip", 150.0, SONG, 50.0) == 0.25
    assert played_share("finish", SONG, SONG) == played_share("finish", None, 0.0, 3.0) == 1.0
    assert played_share("replay", 20.0, SONG) == played_share("skip", SONG + 9, SONG) == 1.0
    assert played_share("skip", -1.0, SONG) == 0.0
    unknown = [("start", 20.0, SONG), ("skip", None, SONG), ("skip", 20.0, 0.0), ("stop", None, 0.0)]
    assert all(isnan(played_share(*ended)) for ended in unknown)


@given(st.floats(0, SONG), st.floats(0, SONG))
def test_the_more_was_heard_on_the_way_to_the_end_the_better_it_speaks(one, other):
    less, more = sorted((one, other))
    first, second = signal("finish", SONG, "end", heard=less), signal("finish", SONG, "end", heard=more)
    assert second.label * second.weight >= first.label * first.weight


@given(st.sampled_from(list(Kind)), st.sampled_from([None, *Action]), st.floats(0, SONG), st.booleans())
def test_having_jumped_never_makes_it_a_like_that_it_would_not_be_otherwise(kind, action, position, returned):
    for heard in (0.0, position / 2):
        jumped = signal(kind, position, action, heard=heard, returned=returned)
        straight = signal(kind, position, action, returned=returned)
        if jumped is not None and jumped.label > 0:
            assert straight is not None
            assert straight.label > 0


# --- sleeping, quitting, going on


@given(st.sampled_from(["stop", "skip", "finish"]), st.none() | st.floats(0, SONG))
def test_the_sleep_timer_says_nothing(kind, position):
    assert signal(kind, position, "sleep") is None


def test_a_play_put_to_sleep_goes_on_and_one_that_slept_to_its_end_is_over():
    assert not uses_a_slot(event(1, "stop", action="sleep"))
    assert uses_a_slot(event(1, "finish", action="sleep"))
    kept = history(event(1, "finish", action="sleep", position=SONG))
    assert weights(kept) == {}
    assert kept.state.tallies[1].plays == 1


# --- coming back after hours


def back_after(seconds, *, position=20.0, kind="skip", origin="tui"):
    return history(
        event(1, "start", at=0, origin=origin),
        event(2, kind, at=position + seconds, position=position, action="next", origin=origin),
    )


def test_next_on_coming_back_after_hours_is_next_to_no_dislike():
    assert weights(back_after(AWAY_SECONDS + 1)) == {2: -RETURNED.weight}
    assert weights(back_after(AWAY_SECONDS - 1)) == {2: pytest.approx(-EARLY_WEIGHT)}


def test_coming_back_and_hearing_it_to_the_end_is_a_finish():
    assert weights(back_after(10 * AWAY_SECONDS, kind="finish", position=SONG)) == {2: FINISH.weight}


def test_quitting_overnight_is_a_break_too():
    kept = history(
        event(1, "start", at=0),
        event(2, "stop", at=20, position=20.0, action="quit"),
        event(3, "skip", at=30_000, position=25.0, action="next"),
    )
    assert weights(kept) == {3: -RETURNED.weight}


def test_an_event_from_the_command_line_knows_of_no_break():
    assert weights(back_after(10 * AWAY_SECONDS, origin="cli")) == {2: pytest.approx(-EARLY_WEIGHT)}


def test_a_play_that_ended_is_not_what_is_skipped_the_next_day():
    kept = history(
        event(1, "start", at=0),
        event(2, "finish", at=200, position=SONG),
        event(3, "skip", at=100_000, position=20.0, action="next"),
    )
    assert weights(kept)[3] == pytest.approx(-EARLY_WEIGHT)


# --- thumbs everywhere


def test_a_thumb_on_no_station_holds_on_all_and_a_stations_own_overrules_it():
    kept = history(event(1, "down", station=None), event(2, "up", station=2))
    assert kept.state.thumbs_on(1) == {1: -1}
    assert kept.state.thumbs_on(2) == {1: 1}
    kept.add([event(3, "clear", station=2)])
    assert kept.state.thumbs_on(2) == {1: -1}
    kept.add([event(4, "clear", station=None)])
    assert kept.state.thumbs_on(2) == {}
    assert weights(kept) == {}


# --- rests


def test_a_rest_lasts_as_long_as_it_was_told_to():
    kept = history(
        event(1, "not-now", value=3600.0), event(2, "not-now", track=2), event(3, "not-now", track=3, value=60.0)
    )
    assert kept.state.resting_until == {1: 3601.0, 2: 2 + 86400.0, 3: 63.0}
    assert weights(kept) == {}


# --- less because of this, and corrections


def test_less_is_about_the_station_and_says_nothing_of_the_track():
    kept = history(event(1, "less", note="part:sequence"), event(2, "less", note="label:3", station=2))
    assert kept.state.muted == {1: {"part:sequence"}, 2: {"label:3"}}
    assert weights(kept) == {}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["up", "down", "clear", "never", "not-now", "less", "skip", "finish", "replay", "start", "stop"]
        ),
        st.integers(1, 3),
        st.sampled_from([1, 2, None]),
        st.sampled_from([None, "quit", "sleep", "next", "chose"]),
        st.sampled_from([None, 10.0, 150.0]),
        st.sampled_from(["part:head", "label:2", "seed:genre:Jazz"]),
        st.sampled_from([1, 30, 5000]),
    ),
    max_size=25,
)


def log_of(steps):
    events, time = [], 0.0
    for number, (kind, track, station, action, value, note, gap) in enumerate(steps, 1):
        time += gap
        events.append(event(number, kind, track, station, at=time, action=action, position=100.0, value=value,
                            note=note if kind == "less" else None))  # fmt: skip
    return events


def told(kept, news, number):
    """Append what a correction came to."""
    for offset, new in enumerate(news):
        kept.add(
            [event(number + offset, new.kind, new.track_id, new.station_id, at=1e6 + offset, undoes_id=new.undoes_id)]
        )


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_everything_new_kept_up_event_by_event_equals_what_is_derived_anew(steps):
    events = log_of(steps)
    kept, anew = history(*events), EventHistory(events, DURATIONS)
    assert kept.state == anew.state
    assert weights(kept) == weights(anew)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(STEPS, st.data())
def test_any_event_can_be_taken_back_at_any_depth_as_if_it_had_never_been(steps, data):
    events = log_of(steps)
    kept, left, number = history(*events), list(events), 1000
    for _ in range(data.draw(st.integers(0, len(events)))):
        gone = data.draw(st.sampled_from(left))
        left.remove(gone)
        told(kept, correcting(kept, Correction("undo", gone.track_id, event_id=gone.id)), number)
        number += 1
    never_was = EventHistory(left, DURATIONS)
    assert weights(kept) == weights(never_was)
    assert kept.state.never == never_was.state.never
    assert kept.state.resting_until == never_was.state.resting_until
    assert {k: v for k, v in kept.state.muted.items() if v} == {k: v for k, v in never_was.state.muted.items() if v}
    for station in (1, 2, None):
        assert kept.state.thumbs_on(station) == never_was.state.thumbs_on(station)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_lifting_and_clearing_leave_nothing_behind(steps):
    kept, number = history(*log_of(steps)), 1000
    corrections = [Correction("lift-never", track) for track in list(kept.state.never)]
    corrections += [Correction("lift-rest", track) for track in list(kept.state.resting_until)]
    corrections += [
        Correction("unmute", 1, station_id=station, reason=note)
        for station, notes in kept.state.muted.items()
        for note in list(notes)
    ]
    corrections += [Correction("clear", track) for track in list(kept.state.everywhere)]
    corrections += [
        Correction("clear", track, station_id=station)
        for station, thumbs in kept.state.thumbs.items()
        for track in list(thumbs)
    ]
    for correction in corrections:
        news = correcting(kept, correction)
        told(kept, news, number)
        number += len(news)
    state = kept.state
    assert not state.never
    assert not state.resting_until
    assert not any(state.muted.values())
    assert not state.everywhere
    assert not any(state.thumbs.values())


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        (Correction("undo", 1, event_id=9), "There is no event 9"),
        (Correction("undo", 1, event_id=1), "taken back already"),
        (Correction("undo", 1, event_id=2), "tell that one anew"),
        (Correction("clear", 1, station_id=1), "no thumb on this station"),
        (Correction("clear", 1), "no thumb for all stations"),
        (Correction("lift-never", 1), "is not banned"),
        (Correction("lift-rest", 1), "does not rest"),
        (Correction("unmute", 1, station_id=1, reason="part:head"), "counts on this station as it is"),
    ],
)
def test_what_cannot_be_corrected_is_refused_in_a_sentence(correction, words):
    kept = history(event(1, "up"), event(2, "undo", undoes_id=1))
    with pytest.raises(PlayerError, match=words):
        correcting(kept, correction)
