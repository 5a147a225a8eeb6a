"""The history kept up event by event says the same as one derived anew from the whole log."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.feedback.event_history import EventHistory
from player.feedback.events import MICROSECONDS, NOT_NOW_SECONDS, LoggedEvent, corrected_times
from player.feedback.signals import BROWSED, EARLY_WEIGHT, FINISH, RETURNED
from player.feedback.unlearned_times import Hygiene, UnlearnedTime

FIRST = 1001
"""Ids as large as an old log's: of small numbers Python makes each only once, and ``is`` would do for ``==``."""
DURATIONS = dict.fromkeys([*range(1, 5), *range(FIRST, FIRST + 4)], 200.0)


def event(number, kind, track=1, station=1, *, at=None, position=None, action=None, origin="tui", undoes=None):
    seconds = number if at is None else at
    return LoggedEvent(
        number, round(seconds * MICROSECONDS), kind, track, station, position, action, origin, None, undoes
    )


def history(*events) -> EventHistory:
    """Kept up one by one."""
    kept = EventHistory([], DURATIONS)
    for one in events:
        kept.add([one])
    return kept


def said(kept: EventHistory):
    return [(item.event.id, item.signal) for item in kept.labels]


def weights(kept: EventHistory):
    return {item.event.id: item.signal.label * item.signal.weight for item in kept.labels}


PLAIN = st.tuples(
    st.sampled_from(["start", "finish", "skip", "skip", "skip", "stop", "up", "down", "clear", "replay", "not-now", "never"]),
    st.integers(FIRST, FIRST + 3),
    st.integers(FIRST, FIRST + 1) | st.none(),
    st.sampled_from([0, 1, 2, 3, 5, 30, 20_000, -2, -40]),  # seconds after the event before: also out of order
    st.none() | st.floats(0, 210),
    st.sampled_from([None, "next", "chose", "down", "quit", "end"]),
    st.sampled_from(["tui", "tui", "cli", "import"]),
)  # fmt: skip
STEPS = st.lists(st.one_of(PLAIN, PLAIN, PLAIN, st.integers(0, 30)), max_size=30)
"""A plain event, or a number that says which of the events so far is undone."""


def drawn_events(steps) -> list[LoggedEvent]:
    events, time = [], 1000.0
    for number, step in enumerate(steps, FIRST):
        if isinstance(step, int):
            targets = [one for one in events if one.kind != "undo"]
            if not targets:
                continue
            target = targets[step % len(targets)]
            events.append(
                event(number, "undo", target.track_id, target.station_id, at=time, undoes=int(str(target.id)))
            )
            continue
        kind, track, station, gap, position, action, origin = step
        time += gap
        events.append(event(number, kind, track, station, at=time, position=position, action=action, origin=origin))
    return events


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(STEPS)
def test_a_history_kept_up_event_by_event_equals_one_derived_anew(steps):
    events = drawn_events(steps)
    kept, anew = history(*events), EventHistory(events, DURATIONS)
    assert kept.state == anew.state
    assert said(kept) == said(anew)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(0, 30))
def test_it_makes_no_difference_in_which_portions_events_arrive(steps, cut):
    events = drawn_events(steps)
    kept = EventHistory(events[:cut], DURATIONS)
    kept.add(events[cut:])
    kept.add(events)  # known ones are passed over
    assert kept.state == EventHistory(events, DURATIONS).state
    assert said(kept) == said(EventHistory(events, DURATIONS))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_labels_come_in_time_order(steps):
    times = [item.event.time_us for item in history(*drawn_events(steps)).labels]
    assert times == sorted(times)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_undoing_everything_leaves_nothing_but_used_slots(steps):
    events = drawn_events(steps)
    number = FIRST + len(steps)
    for one in [one for one in events if one.kind != "undo"]:
        events.append(event(number, "undo", one.track_id, one.station_id, at=5000, undoes=one.id))
        number += 1
    kept, untouched = history(*events), history(*drawn_events(steps))
    assert kept.labels == []
    assert not kept.state.never
    assert not kept.state.plays
    assert not any(kept.state.thumbs.values())
    assert kept.state.slots == untouched.state.slots


def test_events_are_found_by_their_ids_and_tracks():
    up, down, again, undo = (
        event(1000, "up"),
        event(1001, "down", 2),
        event(1003, "up"),
        event(1004, "undo", undoes=1000),
    )
    kept = history(up, down, again, undo)
    assert [kept.find(number) for number in range(999, 1006)] == [None, up, down, None, again, undo, None]
    assert kept.about(1) == [up, again, undo]
    assert kept.told_after(1001)[0] == [again, undo]
    assert [kept.label_of(one.id) is None for one in (up, down, again)] == [True, False, False]
    assert EventHistory([], {}).watermark == 0


