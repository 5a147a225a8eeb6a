"""What imported events do in the log: half the weight, no place in the queue's past, and the past derived once."""

import time

import pytest

from player.feedback.event_history import EventHistory
from player.feedback.events import LoggedEvent
from player.feedback.signals import IMPORTED_WEIGHT, weighed
from player.storage.event_kinds import Origin

SECOND = 1_000_000
DURATIONS = dict.fromkeys(range(1, 5), 200.0)


def event(number, kind, at, *, track=1, origin=Origin.IMPORT, position=None, action=None, undoes=None):
    return LoggedEvent(number, at * SECOND, kind, track, None, position, action, origin, None, undoes)


@pytest.mark.parametrize(
    ("kind", "position", "action"),
    [("up", None, None), ("down", None, None), ("finish", None, "end"), ("skip", 5.0, "next"), ("replay", None, None)],
)
def test_an_imported_event_weighs_half_of_the_same_one_heard_here(kind, position, action):
    def weight(origin):
        (item,) = EventHistory([event(1, kind, 100, origin=origin, position=position, action=action)], DURATIONS).labels
        return item.signal.label * item.signal.weight

    assert weight(Origin.IMPORT) == IMPORTED_WEIGHT * weight("tui") != 0


def test_the_signal_is_otherwise_the_same():
    (here,) = EventHistory([event(1, "skip", 100, origin="cli", position=5.0)], DURATIONS).labels
    assert weighed(here.signal, "cli") == here.signal
    there = weighed(here.signal, Origin.IMPORT)
    assert (there.outcome, there.label, there.explicit) == (
        here.signal.outcome,
        here.signal.label,
        here.signal.explicit,
    )


def test_imported_plays_count_for_the_track_and_take_no_place_in_the_queues_past():
    state = EventHistory(
        [event(1, "finish", 100, track=1), event(2, "finish", 50, track=2, origin="tui")], DURATIONS
    ).state
    assert state.plays == [(None, 2)]
    assert (state.tallies[1].plays, state.tallies[1].last_played) == (1, 100.0)


def test_an_imported_thumb_down_takes_the_track_off_no_station():
    state = EventHistory([event(1, "down", 100)], DURATIONS).state
    assert not state.never
    assert not any(state.thumbs.values())


def test_events_of_the_past_leave_the_history_as_one_derived_anew():
    here = [event(n, "skip", 1000 + n, track=1 + n % 4, origin="tui", position=5.0, action="next") for n in range(1, 6)]
    past = [event(n, "finish", n, track=1 + n % 4) for n in range(6, 30)] + [event(30, "undo", 2000, undoes=2)]
    kept = EventHistory(here, DURATIONS)
    assert kept.add(past)
    anew = EventHistory([*here, *past], DURATIONS)
    assert kept.labels == anew.labels
    assert (kept.state.tallies, kept.state.plays, kept.watermark) == (anew.state.tallies, anew.state.plays, 30)
    assert not kept.add(past)


def test_ten_thousand_events_of_the_past_are_derived_once():
    kept = EventHistory([event(1, "finish", 10**9)], DURATIONS)
    past = [event(n, "finish", n) for n in range(2, 10_000)]
    started = time.monotonic()
    kept.add(past)
    # Derived anew for each of them, it would take minutes.
    assert time.monotonic() - started < 10
