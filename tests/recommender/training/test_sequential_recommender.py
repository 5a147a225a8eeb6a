"""The faithful sequential model as a recommender: what it learns, what it never sees, and what it says about its training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.baselines import LikeRate
from recommender.configuration import Negatives
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.splits import split_listener_last
from recommender.events import Outcome, empty_log
from recommender.interfaces import Context
from recommender.sequence.negatives import NegativeCounts
from recommender.training.sequential_recommender import (
    FAITHFUL,
    EpochReport,
    SequentialRecommender,
    epochs_to_convergence,
    one_thread,
)

TRACKS = 24
SMALL = replace(FAITHFUL, width=16, length=16, epochs=12, patience=12, batch=8, learning_rate=0.01)
BRIEF = replace(SMALL, epochs=2)


@pytest.fixture(scope="module")
def camps(make_log):
    """Thirty listeners of two opposite tastes: each likes one half of the tracks and dislikes the other."""
    rng = np.random.default_rng(4)
    rows = []
    for step in range(40):
        for listener in range(30):
            track = int(rng.integers(TRACKS))
            liked = (track < TRACKS // 2) == (listener % 2 == 0)
            rows.append((listener, 0, track, 100.0 * step + listener, 1 if liked else -1))
    return make_log(rows, tracks=TRACKS)


@pytest.fixture(scope="module")
def split(camps):
    return split_listener_last(camps)


def context_of(split, listener=0, station=0):
    own = split.past.where(split.past.listener == listener)
    return Context(listener, station, float(own.time[-1]) + 1.0, own)


def fitted(split, config=BRIEF, **options):
    recommender = SequentialRecommender(config, **options)
    recommender.fit_with_validation(split.train, split.validation)
    return recommender


@pytest.mark.slow
def test_it_learns_whose_taste_is_whose_where_the_like_rate_cannot(split):
    evaluation = evaluate([SequentialRecommender(SMALL), LikeRate()], split, measures=[Measure.PAIR_AUC])
    assert evaluation.report.mean("sequential p_hard=0.4", Measure.PAIR_AUC) > 0.85
    assert evaluation.report.mean("like-rate", Measure.PAIR_AUC) < 0.65


def test_nothing_is_learned_from_the_validation_rows(split):
    validation = replace(split.validation, label=-split.validation.label)
    one, other = SequentialRecommender(replace(BRIEF, epochs=1)), SequentialRecommender(replace(BRIEF, epochs=1))
    one.fit_with_validation(split.train, split.validation)
    other.fit_with_validation(split.train, validation)
    assert one.course[0].validation_auc != other.course[0].validation_auc
    assert np.array_equal(one.score(context_of(split)), other.score(context_of(split)))


@pytest.mark.slow
def test_left_to_itself_it_sets_each_listeners_newest_rows_aside(split):
    alone = SequentialRecommender(BRIEF)
    alone.fit(split.past)
    own = split_listener_last(split.past, test=0.1, validation=0.0)
    apart = SequentialRecommender(BRIEF)
    apart.fit_with_validation(own.train, own.test)
    assert np.array_equal(alone.score(context_of(split)), apart.score(context_of(split)))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_scores_and_another_does_not(split):
    first, again, other = (fitted(split, seed=seed).score(context_of(split)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_every_positive_counts_alike(split):
    rng = np.random.default_rng(0)
    graded = replace(split, log=replace(split.log, weight=rng.random(len(split.log)).astype(np.float32)))
    assert np.array_equal(fitted(split).score(context_of(split)), fitted(graded).score(context_of(split)))


def test_only_the_newest_rows_of_a_history_are_looked_at(split):
    recommender = fitted(split)
    context = context_of(split)
    newest = replace(
        context, history=context.history.where(np.arange(len(context.history)) >= len(context.history) - 16)
    )
    assert len(context.history) > 16
    assert np.array_equal(recommender.score(context), recommender.score(newest))


def test_a_score_is_the_product_of_taste_and_track_in_that_state(split):
    recommender = fitted(split)
    context = context_of(split, listener=5)
    network, history = recommender._trained.network, context.history
    columns = (history.track, history.outcome.astype(np.int64), history.station)
    with torch.no_grad():
        hidden = network(*(torch.from_numpy(column[-16:])[None] for column in columns))[0, -1]
        slow = [float(network.query(hidden, torch.tensor(0)) @ network.items(torch.tensor(t))) for t in range(TRACKS)]
    assert recommender.score(context) == pytest.approx(slow, abs=1e-5)


def test_stations_of_one_history_share_their_state_and_another_history_does_not(split):
    recommender = fitted(split)
    first, other = context_of(split), context_of(split, listener=1)
    before = recommender.score(first)
    recommender.score(other)
    assert np.array_equal(recommender.score(replace(first, station=0)), before)
    assert not np.array_equal(recommender.score(other), before)


@pytest.mark.slow
def test_situations_together_are_scored_as_one_by_one(split):
    recommender = fitted(split)
    histories = [split.train.where(split.train.listener == who) for who in np.unique(split.train.listener)[:4]]
    histories[1:1] = [histories[0].first(3), histories[0], empty_log(split.train.tracks)]
    contexts = [Context(0, station, 1e9, history) for history in histories for station in (0, 1, -1)]
    together = recommender.score_batch(contexts)
    for scores, context in zip(together, contexts, strict=True):
        np.testing.assert_allclose(scores, recommender.score(context), atol=1e-5)


@pytest.mark.slow
def test_a_listener_without_history_gets_no_order_and_a_stranger_with_one_does(split):
    recommender = fitted(split)
    assert not recommender.score(Context(9999, -1, 0.0, empty_log(TRACKS))).any()
    own = context_of(split).history
    stranger = Context(9999, 77, 1e9, replace(own, listener=np.full(len(own), 9999)))
    assert len(np.unique(recommender.score(stranger))) == TRACKS


@pytest.mark.slow
def test_every_track_has_an_embedding_of_its_own_heard_or_not(split):
    unheard = replace(split, log=replace(split.log, tracks=TRACKS + 3))
    assert len(np.unique(fitted(unheard).score(context_of(unheard)))) == TRACKS + 3


@pytest.mark.slow
def test_content_is_added_where_it_is_given(split):
    content = np.random.default_rng(1).normal(size=(TRACKS, 5)).astype(np.float32)
    content[3] = np.nan
    without, with_it = fitted(split), fitted(split, content=content)
    assert np.isfinite(with_it.score(context_of(split))).all()
    assert not np.array_equal(without.score(context_of(split)), with_it.score(context_of(split)))


@pytest.mark.slow
def test_the_realised_share_counts_only_negatives_of_the_kind_asked_for(split):
    log = split.log
    skipped = (log.label < 0) & (log.track % 2 == 0)
    outcome = np.where(skipped, Outcome.SKIP_EARLY, log.outcome).astype(np.int8)
    mixed = replace(split, log=replace(log, explicit=~skipped, outcome=outcome))
    shares = {kind: fitted(mixed, replace(BRIEF, p_hard=1.0, negatives=kind)).course[0].negatives for kind in Negatives}
    assert all(counts.realised_share == 1.0 for counts in shares.values())
    assert shares[Negatives.BOTH].share_of_all >= max(
        shares[Negatives.EXPLICIT].share_of_all, shares[Negatives.IMPLICIT].share_of_all
    )
    none = replace(split, log=replace(log, explicit=np.ones(len(log), bool)))
    drawn = fitted(none, replace(BRIEF, p_hard=1.0, negatives=Negatives.IMPLICIT)).course[0].negatives
    assert (drawn.eligible, drawn.realised_share, drawn.share_of_all) == (0, None, 0.0)


@pytest.mark.slow
def test_the_explanation_states_the_rank_and_what_it_follows_from(split):
    recommender = fitted(split)
    context = context_of(split)
    best = int(np.argmax(recommender.score(context)))
    seen = context.history.label[-16:]
    said = recommender.explain(context, best)
    assert said.startswith(f"comes 1. of {TRACKS} after your last 16 events")
    assert f"{np.sum(seen > 0)} liked, {np.sum(seen < 0)} disliked" in said


def test_it_says_so_when_it_was_not_fitted_and_when_there_is_nothing_to_predict(make_log):
    recommender = SequentialRecommender(BRIEF, name="mine")
    with pytest.raises(ValueError, match="mine was not fitted"):
        recommender.score(Context(0, 0, 0.0, empty_log(3)))
    with pytest.raises(ValueError, match="a positive after another event"):
        recommender.fit(make_log([(0, 0, 1, 0, 1), (0, 0, 2, 1, -1), (0, 0, 2, 2, -1)], tracks=3))


def course(*aucs):
    return [EpochReport(i + 1, len(aucs), 1.0, auc, NegativeCounts()) for i, auc in enumerate(aucs)]


@pytest.mark.parametrize(
    ("aucs", "epochs"),
    [
        ((0.6, 0.7, 0.6995, 0.65), 2),
        ((0.6, 0.6995, 0.7), 2),
        ((0.7, 0.701, 0.7021), 3),
        ((None, None), None),
        ((None, 0.5), 2),
    ],
)
def test_convergence_is_the_first_epoch_within_a_thousandth_of_the_best(aucs, epochs):
    assert epochs_to_convergence(course(*aucs)) == epochs


@pytest.mark.slow
def test_every_p_hard_is_stopped_by_the_same_patience(split):
    for p_hard in (0.0, 1.0):
        reports = fitted(split, replace(SMALL, p_hard=p_hard, epochs=30, patience=3)).course
        best = int(np.argmax([report.validation_auc for report in reports])) + 1
        assert len(reports) == min(30, best + 3)


def test_one_thread_is_used_within_and_all_are_given_back():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
