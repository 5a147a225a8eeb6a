"""Changes beside what chance gives, against slow and obvious versions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.insight.permutation_test import BLOCK_PLAYS, LEVEL, exact_gini_change, ginis, shuffled_changes
from recommender.ranking.diversity import gini

PLAYS = 10 * BLOCK_PLAYS


def counted(artist, artists):
    return np.bincount(artist[artist >= 0], minlength=artists)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 20))
def test_the_gini_index_of_many_rows_is_that_of_each_with_its_zeros(counts, zeros):
    row = np.array(counts, np.int64)
    whole = np.concatenate([row, np.zeros(zeros, np.int64)])
    found = ginis(np.stack([row, row[::-1]]), len(whole))
    assert found == pytest.approx([gini(whole)] * 2)


def test_the_exact_test_deals_ten_blocks_in_every_way():
    rng = np.random.default_rng(0)
    artist = rng.integers(-1, 12, PLAYS)
    blocks = artist.reshape(10, BLOCK_PLAYS)
    changes = []
    for deal in combinations(range(10), 5):
        rest = [block for block in range(10) if block not in deal]
        now, before = (counted(blocks[list(side)].ravel(), 15) for side in (deal, rest))
        changes.append(gini(now) - gini(before))
    real = gini(counted(artist[100:], 15)) - gini(counted(artist[:100], 15))
    found = exact_gini_change(artist, 15)
    assert found.difference == pytest.approx(real)
    assert found.p == pytest.approx(np.mean(np.abs(changes) >= abs(real) - 1e-12))


def test_without_a_change_the_exact_test_cries_wolf_no_more_often_than_it_says():
    rng = np.random.default_rng(1)
    false = sum(exact_gini_change(rng.integers(0, 40, PLAYS), 40).beyond_chance for _ in range(400))
    # Of 400 at 5 % more than 35 would be a chance of one in a thousand; and a test that never says so is none.
    assert 3 <= false <= 35


def test_a_clear_narrowing_is_beyond_chance_in_both_tests():
    rng = np.random.default_rng(2)
    artist = np.concatenate([rng.integers(0, 60, PLAYS // 2), rng.integers(0, 8, PLAYS // 2)])
    exact = exact_gini_change(artist, 60)
    units = np.arange(PLAYS) // 10

    def measure(places):
        return np.array([gini(counted(artist[places], 60)), 0.0])

    shuffled, constant = shuffled_changes(units, measure)
    for found in (exact, shuffled):
        assert found.beyond_chance
        assert found.difference > found.high > 0
    assert shuffled.difference == pytest.approx(exact.difference)
    assert (constant.p, constant.difference) == (1.0, 0.0)


def test_two_long_evenings_cannot_tell_a_change_from_a_mood():
    artist = np.repeat([0, 1], 50)
    # Two stretches can only be swapped: chance gives the same change half of the time and its opposite else.
    (found,) = shuffled_changes(np.repeat([0, 1], 50), lambda places: np.array([artist[places].mean()]))
    assert found.difference == 1.0
    assert found.p > LEVEL


def test_the_exact_test_wants_its_number_of_plays():
    with pytest.raises(ValueError, match="needs 200 plays, not 199"):
        exact_gini_change(np.zeros(199, np.int64), 3)
