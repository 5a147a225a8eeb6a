"""Baselines of one listener's own history, by hand."""

import numpy as np
import pytest

from recommender.baselines import (
    ContentNeighbours,
    Context,
    LikeRate,
    PersonalMostPlayed,
    Popularity,
    TrackFacts,
    build,
)
from recommender.baselines.other_players import movements, points_of
from recommender.events import Outcome, empty_log

NAN = np.nan


def context_of(log, time=None, listener=0):
    own = log.where(log.listener == listener)
    return Context(listener, 0, float(log.time[-1]) + 60.0 if time is None else time, own)


def test_each_count_prefers_what_it_says(make_log):
    liked_by_all = [(u, 0, 1, u, 1) for u in range(1, 6)]
    divided = [(u, 0, 2, u + 10, 1) for u in range(1, 8)] + [(u, 0, 2, u + 20, -1) for u in range(1, 8)]
    own = [(0, 0, 3, 40 + i, 1) for i in range(3)]
    log = make_log(liked_by_all + divided + own, tracks=6)
    expected = {Popularity(): 2, LikeRate(): 1, PersonalMostPlayed(): 3}
    for recommender, best in expected.items():
        recommender.fit(log)
        assert int(np.argmax(recommender.score(context_of(log)))) == best


def test_neighbours_in_sound_rank_by_nearness_to_the_likes(make_log):
    angle = np.linspace(0.0, np.pi, 9)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    vectors[4] = np.nan
    recommender = ContentNeighbours(vectors)
    log = make_log([(0, 0, 0, 0, 1), (0, 0, 8, 1, -1)], tracks=9)
    recommender.fit(log)
    scores = recommender.score(context_of(log))
    assert scores[0] > scores[1] > scores[2]
    assert scores[4] == 0.0
    with pytest.raises(ValueError, match="about 3 tracks"):
        recommender.fit(empty_log(3))


def test_artists_are_ordered_by_the_shrunk_share_of_what_was_liked_of_theirs(make_log):
    rows = [(0, 0, 0, 0, 1), (0, 0, 1, 1, 1), (0, 0, 2, 2, 1), (0, 0, 3, 3, -1), (1, 0, 2, 4, 1), (0, 0, 4, 5, 0)]
    log = make_log(rows, tracks=7)
    recommender = build("artists", TrackFacts(artist=np.array([0, 0, 1, 1, 2, 0, -1])))
    recommender.fit(log)
    mean = 4 / 6  # three likes and a dislike of this listener's own, shrunk; the other one's like tells nothing
    expected = [(2 + 2 * mean) / 4, (1 + 2 * mean) / 4, mean]
    assert recommender.score(context_of(log)) == pytest.approx(np.array(expected)[[0, 0, 1, 1, 2, 0, 2]])


def test_activation_is_the_sum_of_fading_listens_and_a_dislike_reinforces_nothing(make_history):
    history = make_history(
        [
            (0, 0.0, Outcome.FINISH, 1, NAN),
            (1, 50.0, Outcome.SKIP_EARLY, -1, NAN),
            (0, 75.0, Outcome.SKIP_LATE, 0, NAN),
            (2, 99.9, Outcome.FINISH, 1, NAN),
        ],
        tracks=4,
    )
    recommender = build("act-r")
    recommender.fit(history)
    scores = recommender.score(context_of(history, time=100.0))
    assert np.expm1(scores) == pytest.approx([100**-0.5 + 25**-0.5, 0.0, 1.0, 0.0], abs=1e-6)
    assert "heard 2 times, last 0.0 hours ago" in recommender.explain(context_of(history, time=100.0), 0)


def test_imms_moves_ratings_by_what_came_before(make_history):
    rows = [
        (0, Outcome.FINISH, 2),  # plain finish: 1 + 1
        (1, Outcome.SKIP_EARLY, -7),  # first skip: -6 - 1
        (2, Outcome.SKIP_LATE, -5),  # in a run of skips: -4 - 1
        (3, Outcome.FINISH, 6),  # first finish after skips: 5 + 1
        (4, Outcome.CHOSEN, 0),
        (4, Outcome.FINISH, 8),  # chosen and finished: 7 + 1
        (5, Outcome.CHOSEN, 0),
        (5, Outcome.SKIP_EARLY, 1),  # chosen, then skipped after all
        (6, Outcome.THUMB_UP, 9),
        (6, Outcome.THUMB_DOWN, -8),
        (7, Outcome.LEFT, -1),
        (7, Outcome.REPLAY, 8),
        (8, Outcome.FINISH, 2),
        (8, Outcome.NEVER, -8),
    ]
    history = make_history([(track, i, outcome, 0, NAN) for i, (track, outcome, _) in enumerate(rows)], tracks=10)
    assert movements(history).tolist() == [points for *_, points in rows]


