"""The always-valid test: it does not stop on nothing, it finds what is there, and it says what it could have found."""

from statistics import NormalDist

import numpy as np
import pytest

from recommender.evaluation.sequential_test import (
    ALPHA,
    FRACTIONS,
    POWER,
    STEP,
    Wager,
    confidence_sequence,
    detectable_effect,
    log_capital,
    stopping_time,
    wager,
)

GRADES = np.array([0.0, 0.15, 0.375, 0.75, 1.0])
"""Rewards of plays, about as the player grades them."""
SHARES = np.array([0.05, 0.35, 0.1, 0.4, 0.1])


def rewards(rng, size, better=0.0):
    """Graded rewards whose mean is about .53 and, where ``better``, that much higher."""
    drawn = rng.choice(GRADES, p=SHARES, size=size)
    return np.where(rng.random(size) < better / 0.47, 1.0, drawn)


def pairs(seed, shape, better=0.0):
    rng = np.random.default_rng(seed)
    return rewards(rng, shape, better) - rewards(rng, shape)


def slow_capital(differences, null):
    """The formula, one gambler and one difference at a time."""
    capital = []
    for end in range(1, len(differences) + 1):
        total = 0.0
        for fraction in FRACTIONS:
            up = down = 1.0
            for difference in differences[:end]:
                up *= 1 + fraction * (difference - null) / (1 + null)
                down *= 1 - fraction * (difference - null) / (1 - null)
            total += up + down
        capital.append(total / (2 * len(FRACTIONS)))
    return capital


@pytest.mark.parametrize("null", [-0.4, 0.0, 0.25])
def test_the_capital_is_that_of_the_formula(null):
    differences = np.random.default_rng(1).uniform(-1, 1, 25)
    assert np.exp(log_capital(differences, null)) == pytest.approx(slow_capital(differences, null), rel=1e-9)


def test_the_capital_never_turns_negative_whatever_happens():
    for differences in (np.ones(50), -np.ones(50), np.tile([1.0, -1.0], 25)):
        for null in (-0.9, 0.0, 0.9):
            assert np.isfinite(log_capital(differences, null)).all()


def test_equal_arms_looked_at_after_every_pair_stop_no_oftener_than_alpha():
    differences = pairs(2, (600, 300))
    stopped = (log_capital(differences) >= -np.log(ALPHA)).any(axis=1).mean()
    # Three standard errors above alpha; a test that peeks without paying for it is far beyond.
    bound = ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / len(differences))
    assert stopped <= bound
    count = np.arange(1, 301)
    means = np.cumsum(differences, axis=1) / count
    spread = np.sqrt(np.cumsum(differences**2, axis=1) / count - means**2)
    peeked = np.abs(means[:, 20:]) > 1.96 * spread[:, 20:] / np.sqrt(count[20:])
    assert peeked.any(axis=1).mean() > 2 * bound


@pytest.mark.slow
def test_the_coin_keeps_the_null_though_the_first_place_is_liked_better_and_the_mood_drifts():
    rng = np.random.default_rng(3)
    runs, length = 600, 200
    drift = np.linspace(0.2, 0.8, length)
    first = rng.random((runs, length)) < drift + 0.15
    second = rng.random((runs, length)) < drift - 0.15
    coin = rng.random((runs, length)) < 0.5
    differences = np.where(coin, 1.0, -1.0) * (first.astype(float) - second)
    stopped = (log_capital(differences) >= -np.log(ALPHA)).any(axis=1).mean()
    assert stopped <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
    # Without the coin the very same feedback would look like a better arm.
    assert (log_capital(first.astype(float) - second) >= -np.log(ALPHA)).any(axis=1).mean() > 0.9


def test_a_better_arm_is_found_and_the_better_it_is_the_sooner():
    shares, medians = [], []
    for better in (0.1, 0.2):
        wealth = log_capital(pairs(4, (200, 400), better))
        times = [stopping_time(run) for run in wealth]
        shares.append(np.mean([time is not None for time in times]))
        medians.append(np.median([time or np.inf for time in times]))
    assert shares[0] > 0.8
    assert shares[1] > 0.99
    assert medians[1] < medians[0] / 2


def test_a_test_finds_at_its_detectable_effect_what_it_says():
    seen = pairs(5, (100,))
    effect = detectable_effect(seen)
    values = np.concatenate([seen, -seen])
    low, high = 0.0, 60.0
    for _ in range(50):
        slope = (low + high) / 2
        weights = np.exp(slope * (values - 1))
        weights /= weights.sum()
        low, high = (slope, high) if weights @ values < effect else (low, slope)
    runs = np.random.default_rng(6).choice(values, p=weights, size=(500, 100))
    found = (log_capital(runs) >= -np.log(ALPHA)).any(axis=1).mean()
    assert POWER - 0.05 < found < 0.97