def test_only_another_hygiene_is_news():
    def private(since):
        return Hygiene(times=(UnlearnedTime(1, since, None, None, private=False),))

    kept = history(event(1, "up"))
    assert not kept.keep_clean(Hygiene())
    assert kept.keep_clean(private(0))
    assert weights(kept) == {}
    assert not kept.keep_clean(private(0))
    assert kept.keep_clean(private(5 * MICROSECONDS))
    assert weights(kept) == {1: 1.0}


def test_of_several_thumbs_the_last_one_counts():
    kept = history(event(1, "up"), event(2, "down"))
    assert weights(kept) == {2: -1.0}
    assert kept.state.thumbs[1] == {1: -1}


def test_a_cleared_thumb_says_nothing():
    kept = history(event(1, "up"), event(2, "clear"))
    assert weights(kept) == {}
    assert kept.state.thumbs[1] == {}


def test_a_thumb_holds_for_its_station_alone():
    kept = history(event(1, "up", station=1), event(2, "down", station=2))
    assert (kept.state.thumbs[1], kept.state.thumbs[2]) == ({1: 1}, {1: -1})
    assert weights(kept) == {1: 1.0, 2: -1.0}


def test_taking_a_thumb_back_brings_the_one_before_it_back():
    kept = history(event(1, "up"), event(2, "down"), event(3, "undo", undoes=2))
    assert kept.state.thumbs[1] == {1: 1}
    assert weights(kept) == {1: 1.0}


def test_events_that_never_reached_the_disk_are_given_up():
    kept = history(event(1, "up"), event(2, "never", 2), event(3, "skip", 3, position=5.0, action="next"))
    kept.forget_after(1)
    assert (kept.state, weights(kept)) == (history(event(1, "up")).state, {1: 1.0})
    assert kept.standing_of("up") == [event(1, "up")]


def test_what_was_taken_back_does_not_stand():
    kept = history(event(1, "up"), event(2, "up", 2), event(3, "down", 3), event(4, "undo", 2, undoes=2))
    assert [one.id for one in kept.standing_of("up")] == [1]


def test_a_start_taken_back_lets_the_end_it_began_count_as_on_coming_back_no_more():
    kept = history(event(1, "start", at=0), event(2, "skip", at=30_000, position=20.0, action="next"))
    assert weights(kept) == {2: -RETURNED.weight}
    kept.add([event(3, "undo", at=30_001, undoes=1)])
    assert weights(kept) == {2: pytest.approx(-EARLY_WEIGHT)}


def test_labels_looked_at_before_follow_an_event_taken_back():
    kept = history(event(1, "up"), event(2, "up", 2))
    assert len(kept.labels) == 2
    kept.add([event(3, "undo", 2, undoes=2)])
    assert len(kept.labels) == 1


def test_a_ban_and_a_rest_are_known_and_can_be_taken_back():
    kept = history(event(1, "never", track=1), event(2, "not-now", track=2, at=50))
    assert kept.state.never == {1}
    assert kept.state.resting_until == {2: 50 + NOT_NOW_SECONDS}
    kept.add([event(3, "undo", undoes=1), event(4, "undo", track=2, undoes=2)])
    assert (kept.state.never, kept.state.resting_until) == (set(), {})


def test_skips_are_counted_where_next_was_pressed_and_plays_where_the_end_came():
    kept = history(
        event(1, "finish", track=1),
        event(2, "skip", track=1, action="next", position=9),
        event(3, "skip", track=1, action="down", position=9),
        event(4, "skip", track=1, action="chose", position=9),
    )
    assert (kept.state.tallies[1].plays, kept.state.tallies[1].skips) == (1, 1)
    assert kept.state.plays == [(1, 1)] * 4


def test_a_third_quick_skip_shows_that_the_two_before_were_browsing_too():
    skips = [event(n, "skip", track=n, at=n, position=1.0, action="next") for n in (1, 2, 3)]
    kept = history(*skips[:2])
    assert set(weights(kept).values()) == {-EARLY_WEIGHT}
    kept.add(skips[2:])
    assert [signal for _, signal in said(kept)] == [BROWSED] * 3


def test_taking_one_of_a_burst_back_makes_the_others_count_again():
    skips = [event(n, "skip", track=n, at=n, position=1.0, action="next") for n in (1, 2, 3)]
    kept = history(*skips, event(4, "undo", track=2, undoes=2, at=9))
    assert weights(kept) == {1: -EARLY_WEIGHT, 3: -EARLY_WEIGHT}


def test_quick_skips_told_on_the_command_line_all_count():
    kept = history(
        *(event(n, "skip", track=n, at=n / 100, position=1.0, action="next", origin="cli") for n in (1, 2, 3, 4))
    )
    assert set(weights(kept).values()) == {-EARLY_WEIGHT}


def test_two_thumbs_down_in_a_row_do_not_make_the_next_skip_browsing():
    kept = history(
        event(1, "down", track=1),
        event(2, "skip", track=1, action="down", position=1.0),
        event(3, "down", track=2),
        event(4, "skip", track=2, action="down", position=1.0),
        event(5, "skip", track=3, action="next", position=1.0),
    )
    assert weights(kept) == {1: -1.0, 3: -1.0, 5: -EARLY_WEIGHT}


