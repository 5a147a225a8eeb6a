import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.evaluation import metrics

counts = st.lists(st.integers(0, 5), max_size=12).map(np.array)
scores = st.lists(st.integers(-3, 3), min_size=1, max_size=12).map(lambda values: np.array(values, np.float32))


@pytest.mark.slow
@given(st.lists(st.integers(-3, 3), max_size=8), st.lists(st.integers(-3, 3), max_size=8))
def test_pair_auc_equals_counting_pairs(positive, negative):
    pairs = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
    expected = pytest.approx(np.mean(pairs)) if pairs else None
    assert metrics.pair_auc(np.array(positive), np.array(negative)) == expected


@pytest.mark.slow
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


@pytest.mark.slow
@given(scores, st.data())
def test_full_rank_is_the_mean_place_over_orders_of_ties(values, data):
    target = data.draw(st.integers(0, len(values) - 1))
    places = [
        1 + sum(values[other] > values[target] or (values[other] == values[target] and beaten) for other in others)
        for beaten in (True, False)
        for others in [[i for i in range(len(values)) if i != target]]
    ]
    assert metrics.full_rank(values, target) == pytest.approx(np.mean(places))


@pytest.mark.slow
@given(st.permutations(range(12)), st.sets(st.integers(0, 11), max_size=12), st.integers(1, 12))
def test_ndcg_equals_walking_down_the_list(order, relevant, k):
    values = np.empty(12, np.float32)
    values[list(order)] = np.arange(12, 0, -1)
    gain = sum(1 / np.log2(2 + place) for place, track in enumerate(order[:k]) if track in relevant)
    ideal = sum(1 / np.log2(2 + place) for place in range(min(k, len(relevant))))
    expected = pytest.approx(gain / ideal) if relevant else None
    assert metrics.ndcg_of_ranks(metrics.full_ranks(values, np.array(sorted(relevant), np.int64)), k) == expected


@pytest.mark.slow
@given(counts)
def test_gini_is_half_the_relative_mean_difference(values):
    if len(values) == 0 or values.sum() == 0:
        assert metrics.gini(values) is None
        return
    differences = [abs(a - b) for a in values for b in values]
    assert metrics.gini(values) == pytest.approx(np.mean(differences) / (2 * values.mean()))


@pytest.mark.slow
@given(counts)
def test_coverage_and_entropy_equal_their_definitions(values):
    assert metrics.coverage(values) == (pytest.approx(np.mean(values > 0)) if len(values) else None)
    total = values.sum() if len(values) else 0
    bits = sum(-v / total * np.log2(v / total) for v in values if v) if total else None
    assert metrics.entropy(values) == (None if bits is None else pytest.approx(bits, abs=1e-12))


@pytest.mark.slow
@given(scores, st.integers(0, 15))
def test_top_lists_the_best_first_and_equals_in_order(values, k):
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert metrics.top(values, k).tolist() == expected


@pytest.mark.slow
@given(st.lists(st.integers(1, 30), max_size=9, unique=True), st.integers(1, 12))
def test_hit_rate_and_recall_equal_looking_at_the_first_places(ranks, k):
    found = [rank for rank in ranks if rank in range(1, k + 1)]
    array = np.array(ranks, float)
    assert metrics.hit_rate_of_ranks(array, k) == (float(len(found) > 0) if ranks else None)
    assert metrics.recall_of_ranks(array, k) == (pytest.approx(len(found) / len(ranks)) if ranks else None)


@pytest.mark.slow
@given(scores, st.data())
def test_full_ranks_are_each_targets_full_rank(values, data):
    targets = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=6))
    expected = [metrics.full_rank(values, target) for target in targets]
    assert metrics.full_ranks(values, np.array(targets, np.int64)).tolist() == expected


