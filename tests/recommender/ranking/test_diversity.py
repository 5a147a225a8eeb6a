import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.ranking.diversity import (
    Pool,
    coverage,
    entropy,
    gini,
    intra_list_distance,
    outlook,
    plays_per_artist,
    repeat_rate,
    report,
)

counts = st.lists(st.integers(0, 50), max_size=12).map(lambda found: np.array(found, np.int64))


def slow_gini(values):
    """Half the mean absolute difference of all pairs, over the mean."""
    if len(values) == 0 or sum(values) == 0:
        return 0.0
    differences = sum(abs(one - other) for one in values for other in values) / len(values) ** 2
    return differences / (2 * sum(values) / len(values))


@given(counts)
def test_gini_is_half_the_mean_difference_over_the_mean(values):
    assert gini(values) == pytest.approx(slow_gini(values.tolist()), abs=1e-12)


def test_gini_knows_equality_and_monopoly():
    assert gini(np.array([3, 3, 3])) == 0
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    assert gini(np.array([5])) == 0
    assert gini(np.empty(0)) == 0


@given(counts)
def test_entropy_is_the_mean_surprise(values):
    total = values.sum()
    slow = -sum(count / total * math.log2(count / total) for count in values.tolist() if count)
    assert entropy(values) == pytest.approx(slow, abs=1e-12)


def test_entropy_of_four_artists_alike_is_two_bits():
    assert entropy(np.array([7, 7, 7, 7])) == pytest.approx(2)
    assert entropy(np.array([9, 0])) == 0


@pytest.mark.parametrize("count", [2, 3, 17])
def test_intra_list_distance_is_the_mean_over_all_pairs(count):
    rows = np.random.default_rng(count).standard_normal((count, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    slow = np.mean([1 - one @ other for one, other in itertools.combinations(rows, 2)])
    assert intra_list_distance(rows.astype(np.float32)) == pytest.approx(slow, abs=1e-6)


def test_intra_list_distance_of_copies_opposites_and_unknowns():
    row = np.array([[0.6, 0.8]], np.float32)
    assert intra_list_distance(np.repeat(row, 4, axis=0)) == pytest.approx(0, abs=1e-6)
    assert intra_list_distance(np.concatenate([row, -row])) == pytest.approx(2, abs=1e-6)
    assert intra_list_distance(np.zeros((3, 2), np.float32)) == 1
    assert intra_list_distance(row) == 0
    assert intra_list_distance(row[:0]) == 0


def test_coverage_counts_each_eligible_track_once():
    eligible = np.array([True, True, True, True, False])
    assert coverage(eligible, np.array([0, 0, 1, 4])) == 0.5
    assert coverage(eligible, np.empty(0, np.int64)) == 0
    assert coverage(np.zeros(5, np.bool_), np.array([1])) == 0


@given(st.lists(st.integers(0, 6), max_size=20), st.integers(1, 25))
def test_repeat_rate_looks_back_over_all_plays(plays, recent):
    seen, repeats = set(), []
    for track in plays:
        repeats.append(track in seen)
        seen.add(track)
    last = repeats[-recent:]
    expected = sum(last) / len(last) if last else 0.0
    assert repeat_rate(np.array(plays, np.int64), recent) == pytest.approx(expected)


def pool(count=12, artists=5, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Pool(vectors, rng.integers(-1, artists, count), rng.random(count) < 0.8)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 11), max_size=40))
@settings(max_examples=100)
def test_plays_per_artist_counts_eligible_artists_with_their_zeros(seed, plays):
    station = pool(seed=seed)
    eligible = {int(a) for a, ok in zip(station.artist, station.eligible, strict=True) if ok}
    played = Counter(int(station.artist[track]) for track in plays)
    expected = [played.get(artist, 0) for artist in sorted(eligible)]
    assert plays_per_artist(station, np.array(plays, np.int64)).tolist() == expected


@given(st.integers(0, 10_000), st.lists(st.integers(0, 11), max_size=40), st.lists(st.integers(0, 11), max_size=8))
@settings(max_examples=100)
def test_every_figure_is_in_its_range_for_any_history(seed, plays, queue):
    found = outlook(pool(seed=seed), np.array(plays, np.int64), np.array(queue, np.int64), recent=10)
    for figures in (found.now, found.after):
        for share in (figures.gini, figures.artist_evenness, figures.coverage, figures.never_played):
            assert 0 <= share <= 1
        assert 0 <= figures.repeat_rate <= 1
        assert 0 <= figures.intra_list_distance <= 2
        assert figures.artist_entropy >= 0


def test_a_report_by_hand():
    vectors = np.eye(4, dtype=np.float32)
    station = Pool(vectors, np.array([0, 0, 1, 2]), np.array([True, True, True, True]))
    found = report(station, np.array([3, 0, 1, 0, 0]), recent=4)
    assert found.gini == pytest.approx(2 / 3)  # 4, 0, 0
    assert found.artist_entropy == 0
    assert found.artist_evenness == 0
    assert found.intra_list_distance == pytest.approx(0.5)  # 3 of 6 pairs are the same track
    assert found.coverage == 0.5
    assert found.never_played == 0.25
    assert found.repeat_rate == 0.5


def test_a_queue_of_new_artists_brings_gini_down_and_coverage_up():
    station = Pool(np.eye(6, dtype=np.float32), np.arange(6), np.ones(6, np.bool_))
    found = outlook(station, np.array([0, 0, 0, 0]), np.array([1, 2, 3]))
    assert found.after.gini < found.now.gini
    assert found.after.coverage > found.now.coverage
    assert found.after.artist_entropy > found.now.artist_entropy
    assert found.after.never_played < found.now.never_played


def test_before_the_first_play_everything_is_defined():
    station = pool()
    found = report(station, np.empty(0, np.int64))
    assert (found.gini, found.artist_entropy, found.artist_evenness, found.intra_list_distance) == (0, 0, 0, 0)
    assert (found.coverage, found.never_played, found.repeat_rate) == (0, 1, 0)


def test_an_empty_library_has_a_report():
    station = Pool(np.empty((0, 4), np.float32), np.empty(0, np.int64), np.empty(0, np.bool_))
    found = report(station, np.empty(0, np.int64))
    assert (found.gini, found.coverage, found.never_played) == (0, 0, 0)


def test_one_artist_alone_is_played_as_evenly_as_can_be():
    station = Pool(np.eye(2, dtype=np.float32), np.zeros(2, np.int64), np.ones(2, np.bool_))
    found = report(station, np.array([0, 1]))
    assert (found.gini, found.artist_evenness) == (0, 1)
