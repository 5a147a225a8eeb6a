import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.experiments.clep_scores import ClepMetric, measure, measure_at_rate

LIKED = np.array([True, True, True, False, False])


def test_the_five_metrics_are_those_of_the_paper():
    figures = measure(np.array([0.9, 0.6, 0.2, 0.7, 0.1]), LIKED)
    assert figures[ClepMetric.ACCURACY] == pytest.approx(3 / 5)
    assert figures[ClepMetric.PRECISION] == pytest.approx(2 / 3)
    assert figures[ClepMetric.RECALL] == pytest.approx(2 / 3)
    assert figures[ClepMetric.FPR] == pytest.approx(1 / 2)
    assert figures[ClepMetric.AUROC] == pytest.approx(4 / 6)


def test_nothing_called_liked_leaves_precision_undefined():
    figures = measure(np.zeros(5), LIKED)
    assert np.isnan(figures[ClepMetric.PRECISION])
    assert figures[ClepMetric.FPR] == figures[ClepMetric.RECALL] == 0.0


def test_one_kind_alone_leaves_undefined_what_needs_the_other():
    figures = measure(np.array([0.9, 0.1]), np.array([True, True]))
    assert np.isnan(figures[ClepMetric.FPR])
    assert np.isnan(figures[ClepMetric.AUROC])
    assert figures[ClepMetric.ACCURACY] == 0.5
    assert np.isnan(measure_at_rate(np.array([0.9, 0.1]), np.array([True, True]), 0.5)).all()


def slow_recall(score, liked, rate):
    """Walk down the ranking; at each rate of the ROC curve's stairs take the middle, between two go straight."""
    stairs = {}
    for cut in [np.inf, *sorted(set(score), reverse=True)]:
        called = score >= cut
        stairs.setdefault(called[~liked].mean(), []).append(called[liked].mean())
    points = sorted((x, (min(y) + max(y)) / 2) for x, y in stairs.items())
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 <= rate <= x1:
            return y0 + (y1 - y0) * (rate - x0) / (x1 - x0)
    raise AssertionError


@given(seed=st.integers(0, 500), rate=st.floats(0.0, 1.0))
def test_the_recall_at_a_rate_is_that_of_the_roc_curve(seed, rate):
    rng = np.random.default_rng(seed)
    score, liked = rng.integers(0, 6, 12) / 5, rng.random(12) < 0.5
    liked[:2] = [True, False]
    figures = measure_at_rate(score, liked, rate)
    recall = slow_recall(score, liked, rate)
    assert figures[ClepMetric.RECALL] == pytest.approx(recall)
    assert figures[ClepMetric.FPR] == rate
    right = recall * liked.sum() + (1 - rate) * (~liked).sum()
    assert figures[ClepMetric.ACCURACY] == pytest.approx(right / 12)


def test_a_more_pessimistic_copy_of_a_ranking_is_as_good_at_the_same_rate():
    rng = np.random.default_rng(1)
    score, liked = rng.random(40), rng.random(40) < 0.5
    bold, timid = measure_at_rate(score, liked, 0.3), measure_at_rate(score**3 / 9, liked, 0.3)
    assert bold == pytest.approx(timid)
    assert measure(score, liked)[ClepMetric.FPR] > measure(score**3 / 9, liked)[ClepMetric.FPR]


def test_an_undefined_rate_gives_undefined_metrics():
    assert np.isnan(measure_at_rate(np.zeros(5), LIKED, float("nan"))).all()
