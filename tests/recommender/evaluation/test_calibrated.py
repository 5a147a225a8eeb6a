"""The curve from scores to probabilities: what it learns, from what, and that it never sees the test."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import LikeRate
from recommender.evaluation.calibrated import Calibrated, Curve
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import split_at


def test_the_curve_finds_the_odds_that_made_the_labels():
    rng = np.random.default_rng(1)
    scores = rng.normal(3.0, 2.0, 20_000)
    truth = 1 / (1 + np.exp(-(scores - 2.0)))
    curve = Curve.fit(scores, np.where(rng.random(20_000) < truth, 1, -1).astype(np.int8))
    assert curve.probability(scores) == pytest.approx(truth, abs=0.02)


@pytest.mark.slow
def test_the_curve_is_where_a_slow_search_finds_its_likelihood_largest():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=40)
    label = np.where(rng.random(40) < 1 / (1 + np.exp(-scores)), 1, -1).astype(np.int8)
    curve = Curve.fit(scores, label)
    standard = (scores - scores.mean()) / scores.std()
    losses = {
        (slope, bias): np.logaddexp(0, -label * (slope * standard + bias)).sum() + (slope**2 + bias**2) / 8
        for slope in np.arange(0, 3, 0.02)
        for bias in np.arange(-2, 2, 0.02)
    }
    assert (curve.slope, curve.bias) == pytest.approx(min(losses, key=losses.get), abs=0.02)


def test_a_score_that_went_the_wrong_way_says_nothing_rather_than_its_opposite():
    curve = Curve.fit(np.arange(20.0), np.where(np.arange(20) < 15, 1, -1).astype(np.int8))
    assert curve.slope == 0.0
    assert curve.probability(np.array([0.0, 19.0])) == pytest.approx([0.73, 0.73], abs=0.03)


@pytest.mark.parametrize("scores", [[], [1.0], [2.0, 2.0, 2.0], [0.0, 1e30]])
@pytest.mark.parametrize("sign", [1, -1])
def test_probabilities_are_defined_whatever_it_was_fitted_on(scores, sign):
    curve = Curve.fit(np.array(scores), np.full(len(scores), sign, np.int8))
    found = curve.probability(np.array([-1e30, 0.0, 1e30], np.float32))
    assert np.all((found >= 0) & (found <= 1))


def test_order_and_name_stay_and_only_the_past_is_known(make_log, oracle):
    rng = np.random.default_rng(3)
    log = make_log([(0, 0, rng.integers(6), 4000.0 * k, 1 if rng.random() < 0.6 else -1) for k in range(80)], 6)
    inner = oracle([0.1, 0.9, 0.3, 0.4, 0.5, 0.2])
    wrapped = Calibrated(inner)
    split = split_at(log, log.time[60], log.time[40])
    wrapped.fit_with_validation(split.train, split.validation)
    assert wrapped.name == "oracle"
    assert [context.time for context in inner.contexts] == list(log.time[40:60])
    assert [len(context.history) for context in inner.contexts] == list(range(40, 60))
    assert len(inner.fitted) == 60
    curve = wrapped._curve
    flipped = replace(log, label=np.where(log.time >= log.time[60], -log.label, log.label).astype(np.int8))
    again = split_at(flipped, log.time[60], log.time[40])
    wrapped.fit_with_validation(again.train, again.validation)
    assert wrapped._curve == curve


def test_calibrated_recommenders_order_as_before_and_have_a_calibration_error(make_random_log):
    log = make_random_log(4, rows=300, listeners=1, moments=300)
    split = split_at(log, log.time[200], log.time[120])
    plain = evaluate([LikeRate()], split, state=State.WALKING).report
    calibrated = evaluate([Calibrated(LikeRate())], split, state=State.WALKING).report
    assert calibrated.mean("like-rate", Measure.PAIR_AUC) == plain.mean("like-rate", Measure.PAIR_AUC)
    assert plain.mean("like-rate", Measure.ECE) is None
    assert 0 <= calibrated.mean("like-rate", Measure.ECE) <= 1
    assert sum(each.rows for each in calibrated.reliability[0].bins) == calibrated.positives + calibrated.negatives
