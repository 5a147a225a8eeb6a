import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.evaluation import metrics

counts = st.lists(st.integers(0, 5), max_size=12).map(np.array)
scores = st.lists(st.integers(-3, 3), min_size=1, max_size=12).map(lambda values: np.array(values, np.float32))


@given(st.lists(st.integers(-3, 3), max_size=8), st.lists(st.integers(-3, 3), max_size=8))
def test_pair_auc_equals_counting_pairs(positive, negative):
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    expected = pytest.approx(np.mean(pairs)) if pairs else None
    assert metrics.pair_auc(np.array(positive), np.array(negative)) == expected


@given(st.integers(2, 7), st.integers(0, 1000))
def test_same_state_wins_score_both_tracks_before_the_earlier_event(size, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 3, size=(size, size)).astype(np.float32)
    label = np.where(rng.random(size) < 0.5, 1, -1).astype(np.int8)
    wins = metrics.same_state_wins(table, label)
    for row, plus in enumerate(np.flatnonzero(label > 0)):
        for column, minus in enumerate(np.flatnonzero(label < 0)):
            state = table[min(plus, minus)]
            expected = 1.0 if state[plus] > state[minus] else 0.5 if state[plus] == state[minus] else 0.0
            assert wins[row, column] == expected


@given(scores, st.data())
def test_full_rank_is_the_mean_place_over_orders_of_ties(values, data):
    target = data.draw(st.integers(0, len(values) - 1))
    places = [
        1 + sum(values[other] > values[target] or (values[other] == values[target] and beaten) for other in others)
        for beaten in (True, False)
        for others in [[i for i in range(len(values)) if i != target]]
    ]
    assert metrics.full_rank(values, target) == pytest.approx(np.mean(places))
    assert metrics.reciprocal_rank(values, target) == pytest.approx(1 / np.mean(places))


@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=12), st.integers(1, 12))
def test_ndcg_equals_walking_down_the_list(order, relevant, k):
    values = np.empty(12, np.float32)
    values[list(order)] = np.arange(12, 0, -1)
    gain = sum(1 / np.log2(2 + place) for place, track in enumerate(order[:k]) if track in relevant)
    ideal = sum(1 / np.log2(2 + place) for place in range(min(k, len(relevant))))
    expected = pytest.approx(gain / ideal) if relevant else None
    assert metrics.ndcg(values, np.array(sorted(relevant), np.int64), k) == expected


@given(counts)
def test_gini_is_half_the_relative_mean_difference(values):
    if len(values) == 0 or values.sum() == 0:
        assert metrics.gini(values) is None
        return
    differences = [abs(a - b) for a in values for b in values]
    assert metrics.gini(values) == pytest.approx(np.mean(differences) / (2 * values.mean()))


@given(counts)
def test_coverage_and_entropy_equal_their_definitions(values):
    assert metrics.coverage(values) == (pytest.approx(np.mean(values > 0)) if len(values) else None)
    total = values.sum() if len(values) else 0
    bits = sum(-v / total * np.log2(v / total) for v in values if v) if total else None
    assert metrics.entropy(values) == (None if bits is None else pytest.approx(bits, abs=1e-12))


@given(scores, st.integers(0, 15))
def test_top_lists_the_best_first_and_equals_in_order(values, k):
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert metrics.top(values, k).tolist() == expected
