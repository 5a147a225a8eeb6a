"""Measures: pair AUC against the obvious count, sessions alike, and what knows only the mood of a session."""

import numpy as np

from recommender.habits.measures import AUC, AUC_SESSION, bounds, measures, pair_auc, session_aucs


def obvious(score, verdict):
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in score[verdict > 0] for b in score[verdict < 0]]
    return np.mean(wins) if wins else np.nan


def test_pair_auc_counts_pairs():
    rng = np.random.default_rng(0)
    score, verdict = rng.integers(0, 5, 80).astype(float), rng.integers(-1, 2, 80).astype(np.int8)
    assert pair_auc(score, verdict) == obvious(score, verdict)
    assert np.isnan(pair_auc(score, np.ones(80, np.int8)))


def test_every_session_with_a_pair_counts_alike():
    rng = np.random.default_rng(1)
    score, verdict, session = (
        rng.random(200),
        rng.integers(-1, 2, 200).astype(np.int8),
        np.sort(rng.integers(0, 30, 200)),
    )
    each = [obvious(score[session == one], verdict[session == one]) for one in range(30)]
    np.testing.assert_allclose(session_aucs(score, verdict, session), [auc for auc in each if np.isfinite(auc)])


def test_who_knows_the_mood_of_a_session_alone_is_good_over_all_plays_and_knows_nothing_within_one(plays):
    share = np.bincount(plays.session, plays.verdict > 0) / np.bincount(plays.session)
    found = measures(share[plays.session], plays, np.ones(len(plays), bool), plays.first)
    assert found[AUC].mean > 0.65
    assert found[AUC_SESSION].mean == 0.5


def test_the_interval_holds_the_mean_and_one_value_has_none():
    values = np.random.default_rng(2).normal(0.6, 0.1, 50)
    low, high = bounds(values, lambda drawn: drawn.mean(axis=1))
    assert low < values.mean() < high
    assert bounds(values[:1], lambda drawn: drawn.mean(axis=1)) == (None, None)