@pytest.mark.parametrize("count", [30, 100, 400])
def test_the_detectable_effect_is_the_smallest_at_which_the_capital_gets_there(count):
    differences = pairs(5, (count,))
    values, deviates = np.concatenate([differences, -differences, [-1.0, 0.0, 1.0]]), NormalDist().inv_cdf(POWER)
    for slope in np.linspace(0.0, 8.0, 4001):
        weights, capital = np.exp(slope * values) / np.exp(slope * values).sum(), 0.0
        for fraction in FRACTIONS:
            growth = np.log(1 + fraction * values)
            mean = np.average(growth, weights=weights)
            spread = np.sqrt(np.average((growth - mean) ** 2, weights=weights))
            capital += np.exp(count * mean - deviates * np.sqrt(count) * spread) / (2 * len(FRACTIONS))
        if capital >= 1 / ALPHA:
            break
    assert detectable_effect(differences) == pytest.approx(np.average(values, weights=weights), abs=0.001)


def test_more_pairs_detect_less_and_a_handful_nothing():
    few, many = detectable_effect(pairs(7, (60,))), detectable_effect(pairs(7, (240,)))
    assert few is not None
    assert many is not None
    assert many < few / 1.5
    assert detectable_effect(pairs(7, (4,))) is None


def test_the_effect_that_is_there_does_not_pass_for_one_that_would_have_been_found():
    there, not_there = pairs(8, (150,), 0.3), pairs(8, (150,))
    assert detectable_effect(there) == pytest.approx(detectable_effect(not_there), abs=0.06)


@pytest.mark.slow
def test_the_true_mean_lies_within_all_bounds_at_once():
    runs, missed = 120, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        differences = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.4, 0.4], size=150)
        low, high = confidence_sequence(differences)
        missed += bool(np.any(low > 0.2) or np.any(high < 0.2))
        assert np.all(np.diff(low) >= 0)
        assert np.all(np.diff(high) <= 0)
    assert missed <= runs * (ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / runs))
    assert high[-1] - low[-1] < 0.6


def test_a_state_says_all_of_it():
    nothing = wager(np.empty(0))
    assert (nothing.pairs, nothing.low, nothing.high, nothing.p, nothing.detectable) == (0, -1.0, 1.0, 1.0, None)
    won = wager(pairs(9, (300,), 0.3))
    assert won.stopped_at is not None
    assert won.stopped_at <= 300
    assert won.evidence >= 1 / ALPHA
    assert won.p <= ALPHA
    assert 0.0 < won.low < won.mean < won.high


def test_a_state_is_that_after_the_last_difference_and_stops_where_the_capital_first_got_there():
    differences = np.tile([1.0, 0.5, -0.5], 30)
    state, capital = wager(differences), slow_capital(differences, 0.0)
    low, high = confidence_sequence(differences)
    for end in range(40, 52):  # a bound moves every few differences
        now = wager(differences[:end])
        assert (now.low, now.high) == (low[end - 1], high[end - 1])
    assert state.e_value == pytest.approx(capital[-1])
    assert state.stopped_at == 1 + next(place for place, one in enumerate(capital) if one >= 1 / ALPHA)
    assert wager(differences[: state.stopped_at - 1]).stopped_at is None
    assert wager(np.zeros(3)).p == pytest.approx(1.0)
    assert wager(np.empty(0)) == Wager(0, 0.0, -1.0, 1.0, 1.0, 1.0, None, None, ALPHA)


def test_where_every_mean_was_refuted_the_one_refuted_least_is_left():
    low, high = confidence_sequence(np.concatenate([np.ones(200), -np.ones(200)]))
    assert (low >= -1).all()
    assert (high <= 1).all()
    assert high[-1] - low[-1] == pytest.approx(2 * STEP)


def test_a_state_stays_stopped_when_the_luck_turns():
    turned = np.concatenate([np.full(40, 0.8), np.full(200, -0.4)])
    state = wager(turned)
    assert state.stopped_at == stopping_time(log_capital(turned[:40]))
    assert -1.0 <= state.low <= state.high <= 1.0


@pytest.mark.parametrize(("differences", "alpha"), [([1.2], 0.05), ([np.nan], 0.05), ([0.5], 0.0), ([0.5], 1.0)])
def test_what_cannot_be_is_refused(differences, alpha):
    with pytest.raises(ValueError, match="must lie"):
        wager(np.array(differences), alpha)
