import numpy as np
import pytest
from scipy import stats

from recommender.ranking.gumbel import (
    COOLEST,
    HOTTEST,
    MANTISSA_BITS,
    KeyedNoise,
    Race,
    gumbel,
    mix,
    temperature_for_breadth,
    uniform,
    uniform_of,
)


def splitmix64(state):
    """The published generator, one number at a time in Python's own integers."""
    mask = (1 << 64) - 1
    word = (state + 0x9E3779B97F4A7C15) & mask
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
    return word ^ (word >> 31)


def test_mix_is_splitmix64():
    states = np.random.default_rng(1).integers(0, 2**63, 200, dtype=np.uint64)
    expected = [splitmix64(int(state)) for state in states]
    assert mix(states + np.uint64(0x9E3779B97F4A7C15)).tolist() == expected


def test_mix_gives_the_published_first_number_of_seed_zero():
    assert splitmix64(0) == 0xE220A8397B1DCDAF


def test_the_least_and_the_greatest_bits_lie_strictly_between_0_and_1():
    least, greatest = uniform_of(np.array([0, 2**MANTISSA_BITS - 1], np.uint64))
    assert 0 < least < 2.0 ** (1 - MANTISSA_BITS)
    assert 1 - 2.0 ** (1 - MANTISSA_BITS) < greatest < 1


def test_uniform_over_consecutive_track_ids_is_uniform():
    numbers = uniform(7, 3, np.arange(200_000))
    assert stats.kstest(numbers, "uniform").pvalue > 0.001


@pytest.mark.slow
def test_uniform_over_consecutive_slots_and_over_seeds_is_uniform():
    over_slots = np.array([uniform(7, slot, np.array([42]))[0] for slot in range(5000)])
    over_seeds = np.array([uniform(seed, 0, np.array([42]))[0] for seed in range(5000)])
    assert stats.kstest(over_slots, "uniform").pvalue > 0.001
    assert stats.kstest(over_seeds, "uniform").pvalue > 0.001


def test_neighbouring_slots_seeds_and_ids_are_not_correlated():
    ids = np.arange(100_000)
    here = uniform(1, 1, ids)
    for other in (uniform(1, 2, ids), uniform(2, 1, ids), uniform(1, 1, ids + 1)):
        assert abs(np.corrcoef(here, other)[0, 1]) < 0.015  # 4.7 standard errors


def test_a_track_keeps_its_noise_when_the_library_around_it_changes():
    few = gumbel(9, 5, np.array([12, 500]))
    many = gumbel(9, 5, np.arange(1000))
    assert few.tolist() == [many[12], many[500]]


def test_negative_and_huge_seeds_are_keys_like_any_other():
    ids = np.array([1, 2, 3])
    for seed in (-1, 2**63, 2**64 - 1, -(2**63)):
        assert np.isfinite(gumbel(seed, 0, ids)).all()
    assert uniform(-1, 0, ids).tolist() == uniform(2**64 - 1, 0, ids).tolist()
    assert uniform(-1, 0, ids).tolist() != uniform(1, 0, ids).tolist()


def test_gumbel_follows_the_gumbel_distribution():
    noise = gumbel(3, 8, np.arange(200_000))
    assert stats.kstest(noise, "gumbel_r").pvalue > 0.001


class Gains:
    """Drawn gains up to 1; notes how often all of them were asked for, and how many tracks' gains otherwise."""

    def __init__(self, rng, count, loose):
        self.values = rng.uniform(-1.0, 1.0, count)
        self.largest = float(self.values.max()) + loose
        self.all_asked = self.asked = 0

    def of(self, tracks):
        self.asked += len(tracks)
        return self.values[tracks]

    def of_all(self):
        self.all_asked += 1
        return self.values


@pytest.mark.parametrize(("spread", "temperature", "loose", "all_asked"), [
    (3.0, 0.25, 0, False), (8.0, 1.0, 0, False), (1.0, 0.5, 0, False), (0.01, 0.05, 0, False),
    (1000.0, 0.05, 0, True), (0.5, 0.5, 6, True), (3.0, 0.25, 4, False),
])  # fmt: skip
@pytest.mark.parametrize("open_share", [1.0, 0.5, 0.0])
def test_the_race_finds_what_looking_at_every_track_finds(spread, temperature, loose, all_asked, open_share):
    rng, count, places = np.random.default_rng(11), 20_000, 30
    ids, scores = rng.permutation(10 * count)[:count], 50.0 + spread * rng.standard_normal(count)
    open_tracks = rng.random(count) < open_share
    open_tracks[:3] = True
    scores[~open_tracks] += 900.0  # what is closed says nothing of the others
    race, gains = Race(KeyedNoise(5, ids), scores, temperature, open_tracks), Gains(rng, count, loose)
    for slot in range(places):
        eligible = open_tracks & (rng.random(count) < (0.5 if slot % 2 else 1.0))
        eligible[0] = True
        keys = (scores + gains.values) / temperature + gumbel(5, slot, ids)
        assert race.winner(slot, eligible, gains) == np.flatnonzero(eligible)[np.argmax(keys[eligible])]
    if open_share:
        assert gains.asked <= 200 * places
        assert all_asked == (gains.all_asked > 0)


def perplexity(scores, temperature):
    weights = np.exp((scores - scores.max()) / temperature)
    shares = weights / weights.sum()
    shares = shares[shares > 0]
    return np.exp(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize(("count", "breadth"), [
    (300, 10), (300, 40), (5000, 10), (5000, 40), (60_000, 10), (60_000, 40), (60_000, 12_000),
])  # fmt: skip
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
