"""Features: nothing of the play that is foretold is in them, a walk and a ranking see the same, and rates are what they say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.habits.features import FEATURES, INDEX, Habits, walk
from recommender.habits.plays import UNTOLD, PlayedTracks, sessions_of, verdicts
from tests.support.histories import listening

SHORT = listening(seed=3, sessions=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(row=st.integers(1, len(SHORT) - 1), seconds=st.floats(0.5, 1700.0), track=st.integers(0, 39))
def test_neither_length_nor_end_nor_verdict_of_a_play_is_among_its_features(row, seconds, track):
    heard, ended = SHORT.heard.copy(), SHORT.ended.copy()
    heard[row] = seconds
    ended[row:] += seconds - SHORT.heard[row]
    share = np.minimum(heard / 200.0, 1.0)
    verdict = verdicts(share, np.full(len(share), UNTOLD, np.int8))
    changed = replace(SHORT, heard=heard, ended=ended, share=share, verdict=verdict, session=sessions_of(ended, heard))
    before, after = (walk(plays.until(row + 1))[row] for plays in (SHORT, changed))
    np.testing.assert_array_equal(before, after)


def test_later_plays_change_nothing(plays):
    np.testing.assert_array_equal(walk(plays)[:200], walk(plays.until(200)))


def test_a_ranking_sees_what_a_walk_saw(plays):
    habits, moment, table = Habits(plays.catalogue), plays.moment, walk(plays.until(301))
    for row in range(300):
        habits.add(
            *(getattr(plays, name)[row].item() for name in ("track", "ended", "share", "verdict", "chosen", "session"))
        )
    ranked = habits.features(np.arange(len(plays.catalogue)), moment[300])
    np.testing.assert_array_equal(ranked[plays.track[300]], table[300])


def test_rates_are_counts_shrunk_to_what_is_larger(plays):
    row = len(plays) - 1
    found, track = walk(plays)[row], plays.track[row]
    verdict = plays.verdict[:row]

    def counts(mask):
        return np.count_nonzero(verdict[mask] > 0), np.count_nonzero(verdict[mask] < 0)

    up, down = counts(np.ones(row, bool))
    level = (up + 1) / (up + down + 2)
    artist = plays.catalogue.artist[plays.track[:row]] == plays.catalogue.artist[track]
    liked, skipped = counts(artist)
    of_artist = (liked + 8 * level) / (liked + skipped + 8)
    of_album = (liked + 4 * of_artist) / (liked + skipped + 4)  # an artist here has one album
    liked, skipped = counts(plays.track[:row] == track)
    assert found[INDEX["artist_rate"]] == pytest.approx(of_artist, rel=1e-5)
    assert found[INDEX["track_rate"]] == pytest.approx((liked + 4 * of_album) / (liked + skipped + 4), rel=1e-5)
    assert found[INDEX["track_alone"]] == pytest.approx((liked + 4 * level) / (liked + skipped + 4), rel=1e-5)


def test_fading_rates_forget_and_a_track_never_heard_has_no_times(plays):
    habits = Habits(plays.catalogue)
    habits.add(0, 1e9, 1.0, 1, -1, 0)
    soon, late = (habits.features(np.array([0, 1]), 1e9 + days * 86_400.0) for days in (0.1, 60.0))
    assert soon[0, INDEX["track_rate_1d"]] > late[0, INDEX["track_rate_1d"]]
    assert late[0, INDEX["track_rate"]] == soon[0, INDEX["track_rate"]]
    assert np.isnan(soon[1, INDEX["track_since"]])
    assert soon.shape == (2, len(FEATURES))


def test_tracks_that_were_liked_together_speak_for_each_other_in_the_session():
    plays = listening(seed=1, sessions=1)
    habits = Habits(plays.catalogue)
    for evening in range(5):
        for place, (track, verdict) in enumerate(((0, 1), (1, 1), (2, -1))):
            habits.add(track, 1e9 + evening * 1e5 + place * 200, 1.0, verdict, -1, evening)
    habits.add(0, 2e9, 1.0, 1, -1, 9)
    accord = habits.features(np.array([1, 2, 3]), 2e9)[:, INDEX["accord"]]
    assert accord[0] > 0 > accord[1]
    assert accord[2] == 0
    assert not habits.features(np.array([1]), 2e9 + 7200)[0, INDEX["accord"]], "a session later"


def test_a_verdict_against_the_burst_it_stands_in_tells_more_than_one_with_it():
    habits = Habits(listening(seed=1, sessions=1).catalogue)
    against, along = 0, 1
    for evening in range(20):
        mood = 1 if evening % 2 else -1
        for place in range(8):
            habits.add(10 + place, 1e9 + evening * 1e5 + place * 200, 1.0, mood, -1, evening)
        habits.add(along if mood > 0 else against, 1e9 + evening * 1e5 + 2000, 1.0, 1, -1, evening)
    found = habits.features(np.array([against, along]), 1.1e9)
    assert found[0, INDEX["track_rate"]] == pytest.approx(found[1, INDEX["track_rate"]], abs=0.1)
    assert found[0, INDEX["track_beyond"]] > 3 * found[1, INDEX["track_beyond"]] > 0


def test_artists_that_were_liked_together_speak_for_each_other_s_other_tracks():
    habits = Habits(PlayedTracks(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 3])))
    for evening in range(5):
        for place, (track, verdict) in enumerate(((0, 1), (1, 1), (3, -1))):
            habits.add(track, 1e9 + evening * 1e5 + place * 200, 1.0, verdict, -1, evening)
    habits.add(0, 2e9, 1.0, 1, -1, 9)
    never_heard, other = habits.features(np.array([2, 3]), 2e9)[:, INDEX["artist_accord"]]
    assert never_heard > 0 > other


@pytest.mark.parametrize("count", [0, 1, 2, 7, 300, len(SHORT)])
def test_a_state_worked_out_at_once_is_that_of_one_play_after_the_other(count):
    plays = listening(seed=5, sessions=30).until(count)
    one_by_one, at_once = Habits(plays.catalogue), Habits.of(plays)
    for row in range(len(plays)):
        one_by_one.add(
            *(getattr(plays, name)[row].item() for name in ("track", "ended", "share", "verdict", "chosen", "session"))
        )
    everything, now = np.arange(len(plays.catalogue)), 1.7e9
    for moment in (now, plays.ended[-1] + 1.0 if count else now):
        expected, found = (habits.features(everything, moment) for habits in (one_by_one, at_once))
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    assert at_once.known().any() == (count > 0)