def slow_movements(history):
    """Row by row, as a listener would live through it."""
    aside = {Outcome.LEFT: -1, Outcome.THUMB_UP: 9, Outcome.THUMB_DOWN: -8, Outcome.NEVER: -8}
    skipped_before, chosen, points = False, None, []
    for track, outcome in zip(history.track.tolist(), history.outcome.tolist(), strict=True):
        if outcome == Outcome.CHOSEN:
            chosen = track
        if outcome not in {Outcome.FINISH, Outcome.REPLAY, Outcome.SKIP_EARLY, Outcome.SKIP_LATE}:
            points.append(aside.get(outcome, 0))
            continue
        skipped = outcome in {Outcome.SKIP_EARLY, Outcome.SKIP_LATE}
        if skipped:
            points.append(1 if chosen == track else -5 if skipped_before else -7)
        elif outcome == Outcome.REPLAY or chosen == track:
            points.append(8)
        else:
            points.append(6 if skipped_before else 2)
        skipped_before, chosen = skipped, None
    return points


@pytest.mark.parametrize("seed", range(1, 41))
def test_imms_over_all_rows_at_once_is_imms_row_by_row(make_history, seed):
    rng = np.random.default_rng(seed)
    rows = [(int(rng.integers(3)), i, Outcome(int(rng.integers(len(Outcome)))), 0, NAN) for i in range(seed)]
    history = make_history(rows, tracks=3)
    assert movements(history).tolist() == slow_movements(history)


def test_imms_is_optimistic_about_what_it_hardly_knows(make_history):
    finished_often = [(0, i, Outcome.FINISH, 1, NAN) for i in range(40)]
    skipped_once = [(1, 50, Outcome.SKIP_EARLY, -1, NAN)]
    skipped_often = [(2, 60 + i, Outcome.SKIP_EARLY, -1, NAN) for i in range(9)]
    history = make_history(finished_often + skipped_once + skipped_often, tracks=4)
    recommender = build("imms")
    recommender.fit(history)
    scores = recommender.score(context_of(history))
    assert scores[0] > scores[1] > scores[2]
    assert scores[3] > scores[1]
    # by hand, track 1: 0.7 of a trial against, 1 of 2 before: share 1 / 2.7
    share, trials, z2 = 1 / 2.7, 2.7, 1.96**2
    half = 1.96 * (share * (1 - share) / trials + z2 / (4 * trials**2)) ** 0.5
    assert scores[1] == pytest.approx((share + z2 / (2 * trials) + half) / (1 + z2 / trials), abs=1e-6)
    assert recommender.explain(context_of(history), 1).startswith("+0 and -7 points")


@pytest.mark.parametrize(
    ("outcome", "share", "points"),
    [
        (Outcome.SKIP_EARLY, 0.05, 0),
        (Outcome.SKIP_EARLY, 0.1, -2),
        (Outcome.SKIP_EARLY, 0.29, -2),
        (Outcome.SKIP_LATE, 0.3, 1),
        (Outcome.LEFT, 0.79, 1),
        (Outcome.SKIP_LATE, 0.8, 2),
        (Outcome.FINISH, 1.0, 2),
        (Outcome.REPLAY, 1.0, 3),
        (Outcome.REPLAY, NAN, 3),
        (Outcome.FINISH, NAN, 2),
        (Outcome.SKIP_EARLY, NAN, -2),
        (Outcome.SKIP_LATE, NAN, 1),
        (Outcome.THUMB_UP, 0.02, 2),
        (Outcome.THUMB_DOWN, 0.9, -2),
        (Outcome.NEVER, NAN, -2),
        (Outcome.CHOSEN, NAN, 0),
        (Outcome.LEFT, NAN, 0),
    ],
)
def test_tunelog_goes_by_the_played_share_and_else_by_the_outcome(make_history, outcome, share, points):
    assert points_of(make_history([(0, 0, outcome, 0, share)], tracks=1)).tolist() == [points]


def test_tunelog_adds_up_per_track(make_history):
    history = make_history(
        [(0, 0, Outcome.FINISH, 1, 1.0), (0, 1, Outcome.REPLAY, 1, 1.0), (1, 2, Outcome.SKIP_EARLY, -1, 0.2)], tracks=3
    )
    recommender = build("tunelog")
    recommender.fit(history)
    assert recommender.score(context_of(history)).tolist() == [5.0, -2.0, 0.0]
    assert recommender.explain(context_of(history), 0) == "+5 points from 2 events of yours"
