import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from recommender.models.online_update import Prior, fit_head


def clusters(sizes=(20, 20, 20), dimensions=16, seed=0):
    """Unit vectors around orthogonal directions, cluster after cluster."""
    rng = np.random.default_rng(seed)
    centres = np.eye(dimensions)[: len(sizes)]
    vectors = np.repeat(centres, sizes, axis=0) + 0.15 * rng.standard_normal((sum(sizes), dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def fit(features, labels, weights=None, offset=None, **options):
    count = len(features)
    return fit_head(
        features,
        np.asarray(labels),
        np.ones(count) if weights is None else np.asarray(weights),
        np.zeros(count) if offset is None else np.asarray(offset),
        **options,
    )


def slow_head(features, labels, weights, offset, prior):
    """The objective as written, handed to a general minimiser."""

    def loss(solution):
        logits = offset + features @ solution[:-1] + solution[-1]
        likelihood = np.sum(weights * np.log1p(np.exp(-labels * logits)))
        return (
            likelihood
            + solution[:-1] @ solution[:-1] / (2 * prior.weight_variance)
            + solution[-1] ** 2 / (2 * prior.bias_variance)
        )

    return minimize(loss, np.zeros(features.shape[1] + 1), method="BFGS", options={"gtol": 1e-7}).x


@pytest.mark.parametrize("seed", range(4))
def test_the_head_is_the_minimum_of_its_objective(seed):
    rng = np.random.default_rng(seed)
    features, labels = rng.standard_normal((30, 5)), rng.choice([-1, 1], 30)
    weights, offset = rng.random(30), rng.standard_normal(30)
    prior = Prior(weight_variance=2.0, bias_variance=0.5)
    head = fit(features, labels, weights, offset, prior=prior)
    expected = slow_head(features, labels, weights, offset, prior)
    assert np.append(head.weights, head.bias) == pytest.approx(expected, abs=1e-4)


def test_a_dislike_spreads_to_what_sounds_alike():
    tracks = clusters()
    moved = fit(tracks[:1], [-1]).contribution(tracks)
    assert moved[:20].mean() < -0.5
    assert moved[:20].max() < moved[20:].min()
    assert abs(moved[20:].mean()) < 0.25


def test_one_thumb_up_raises_its_own_track_by_about_a_logit():
    tracks = clusters()
    moved = fit(tracks[:1], [1]).contribution(tracks[:1])
    assert 0.8 < moved[0] < 1.5


def test_more_dislikes_of_a_kind_move_it_further():
    tracks = clusters()
    means = [fit(tracks[:count], [-1] * count).contribution(tracks[:20]).mean() for count in (1, 3, 10)]
    assert means[0] > means[1] > means[2]


def test_a_weak_label_moves_less_than_a_strong_one():
    tracks = clusters()
    strong = fit(tracks[:1], [-1], weights=[1.0]).contribution(tracks[:1])[0]
    weak = fit(tracks[:1], [-1], weights=[0.2]).contribution(tracks[:1])[0]
    assert strong < weak < 0


def test_what_the_models_knew_already_teaches_little():
    tracks = clusters()
    expected = fit(tracks[:1], [-1], offset=[-4.0]).contribution(tracks[:1])[0]
    surprising = fit(tracks[:1], [-1], offset=[4.0]).contribution(tracks[:1])[0]
    assert abs(expected) < 0.1
    assert surprising < -1


def test_without_labels_the_head_is_the_prior():
    tracks = clusters()
    head = fit(tracks[:0], np.empty(0, np.int64))
    assert not head.contribution(tracks).any()
    assert head.variance(tracks) == pytest.approx(np.full(60, 4.25), rel=1e-5)


def test_labels_of_zero_are_without_effect():
    tracks = clusters()
    with_zero = fit(tracks[:3], [1, 0, -1])
    without = fit(tracks[[0, 2]], [1, -1])
    assert with_zero.weights == pytest.approx(without.weights, abs=1e-9)


def test_influences_add_up_to_the_contribution():
    tracks = clusters()
    labels = np.where(np.arange(60) % 3 == 0, -1, 1)
    head = fit(tracks, labels)
    for track in tracks[::7]:
        assert head.influences(tracks, track).sum() == pytest.approx(head.contribution(track[None])[0], abs=1e-4)


def test_a_liked_track_of_the_same_kind_speaks_loudest_for_a_track():
    tracks = clusters()
    head = fit(tracks[[0, 20, 40]], [1, 1, -1])
    influences = head.influences(tracks[[0, 20, 40]], tracks[5])
    assert influences.argmax() == 0
    assert influences[0] > 0.5


def test_variance_is_small_where_there_are_labels_and_that_of_the_full_matrix():
    tracks = clusters().astype(np.float64)
    head = fit(tracks[:10], [1, -1] * 5)
    variance = head.variance(tracks)
    assert variance[:20].max() < variance[20:].min()
    design = np.column_stack([tracks, np.ones(60)])
    slow = [row @ head.covariance @ row for row in design]
    assert variance == pytest.approx(slow, rel=1e-9)


def test_a_warm_start_ends_at_the_same_head():
    tracks = clusters()
    labels = np.where(np.arange(60) < 30, 1, -1)
    earlier = fit(tracks[:50], labels[:50])
    assert fit(tracks, labels, start=earlier).weights == pytest.approx(fit(tracks, labels).weights, abs=1e-7)


def test_a_start_of_another_size_is_passed_over():
    tracks = clusters()
    other = fit(clusters(dimensions=4)[:1], [1])
    assert fit(tracks[:1], [1], start=other).weights == pytest.approx(fit(tracks[:1], [1]).weights, abs=1e-7)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 100.0, 1e4]))
@settings(max_examples=60, deadline=None)
def test_extreme_offsets_features_and_conflicting_labels_stay_finite(seed, size):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 20))
    features = np.repeat(rng.standard_normal((count, 3)) * size, 2, axis=0)
    labels = np.tile([1, -1], count)
    head = fit(features, labels, rng.random(2 * count), rng.standard_normal(2 * count) * size)
    assert np.isfinite(head.contribution(features)).all()
    assert (head.variance(features) >= 0).all()


def test_arguments_that_do_not_fit_are_named():
    tracks = clusters()
    with pytest.raises(ValueError, match="labels has 2 rows, features has 3"):
        fit(tracks[:3], [1, 1])
    with pytest.raises(ValueError, match="features must be finite"):
        fit(np.full((1, 3), np.nan), [1])
