"""What counts as feedback: one test for each line of the table, and what holds for all of them."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.feedback.signals import (
    BROWSED,
    BURST_GAP_SECONDS,
    BURST_SKIPS,
    EARLY_WEIGHT,
    FINISH,
    LAST_SECONDS,
    LATE_WEIGHT,
    LEFT,
    THUMB_UP,
    TOLD,
    UNKNOWN_POSITION_WEIGHT,
    browsing_skips,
    counts_as_finished,
    played_share,
    signal_of,
    weighed,
)
from player.storage.event_kinds import Action, Kind, Origin
from recommender.events import Outcome

SONG = 200.0
KINDS = st.sampled_from(list(Kind))
ACTIONS = st.sampled_from([None, *Action])
POSITIONS = st.none() | st.floats(0, 4000)
DURATIONS = st.floats(0, 3600)


def signal(kind, position=None, action=None, duration=SONG, browsing=False):
    return signal_of(kind, position=position, duration=duration, action=action, browsing=browsing)


# --- the table, line by line


@pytest.mark.parametrize(("kind", "label"), [("up", 1), ("down", -1), ("never", -1)])
def test_thumbs_and_bans_are_explicit_and_count_in_full(kind, label):
    said = signal(kind)
    assert (said.label, said.weight, said.explicit) == (label, 1.0, True)


def test_played_to_the_end_is_liked_without_words():
    said = signal("finish")
    assert (said.outcome, said.label, said.explicit) == (Outcome.FINISH, 1, False)


def test_replayed_is_liked_more_than_finished():
    assert signal("replay").label == 1
    assert signal("replay").weight > signal("finish").weight


@pytest.mark.parametrize("position", [0.0, 5.0, 29.9])
def test_next_before_half_a_minute_and_half_the_track_is_a_strong_dislike(position):
    said = signal("skip", position, "next")
    assert (said.outcome, said.label, said.weight) == (Outcome.SKIP_EARLY, -1, EARLY_WEIGHT)


def test_next_within_half_a_minute_of_a_jingle_is_late_once_half_of_it_was_heard():
    assert signal("skip", 29.0, "next", duration=50.0).outcome == Outcome.SKIP_LATE
    assert signal("skip", 25.0, "next", duration=50.0).outcome == Outcome.SKIP_LATE
    assert signal("skip", 24.0, "next", duration=50.0).outcome == Outcome.SKIP_EARLY


def test_next_later_is_a_weak_dislike_that_fades_with_the_share_played():
    third, half = signal("skip", SONG / 3, "next"), signal("skip", SONG / 2, "next")
    assert third.outcome == half.outcome == Outcome.SKIP_LATE
    assert half.weight == pytest.approx(LATE_WEIGHT / 2)
    assert EARLY_WEIGHT > third.weight > half.weight


@pytest.mark.parametrize("position", [180.0, 195.0, 199.9, 200.0, 250.0])
def test_next_in_the_last_tenth_or_the_last_seconds_counts_as_finished(position):
    assert signal("skip", position, "next") == FINISH


def test_the_last_seconds_of_an_hour_count_as_finished_and_of_a_jingle_do_not():
    assert signal("skip", 3596.0, "next", duration=3600.0) == FINISH
    assert not counts_as_finished(5.0, 9.0)
    assert counts_as_finished(8.1, 9.0)
    assert counts_as_finished(1.5 * LAST_SECONDS, 2.5 * LAST_SECONDS)
    assert not counts_as_finished(LAST_SECONDS, 2 * LAST_SECONDS)


@pytest.mark.parametrize("action", ["chose", "previous"])
def test_left_for_a_track_chosen_by_hand_is_a_weak_dislike(action):
    assert signal("skip", 20.0, action) == LEFT
    assert LEFT.weight < signal("skip", 20.0, "next").weight


def test_chosen_by_hand_is_a_weak_like_and_served_is_nothing():
    assert signal("start", 0.0, "chose").label == 1
    assert signal("start", 0.0, "chose").weight < FINISH.weight
    assert signal("start", 0.0) is None
    assert signal("start", 0.0, "previous") is None


def test_a_skip_while_browsing_is_next_to_nothing():
    assert signal("skip", 2.0, "next", browsing=True) == BROWSED
    assert 0 < BROWSED.weight < 0.1 * EARLY_WEIGHT


def test_a_skip_without_a_position_is_a_weak_dislike():
    said = signal("skip", None, "next")
    assert (said.label, said.weight) == (-1, UNKNOWN_POSITION_WEIGHT)
    assert signal("skip", 20.0, "next", duration=0.0) == said


@pytest.mark.parametrize("action", ["error", "quit", "station", "down", "never", "not-now"])
def test_a_play_that_the_machine_or_another_verdict_ended_says_nothing_of_its_own(action):
    assert signal("skip", 2.0, action) is None
    assert signal("stop", 2.0, action) is None


@pytest.mark.parametrize("kind", ["not-now", "clear", "undo", "stop"])
def test_what_is_no_matter_of_taste_says_nothing(kind):
    assert signal(kind, 2.0) is None


# --- what holds for every event


def test_every_weight_lies_between_0_and_1_and_agrees_with_its_label():
    places = product(
        list(Kind), [None, *Action], [None, 0.0, 20.0, 100.0, 250.0], [0.0, SONG], [False, True], [False, True]
    )
    for kind, action, position, duration, browsing, returned in places:
        said = signal_of(
            kind, position=position, duration=duration, action=action, browsing=browsing, returned=returned
        )
        if said is not None:
            assert 0.0 <= said.weight <= 1.0
            likes = {Outcome.THUMB_UP, Outcome.FINISH, Outcome.REPLAY, Outcome.CHOSEN}
            assert said.label == (1 if said.outcome in likes else -1)
            assert said.explicit == (kind in {"up", "down", "never"})


def test_the_shortest_of_tracks_are_judged_like_others():
    assert signal("skip", 0.2, "next", duration=1.0).outcome == Outcome.SKIP_EARLY
    assert counts_as_finished(0.95, 1.0)
    assert signal_of(Kind.FINISH, position=1.0, duration=1.0, action=None, heard=0.2).outcome == Outcome.SKIP_EARLY
    assert signal_of(Kind.FINISH, position=1.0, duration=0.0, action=None, heard=0.2) == FINISH
    assert played_share(Kind.SKIP, 0.5, 1.0) == played_share(Kind.FINISH, 1.0, 1.0, 0.5) == 0.5


def test_what_is_imported_weighs_half():
    assert weighed(THUMB_UP, Origin.IMPORT) == replace(THUMB_UP, weight=0.5)
    assert weighed(THUMB_UP, Origin.TUI) == THUMB_UP


@given(KINDS, POSITIONS, DURATIONS, ACTIONS, st.booleans())
def test_only_thumbs_up_finishes_replays_and_choices_are_ever_liked(kind, position, duration, action, browsing):
    said = signal(kind, position, action, duration, browsing)
    if said is not None and said.label > 0:
        finished = kind == "skip" and counts_as_finished(position, duration)
        assert kind in {"up", "finish", "replay"} or (kind, action) == ("start", "chose") or finished


@given(st.floats(20, 3600), st.floats(0, 1), st.floats(0, 1))
def test_the_later_the_skip_the_weaker_the_dislike(duration, one, other):
    early, late = sorted((one * duration, other * duration))
    first, second = signal("skip", early, "next", duration), signal("skip", late, "next", duration)
    assert second.label * second.weight >= first.label * first.weight


def test_everything_a_listener_can_tell_is_something_the_log_can_say():
    assert set(TOLD) <= set(Kind)


# --- browsing


def test_three_quick_skips_at_the_keyboard_are_browsing_and_two_are_not():
    assert browsing_skips([(0, "tui"), (2, "tui"), (4, "tui")]) == [True] * 3
    assert browsing_skips([(0, "tui"), (2, "tui")]) == [False] * 2


def test_a_pause_ends_a_burst():
    times = [0, 2, 4, 4 + BURST_GAP_SECONDS + 0.1, 20]
    assert browsing_skips([(time, "tui") for time in times]) == [True, True, True, False, False]


@given(st.lists(st.tuples(st.floats(0, 60), st.sampled_from(["cli", "headless", "import"])), max_size=20))
def test_skips_told_on_the_command_line_or_imported_are_never_browsing(skips):
    assert not any(browsing_skips(sorted(skips)))


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["tui", "cli"])), max_size=20))
def test_browsing_is_what_a_slow_look_at_every_run_says(skips):
    skips = sorted(skips)
    keyboard = [time for time, origin in skips if origin == "tui"]
    runs = []
    for time in keyboard:
        if runs and time - runs[-1][-1] <= BURST_GAP_SECONDS:
            runs[-1].append(time)
        else:
            runs.append([time])
    expected = [len(run) >= BURST_SKIPS for run in runs for _ in run]
    flags = browsing_skips(skips)
    assert [flag for flag, (_, origin) in zip(flags, skips, strict=True) if origin == "tui"] == expected
    assert not any(flag for flag, (_, origin) in zip(flags, skips, strict=True) if origin != "tui")
