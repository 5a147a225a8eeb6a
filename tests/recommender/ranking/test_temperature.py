import numpy as np
import pytest

from recommender.ranking.temperature import COOLEST, HOTTEST, temperature_for_breadth


def perplexity(scores, temperature):
    weights = np.exp((scores - scores.max()) / temperature)
    shares = weights / weights.sum()
    shares = shares[shares > 0]
    return np.exp(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize("count", [300, 5000, 60_000])
@pytest.mark.parametrize("breadth", [10, 40])
def test_the_softmax_spreads_over_the_breadth_asked_for(count, breadth):
    scores = np.random.default_rng(3).standard_normal(count) * 2
    assert perplexity(scores, temperature_for_breadth(scores, breadth)) == pytest.approx(breadth, rel=0.02)


def test_scaling_the_scores_scales_the_temperature():
    scores = np.random.default_rng(4).standard_normal(1000)
    assert temperature_for_breadth(2 * scores, 30) == pytest.approx(2 * temperature_for_breadth(scores, 30), rel=0.01)


def test_a_small_station_spreads_over_a_quarter_of_its_tracks():
    scores = np.random.default_rng(5).standard_normal(40)
    assert perplexity(scores, temperature_for_breadth(scores, 1000)) == pytest.approx(10, rel=0.02)


def test_the_ends_of_the_range_are_kept_to():
    assert temperature_for_breadth(np.zeros(50), 10) == HOTTEST
    assert temperature_for_breadth(np.empty(0), 10) == HOTTEST
    assert COOLEST <= temperature_for_breadth(np.array([0.0, 1000.0]), 50) <= HOTTEST
