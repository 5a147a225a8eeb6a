"""Habits as they serve: a log becomes plays, the state follows it row by row or anew, and the model's arrays are enough."""

import numpy as np
import pytest

from recommender.events import EventLog, Outcome
from recommender.habits.features import walk
from recommender.models.habit_scorer import MEAN, WEIGHTS, HabitScorer, plays_of, train_habits
from tests.support.histories import listening


@pytest.fixture(scope="module")
def habits():
    """A log of finishes and skips, as the player's own, and its catalogue."""
    plays = listening(seed=2, sessions=50)
    outcome = np.select([plays.verdict > 0, plays.verdict < 0], [Outcome.FINISH, Outcome.SKIP_EARLY], Outcome.SKIP_LATE)
    count = len(plays)
    log = EventLog(
        listener=np.zeros(count, np.int64),
        station=np.zeros(count, np.int64),
        track=plays.track,
        time=plays.ended,
        outcome=outcome.astype(np.int8),
        label=plays.verdict,
        weight=np.ones(count, np.float32),
        explicit=np.zeros(count, np.bool_),
        tracks=len(plays.catalogue),
        share=plays.share.astype(np.float32),
    )
    return log, plays.catalogue


def test_a_log_becomes_the_plays_it_was_made_of(habits):
    log, catalogue = habits
    plays = plays_of(log, catalogue)
    assert np.array_equal(plays.verdict, log.label)
    assert plays.sessions == 50
    chosen = EventLog(**{**log.columns(), "outcome": np.full(len(log), Outcome.CHOSEN, np.int8)}, tracks=log.tracks)
    assert len(plays_of(chosen, catalogue)) == 0
    left = EventLog(
        **{
            **log.columns(),
            "outcome": np.full(len(log), Outcome.LEFT, np.int8),
            "share": np.full(len(log), 0.7, np.float32),
        },
        tracks=log.tracks,
    )
    assert not plays_of(left, catalogue).verdict.any()


def test_following_a_history_gives_what_beginning_anew_gives(habits):
    log, catalogue = habits
    arrays = train_habits(log.first(400), catalogue)
    following, moment = HabitScorer(arrays, catalogue), float(log.time[-1])
    for count in (100, 101, 110, 300, 90, 400):
        anew = HabitScorer(arrays, catalogue).scores(log.first(count), moment)
        np.testing.assert_allclose(following.scores(log.first(count), moment), anew, rtol=1e-4, atol=1e-5)


def test_it_ranks_what_is_heard_out_above_what_is_skipped_and_scores_what_nobody_knows(habits):
    log, catalogue = habits
    scores = HabitScorer(train_habits(log, catalogue), catalogue).scores(log, float(log.time[-1]))
    rate = np.bincount(log.track, log.label, log.tracks) / np.bincount(log.track, minlength=log.tracks)
    assert np.corrcoef(scores, rate)[0, 1] > 0.8
    unknown = HabitScorer(train_habits(log, catalogue), catalogue).scores(log.first(0), 0.0)
    assert len(np.unique(unknown)) == 1
    assert np.isfinite(unknown).all()


def test_the_arrays_score_as_the_walk_does(habits):
    log, catalogue = habits
    arrays = train_habits(log.first(300), catalogue)
    assert arrays[MEAN].shape == (walk(plays_of(log.first(2), catalogue)).shape[1],)
    assert np.isfinite(arrays[WEIGHTS]).all()
