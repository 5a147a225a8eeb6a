"""The gate: what may serve, and what decides it."""

import numpy as np
import pytest

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.promotion import judge


class Figures:
    """Pair AUC of some recommenders with the resamples behind it, as an evaluation has them."""

    def __init__(self, pairs, **means):
        self.report, self.pairs = self, pairs
        self._means = means

    def mean(self, model, measure):
        assert measure is Measure.PAIR_AUC
        return self._means.get(model)

    def resampled(self, model, measure):
        assert measure is Measure.PAIR_AUC
        noise = 0.01 * np.random.default_rng(3).standard_normal(1000)
        return None if model not in self._means else self._means[model] + noise


@pytest.mark.parametrize(
    ("live", "untrained", "promoted"),
    [(0.60, 0.60, True), (0.64, 0.60, False), (0.60, 0.64, False), (0.609, 0.609, True)],
)
def test_a_model_serves_unless_it_is_surely_worse_than_what_would_serve_in_its_place(live, untrained, promoted):
    figures = Figures(100, model=0.60, live=live, untrained=untrained)
    assert judge(figures, "model", "live", ["untrained"]).promoted is promoted


def test_what_would_not_serve_decides_nothing():
    figures = Figures(100, model=0.60, untrained=0.60, **{"content-knn": 0.90})
    assert judge(figures, "model", None, ["untrained"]).promoted


def test_worse_than_chance_is_refused_by_name():
    verdict = judge(Figures(100, model=0.40, untrained=0.40), "model", None, ["untrained"])
    assert not verdict.promoted
    assert "worse than chance (0.400)" in verdict.reason


def test_with_too_few_pairs_the_live_model_stays_and_a_first_one_serves():
    few = Figures(19, model=0.60, live=0.60, untrained=0.60)
    assert "live model stays" in judge(few, "model", "live", ["untrained"]).reason
    assert judge(few, "model", None, ["untrained"]).promoted
