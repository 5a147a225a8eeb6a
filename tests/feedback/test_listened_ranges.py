"""Seconds heard, against a slow count of hundredths; and the sleep timer and the rests beside it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.feedback.events import NOT_NOW_SECONDS
from player.feedback.listened_ranges import LEAST_JUMP_SECONDS, SLACK_SECONDS, Heard
from player.feedback.snooze import RESTS, rest_words
from player.playback.sleep_timer import CHOICES, FADE_SECONDS, SleepTimer

LENGTH = 100
STEPS = st.lists(st.tuples(st.sampled_from(["play", "seek", "pause"]), st.integers(0, LENGTH)), max_size=25)


def follow(steps, start=0):
    """Play, seek and pause in whole seconds; returns what was kept, and the set of seconds really played."""
    heard, played, position, clock = Heard.up_to(start, 0.0), set(range(start)), start, 0.0
    for kind, number in steps:
        if kind == "play":
            for _ in range(min(number, LENGTH - position)):
                played.add(position)
                position, clock = position + 1, clock + 1.0
                heard = heard.reported(position, clock)
        elif kind == "seek":
            position = number
            heard = heard.jumped(position, clock)
        else:
            clock += 3600.0
            heard = heard.reported(position, clock)
    return heard, played


@given(STEPS, st.integers(0, LENGTH))
def test_the_seconds_heard_are_those_really_played_each_once(steps, start):
    heard, played = follow(steps, start)
    assert heard.seconds == pytest.approx(len(played))


@pytest.mark.slow
@given(STEPS)
def test_the_spans_are_apart_and_in_order(steps):
    spans = follow(steps)[0].spans
    assert all(start < end for start, end in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


def test_a_report_further_on_than_the_clock_is_a_jump_though_nobody_said_so():
    heard = Heard.up_to(0.0, 0.0).reported(1.0, 1.0)
    assert heard.reported(2.0 + SLACK_SECONDS, 2.0).seconds == pytest.approx(3.0)
    assert heard.reported(60.0, 1.5).seconds == pytest.approx(1.0)


def test_reports_four_times_a_second_add_up_whatever_the_clock_began_with():
    heard = Heard.up_to(0.0, 100.0)
    for quarter in range(1, 9):
        heard = heard.reported(quarter / 4, 100.0 + quarter / 4)
    assert heard.spans == ((0.0, 2.0),)
    assert heard.reported(60.0, 102.5).spans == ((0.0, 2.0),), "a jump"


def test_what_is_heard_before_an_earlier_part_stays_apart_from_it():
    heard = Heard.up_to(0.0, 0.0).jumped(50.0, 0.0).reported(60.0, 10.0).jumped(10.0, 10.0).reported(20.0, 20.0)
    assert heard.spans == ((10.0, 20.0), (50.0, 60.0))


def test_a_late_report_from_before_a_seek_adds_nothing():
    heard = Heard.up_to(0.0, 0.0).reported(10.0, 10.0).jumped(80.0, 10.0)
    late = heard.reported(10.2, 10.1).reported(80.3, 10.3).reported(81.3, 11.3)
    assert late.seconds == pytest.approx(11.0, abs=0.4)


def test_only_what_was_jumped_over_is_worth_a_note():
    heard = Heard.up_to(0.0, 0.0).reported(30.0, 30.0)
    assert heard.short_of(30.0) is None
    assert heard.short_of(30.0 + LEAST_JUMP_SECONDS) is None
    assert heard.jumped(90.0, 30.0).short_of(90.0) == 30.0
    assert heard.jumped(5.0, 30.0).short_of(5.0) is None, "back to what was heard already"


# --- the sleep timer


def test_the_timer_goes_through_its_choices_and_round():
    timer, seen = SleepTimer(), []
    for _ in CHOICES:
        timer = timer.turned(now=100.0)
        seen.append((timer.choice, timer.ends_with_track, timer.due_at))
    assert seen == [
        (15, False, 1000.0),
        (30, False, 1900.0),
        (60, False, 3700.0),
        ("track", True, None),
        (None, False, None),
    ]


@given(st.integers(1, 600), st.floats(0, 1e6))
def test_a_timer_of_minutes_is_due_when_they_are_over_and_not_before(minutes, now):
    timer = SleepTimer.set_to(minutes, now)
    assert not timer.due(now + minutes * 60 - 1)
    assert timer.shown(now) == f"sleep in {minutes} min"
    assert timer.share(now + minutes * 60 - FADE_SECONDS) == pytest.approx(1.0, abs=1e-6)
    assert timer.share(now + minutes * 60 - FADE_SECONDS / 2) == pytest.approx(0.5, abs=1e-6)
    assert timer.due(now + minutes * 60 + 1)


def test_a_timer_that_is_off_or_waits_for_the_track_is_never_due():
    assert not SleepTimer().due(1e9)
    assert not SleepTimer.set_to("track", 0.0).due(1e9)


# --- rests


def test_the_rests_are_an_hour_a_day_and_a_month():
    assert [seconds for _, seconds in RESTS] == [3600.0, NOT_NOW_SECONDS, 30 * NOT_NOW_SECONDS]
    assert [rest_words(seconds) for _, seconds in RESTS] == ["for an hour", "till tomorrow", "for 30 days"]
    assert rest_words(None) == "till tomorrow"
    assert [rest_words(seconds) for seconds in (120.0, 5 * 3600.0, 3 * 86400.0)] == [
        "for 2 minutes",
        "for 5 hours",
        "for 3 days",
    ]
