"""Plays: the moment of decision, sessions, a track's usual length, and what an end says."""

import numpy as np
import pytest

from recommender.habits.plays import UNTOLD, USUAL_LENGTH, sessions_of, usual_lengths, verdicts


def test_the_moment_of_decision_is_the_end_of_the_play_before(plays):
    assert np.array_equal(plays.moment[1:], plays.ended[:-1])


def test_half_an_hour_of_silence_ends_a_session_and_a_long_track_does_not():
    ended, heard = np.array([100.0, 300.0, 5000.0, 5000.0 + 1801.0 + 60.0]), np.array([100.0, 200.0, 4700.0, 60.0])
    assert sessions_of(ended, heard).tolist() == [0, 0, 0, 1]
    assert sessions_of(np.empty(0), np.empty(0)).tolist() == []


@pytest.mark.parametrize(
    ("heard", "length"),
    [
        ([200.0, 199.0, 30.0], 200.0),  # two agree
        ([8000.0, 200.0, 199.5, 3.0], 200.0),  # left paused once
        ([180.0, 20.0], 180.0),  # heard out once
        ([20.0, 19.5, 3.0], 150.0),  # never heard out: as long as the others
    ],
)
def test_the_longest_plays_that_agree_tell_a_track_s_length(heard, length):
    track = np.array([0] * len(heard) + [1, 1, 2])
    found = usual_lengths(track, np.array([*heard, 150.0, 150.0, 150.0]), 4)
    assert found[0] == length
    assert found[3] == 150.0
    assert usual_lengths(np.array([0]), np.array([5.0]), 1)[0] == USUAL_LENGTH


def test_without_reasons_the_share_speaks_and_with_them_the_reason():
    share = np.array([1.0, 0.95, 0.8, 0.5, 0.49])
    assert verdicts(share, np.full(5, UNTOLD, np.int8)).tolist() == [1, 1, 0, 0, -1]
    said = np.array([1, -1, -1, 0, -1], np.int8)
    assert verdicts(share, said).tolist() == [1, 0, 0, 0, -1]
    assert verdicts(share, np.array([UNTOLD, -1, UNTOLD, 0, UNTOLD], np.int8)).tolist() == [1, 0, 0, 0, -1]