@pytest.mark.parametrize(("kind", "action", "used"), [
    ("finish", "end", 1), ("skip", "next", 1), ("stop", "error", 1), ("stop", "station", 1), ("stop", "quit", 0), ("up", None, 0),
])  # fmt: skip
def test_a_place_is_used_up_by_every_end_but_quitting(kind, action, used):
    assert history(event(1, kind, action=action)).state.slots[1] == used


def test_an_event_from_the_past_is_put_in_its_place():
    kept = history(event(1, "finish", track=2, at=100), event(2, "finish", track=3, at=50))
    assert kept.state.plays == [(1, 3), (1, 2)]
    assert kept.watermark == 2


def test_the_thumb_told_last_holds_whatever_time_it_bears():
    for one, other in [(100, 50), (50, 100), (10**9, 20)]:
        kept = history(event(1, "up", at=one), event(2, "down", at=other))
        assert kept.state.thumbs[1] == {1: -1}
        assert weights(kept) == {2: -1.0}
        rested = history(event(1, "not-now", at=one), event(2, "not-now", at=other))
        assert rested.state.resting_until == {1: other + NOT_NOW_SECONDS}


def test_a_thumb_told_here_holds_against_imported_ones_which_go_by_their_own_time():
    imported = [
        event(2, "up", station=None, at=900, origin="import"),
        event(3, "down", station=None, at=800, origin="import"),
    ]
    assert history(*imported).state.everywhere == {1: 1}
    kept = history(event(1, "down", station=None, at=100), *imported)
    assert kept.state.everywhere == {1: -1}
    assert weights(kept) == {1: -1.0}


def test_a_time_to_come_is_moved_to_when_it_was_told_at_the_latest():
    future = 10**16
    times = [event(1, "up", at=100), event(2, "up", at=future), event(3, "up", at=200), event(4, "up", at=-5)]
    assert [one.seconds for one in corrected_times(times)] == [100, 200, 200, 0]
    assert corrected_times(times[:1]) == times[:1]


def test_durations_learned_later_turn_skips_into_other_labels():
    kept = history(event(1, "skip", track=9, position=100.0, action="next"))
    weak = weights(kept)[1]
    kept.renew({9: 101.0})
    assert weak < 0 < weights(kept)[1]


def test_a_start_taken_back_leaves_the_one_before_it_the_beginning_of_the_play():
    kept = history(event(1, "start", at=0), event(2, "start", 2, at=1), event(3, "start", at=29_000))
    kept.add([event(4, "undo", at=29_001, undoes=3), event(5, "skip", at=30_000, position=20.0, action="next")])
    assert weights(kept) == {5: -RETURNED.weight}


def test_a_start_taken_back_says_nothing_of_an_end_told_elsewhere():
    kept = history(
        event(1, "start", at=0),
        event(2, "skip", at=10, position=5.0, action="next", origin="cli"),
        event(3, "skip", at=30_000, position=20.0, action="next"),
        event(4, "undo", at=30_001, undoes=1),
    )
    assert weights(kept) == pytest.approx({2: -EARLY_WEIGHT, 3: -EARLY_WEIGHT})


def test_a_ban_taken_back_leaves_those_of_other_tracks():
    kept = history(event(1, "never", 1), event(2, "never", 2), event(3, "undo", 2, undoes=2))
    assert kept.state.never == {1}


@pytest.mark.parametrize("taken_back", [2, 99], ids=["an undo", "what never was"])
def test_an_undo_of_what_cannot_be_taken_back_changes_nothing(taken_back):
    kept = history(event(1, "up"), event(2, "undo", undoes=1), event(3, "up", 2), event(4, "never", 3))
    kept.add([event(5, "undo", undoes=taken_back), event(6, "finish", 2, action="end")])
    assert (kept.state.never, weights(kept)) == ({3}, {3: 1.0, 4: -1.0, 6: FINISH.weight})


def test_a_skip_taken_back_is_part_of_no_burst_to_come():
    skips = [
        event(number, "skip", number, at=number, position=1.0, action="next") for number in range(FIRST, FIRST + 3)
    ]
    kept = history(*skips[:2], event(FIRST + 2, "undo", at=FIRST + 1, undoes=int(str(FIRST + 1))))
    kept.add([event(FIRST + 3, "skip", FIRST + 3, at=FIRST + 2, position=1.0, action="next")])
    assert set(weights(kept).values()) == {-EARLY_WEIGHT}


def test_whatever_is_new_is_said_to_be():
    kept = history(event(2, "up", at=50))
    assert [
        kept.add([event(3, "up", 2, at=40)]),
        kept.add([event(4, "up", 3, at=60)]),
        kept.add([event(4, "up", 3, at=60)]),
    ] == [True, True, False]