@pytest.mark.slow
@given(st.integers(0, 500), st.integers(0, 6))
def test_intra_list_distance_is_the_mean_over_pairs_of_known_sound(seed, length):
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(8, 3)).astype(np.float32)
    content[1], content[2, 0] = 0.0, np.nan
    tracks = rng.permutation(8)[:length]
    known = [content[t].astype(float) for t in tracks if t not in (1, 2)]
    gaps = [1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for i, a in enumerate(known) for b in known[i + 1 :]]
    expected = pytest.approx(np.mean(gaps), abs=1e-5) if gaps else None
    assert metrics.intra_list_distance(metrics.unit_vectors(content), tracks) == expected


@pytest.mark.slow
@given(counts, st.data())
def test_novelty_is_the_mean_surprise_of_a_list(values, data):
    if len(values) == 0:
        assert len(metrics.self_information(values)) == 0
        return
    tracks = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=5))
    shares = [(count + 1) / sum(other + 1 for other in values) for count in values]
    expected = pytest.approx(-sum(np.log2(shares[t]) for t in tracks) / len(tracks)) if tracks else None
    assert metrics.novelty(metrics.self_information(values), np.array(tracks, np.int64)) == expected


@pytest.mark.slow
@given(st.lists(st.integers(-3, 4), min_size=1, max_size=10))
def test_artist_spread_counts_artists_and_all_unknown_as_one(artists):
    tracks = np.arange(len(artists))
    expected = len({max(artist, -1) for artist in artists}) / len(artists)
    assert metrics.artist_spread(np.array(artists), tracks) == pytest.approx(expected)
    assert metrics.artist_spread(np.array(artists), tracks[:0]) is None


@pytest.mark.slow
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_the_binary_metrics_equal_their_cells(answers):
    called, liked = (np.array([row[i] for row in answers], bool) for i in (0, 1))
    tp, fp = answers.count((True, True)), answers.count((True, False))
    fn, tn = answers.count((False, True)), answers.count((False, False))
    for function, part, whole in (
        (metrics.accuracy, tp + tn, len(answers)),
        (metrics.precision, tp, tp + fp),
        (metrics.recall, tp, tp + fn),
        (metrics.false_positive_rate, fp, fp + tn),
    ):
        assert function(called, liked) == (pytest.approx(part / whole) if whole else None)


def sums_of(p, liked, bins=metrics.BINS):
    inside = metrics.bin_of(p, bins)[:, None] == np.arange(bins)
    return np.stack([inside.sum(0), inside.T @ p, inside.T @ liked.astype(float)], axis=1).astype(float)


probabilities = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30)


@pytest.mark.slow
@given(probabilities, st.integers(1, 12))
def test_the_calibration_error_equals_its_definition(rows, bins):
    p, liked = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], bool)
    sums = sums_of(p, liked, bins)
    if not rows:
        assert metrics.ece_of_sums(sums) is None
        assert metrics.bins_of_sums(sums) == ()
        return
    gap = 0.0
    for each in range(bins):
        inside = [row for row in rows if min(int(row[0] * bins), bins - 1) == each]
        if inside:
            promised, came = np.mean([row[0] for row in inside]), np.mean([row[1] for row in inside])
            gap += len(inside) / len(rows) * abs(promised - came)
    assert metrics.ece_of_sums(sums) == pytest.approx(gap)
    assert sum(each.rows for each in metrics.bins_of_sums(sums)) == len(rows)


def test_a_forecaster_that_keeps_its_word_has_no_calibration_error():
    p = np.repeat([0.2, 0.8], 10)
    liked = np.array([True] * 2 + [False] * 8 + [True] * 8 + [False] * 2)
    assert metrics.ece_of_sums(sums_of(p, liked)) == pytest.approx(0.0, abs=1e-12)
    assert metrics.ece_of_sums(sums_of(1 - p, liked)) == pytest.approx(0.6)
    low, high = metrics.bins_of_sums(sums_of(p, liked))
    assert (low.promised, low.came, high.promised, high.came) == pytest.approx((0.2, 0.2, 0.8, 0.8))
