import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recommender.evaluation.statistics import friedman, holm, paired_bootstrap, rank_biserial, wilcoxon_holm

tables = st.integers(0, 1000).map(lambda seed: np.random.default_rng(seed).integers(0, 4, size=(9, 3)).astype(float))


def mid_ranks(values):
    return np.array([np.sum(values < value) + (np.sum(values == value) + 1) / 2 for value in values])


@pytest.mark.slow
@given(tables)
def test_friedman_equals_its_formula_with_ties(values):
    blocks, treatments = values.shape
    ranks = np.stack([mid_ranks(row) for row in values])
    spread = ((ranks - (treatments + 1) / 2) ** 2).sum()
    test = friedman(values)
    if spread == 0:
        assert (test.chi2, test.p, test.kendall_w) == (0.0, 1.0, 0.0)
        return
    sums = ((ranks.sum(axis=0) - blocks * (treatments + 1) / 2) ** 2).sum()
    assert test.chi2 == pytest.approx((treatments - 1) * sums / spread)
    assert test.kendall_w == pytest.approx(test.chi2 / (blocks * (treatments - 1)))
    assert 0.0 <= test.kendall_w <= 1.0 + 1e-12
    assert test.p == pytest.approx(stats.chi2.sf(test.chi2, test.degrees))


def test_full_agreement_has_a_kendall_w_of_one():
    test = friedman(np.arange(10.0)[:, None] + np.array([0.0, 1.0, 2.0]))
    assert test.kendall_w == pytest.approx(1.0)
    assert test.blocks == 10


def test_listeners_without_every_value_are_left_out_of_the_tests():
    values = np.random.default_rng(0).normal(size=(20, 3))
    values[3, 1] = np.nan
    complete = np.delete(values, 3, axis=0)
    assert friedman(values) == friedman(complete)
    assert wilcoxon_holm(values, "abc") == wilcoxon_holm(complete, "abc")


def exact_p(difference):
    """Share of all sign patterns whose sum of ranks is at least as far from the middle."""
    ranks = mid_ranks(np.abs(difference))
    observed = abs((ranks * np.sign(difference)).sum())
    sums = [abs((ranks * signs).sum()) for signs in product((-1, 1), repeat=len(ranks))]
    return np.mean(np.array(sums) >= observed - 1e-9)


@pytest.mark.slow
@given(st.integers(0, 200))
def test_wilcoxon_equals_all_sign_patterns(seed):
    values = np.random.default_rng(seed).normal(size=(8, 2))
    (pair,) = wilcoxon_holm(values, ["first", "second"])
    assert pair.p == pair.p_holm == pytest.approx(exact_p(values[:, 0] - values[:, 1]))
    assert (pair.first, pair.second, pair.blocks, pair.zeros) == ("first", "second", 8, 0)


def test_equal_treatments_are_no_difference_and_zeros_weaken_one():
    same = np.tile(np.arange(10.0)[:, None], (1, 2))
    (pair,) = wilcoxon_holm(same, "ab")
    assert (pair.p, pair.effect, pair.zeros) == (1.0, 0.0, 10)
    clear = np.stack([np.arange(1.0, 11.0), np.zeros(10)], axis=1)
    weak = np.concatenate([clear, np.zeros((20, 2))])
    (strong,), (weaker,) = wilcoxon_holm(clear, "ab"), wilcoxon_holm(weak, "ab")
    assert strong.p < weaker.p
    assert strong.effect == 1.0 > weaker.effect > 0.0
    assert weaker.zeros == 20


@given(tables)
def test_the_rank_biserial_is_the_ranks_for_minus_the_ranks_against(values):
    difference = values[:, 0] - values[:, 1]
    ranks = mid_ranks(np.abs(difference))
    expected = sum(r if d > 0 else -r if d < 0 else 0 for r, d in zip(ranks, difference, strict=True)) / ranks.sum()
    assert rank_biserial(values[:, 0], values[:, 1]) == pytest.approx(expected)
    assert rank_biserial(values[:, 1], values[:, 0]) == pytest.approx(-expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_equals_stepping_down(p):
    expected = [
        min(1.0, max((len(p) - k) * value for k, value in enumerate(sorted(p)) if k <= sorted(p).index(each)))
        for each in p
    ]
    corrected = holm(np.array(p))
    assert corrected == pytest.approx(expected)
    assert np.all(corrected >= np.array(p) - 1e-12)


def test_too_few_listeners_or_treatments_give_a_sentence_and_no_number():
    few, two = np.zeros((5, 3)), np.zeros((9, 2))
    assert "there are 5" in friedman(few)
    assert "3 treatments" in friedman(two)
    assert "there are 5" in wilcoxon_holm(few, "abc")
    assert "two treatments" in wilcoxon_holm(np.zeros((9, 1)), "a")
    assert "there are 3" in paired_bootstrap(np.arange(9.0), np.array([1.0] * 3 + [np.nan] * 6))
    with pytest.raises(ValueError, match="2 names for 3"):
        wilcoxon_holm(few, "ab")


def test_the_paired_bootstrap_is_surer_than_two_intervals_apart():
    rng = np.random.default_rng(0)
    skill = rng.normal(size=60)  # what the listeners differ by, far more than the models do
    first, second = skill + 0.2 + rng.normal(scale=0.2, size=60), skill
    gap = paired_bootstrap(first, second)
    assert gap.mean == pytest.approx(np.mean(first - second))
    assert 0 < gap.low < gap.mean < gap.high < 0.4
    assert gap.probability_better == 1.0
    assert paired_bootstrap(second, first).probability_better == 0.0
    assert paired_bootstrap(first, first).probability_better == 0.5
    assert paired_bootstrap(first, second) == gap != paired_bootstrap(first, second, seed=1)


@pytest.mark.slow
def test_the_paired_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        values = rng.normal(size=(40, 2)) + np.array([0.3, 0.0])
        gap = paired_bootstrap(values[:, 0], values[:, 1], resamples=300, seed=trial)
        covered += gap.low <= 0.3 <= gap.high
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.slow
def test_importing_the_library_loads_neither_scipy_nor_torch_and_the_names_alone_no_numpy():
    def loaded(code):
        code += "; import sys; print([m for m in ('numpy', 'scipy', 'torch', 'implicit') if m in sys.modules])"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert loaded("import recommender.evaluation.protocol, recommender.evaluation.verdict") == "['numpy']"
    assert loaded("from recommender.evaluation.metric_names import Measure; Measure.GINI.key") == "[]"
    assert loaded("import recommender.evaluation.statistics, recommender.evaluation.metrics") == "['numpy']"
