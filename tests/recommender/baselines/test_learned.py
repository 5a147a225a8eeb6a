"""Baselines that learn from everybody, against slow and obvious versions."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.baselines import Context, build
from recommender.baselines import factorisation as mf
from recommender.baselines.ease import GAIN, RIDGE, Ease
from recommender.baselines.factors import ALS_RIDGE, CONFIDENCE
from recommender.baselines.feedback import PRIOR_ROWS, Biases, LabelMatrix, most_frequent, net_of
from recommender.baselines.neighbours import SHRINKAGE
from recommender.baselines.next_and_liking import NextAndLiking
from recommender.baselines.stacked import _weigh

TRACKS, LISTENERS = 14, 25


@pytest.fixture(scope="module")
def log(make_log):
    rng = np.random.default_rng(4)
    rows = [
        (listener, 0, track, time, 1 if rng.random() < 0.35 + 0.3 * (listener % 2 == track % 2) else -1)
        for time, (listener, track) in enumerate(
            zip(rng.integers(LISTENERS, size=160), rng.integers(TRACKS, size=160), strict=True)
        )
    ]
    return make_log(rows, tracks=TRACKS)


def context_of(log, listener):
    return Context(listener, 0, 1e6, log.where(log.listener == listener))


def opinions(log):
    """Net opinion (listeners, tracks), one cell at a time."""
    table = np.zeros((LISTENERS, TRACKS))
    for listener, track, label in zip(log.listener, log.track, log.label, strict=True):
        table[listener, track] += label
    return np.clip(table, -1.0, 1.0)


def test_net_opinions_are_the_labels_summed_and_cut(log):
    assert np.array_equal(np.asarray(LabelMatrix.of(log).net().todense()), opinions(log))
    assert np.array_equal(net_of(log.where(log.listener == 3)), opinions(log)[3])


def test_the_most_frequent_tracks_are_kept_in_rising_order():
    track = np.array([5, 5, 5, 1, 1, 3, 3, 0])
    assert most_frequent(track, 7, most=10).tolist() == [0, 1, 3, 5]
    assert most_frequent(track, 7, most=3).tolist() == [1, 3, 5]
    assert most_frequent(track[:0], 7, most=3).tolist() == []


def test_biases_solve_their_ridge_equations(log):
    labels = LabelMatrix.of(log)
    found = Biases.fit(labels)
    design = np.zeros((len(labels), TRACKS + LISTENERS))
    design[np.arange(len(labels)), labels.track] = 1.0
    design[np.arange(len(labels)), TRACKS + labels.listener] = 1.0
    left = design.T @ design + PRIOR_ROWS * np.eye(TRACKS + LISTENERS)
    exact = np.linalg.solve(left, design.T @ (labels.sign - labels.mean))
    assert found.track == pytest.approx(exact[:TRACKS], abs=1e-3)
    own = LabelMatrix.of(log.where(log.listener == 2))
    assert found.of_listener(own) == pytest.approx(exact[TRACKS + 2], abs=1e-3)


@pytest.mark.parametrize("name", ["ease", "ease-signed"])
def test_ease_is_the_best_map_that_leaves_a_track_out_of_its_own_estimate(name, log):
    matrix = opinions(log)
    if name == "ease":
        matrix = np.zeros((LISTENERS, TRACKS))
        matrix[log.listener[log.label > 0], log.track[log.label > 0]] = 1.0
    column_by_column = np.zeros((TRACKS, TRACKS))
    for track in range(TRACKS):  # ridge regression of each track on all others, which is what the closed form solves
        others = np.setdiff1d(np.arange(TRACKS), [track])
        x = matrix[:, others]
        column_by_column[others, track] = np.linalg.solve(x.T @ x + RIDGE * np.eye(len(others)), x.T @ matrix[:, track])
    recommender = build(name)
    recommender.fit(log)
    expected = matrix[6] @ column_by_column
    if name == "ease-signed":
        biases = Biases.fit(LabelMatrix.of(log))
        own = LabelMatrix.of(log.where(log.listener == 6))
        expected = biases.mean + biases.of_listener(own) + biases.track + GAIN * expected
    assert recommender.score(context_of(log, 6)) == pytest.approx(expected, abs=1e-5)


def test_ease_keeps_the_most_frequent_tracks_of_a_large_catalogue(log):
    recommender = Ease(most_tracks=5)
    recommender.fit(log)
    kept = most_frequent(log.track, TRACKS, 5)
    scores = recommender.score(context_of(log, 1))
    assert np.flatnonzero(scores).tolist() == [track for track in kept if scores[track]]
    assert set(np.flatnonzero(scores)) <= set(kept.tolist())


def test_item_neighbours_weigh_opinions_by_the_shrunken_cosine(log):
    biases, labels = Biases.fit(LabelMatrix.of(log)), LabelMatrix.of(log)
    said = np.zeros((LISTENERS, TRACKS))
    np.add.at(said, (labels.listener, labels.track), labels.sign - biases.mean - biases.track[labels.track])
    own = LabelMatrix.of(log.where(log.listener == 6))
    level = biases.mean + biases.of_listener(own)
    expected = level + biases.track.copy()
    for track in range(TRACKS):
        for other, sign in zip(own.track, own.sign, strict=True):
            if other != track:
                product = said[:, track] @ said[:, other]
                length = np.linalg.norm(said[:, track]) * np.linalg.norm(said[:, other])
                expected[track] += 0.3 * max(0.0, product / (length + SHRINKAGE)) * (sign - level - biases.track[other])
    recommender = build("item-knn")
    recommender.fit(log)
    assert recommender.score(context_of(log, 6)) == pytest.approx(expected, abs=1e-5)


def test_als_places_a_listener_where_the_weighted_squares_are_least(log):
    recommender = build("als", seed=1)
    recommender.fit(log)
    items, opinion = recommender._items.astype(np.float64), opinions(log)[6]
    confidence = 1.0 + CONFIDENCE * np.abs(opinion)
    left = items.T @ np.diag(confidence) @ items + ALS_RIDGE * np.eye(items.shape[1])
    taste = np.linalg.solve(left, items.T @ (confidence * (opinion > 0)))
    assert recommender.score(context_of(log, 6)) == pytest.approx(items @ taste, abs=1e-4)


def test_bpr_learns_a_clear_order(make_log):
    rows = [
        (listener, 0, listener % 2 * 4 + track, listener * 4 + track, 1) for listener in range(20) for track in range(4)
    ]
    recommender = build("bpr", seed=1)
    recommender.fit(make_log(rows, tracks=8))
    scores = recommender.score(context_of(make_log(rows, tracks=8), 1))
    assert scores[4:].min() > scores[:4].max()


@pytest.mark.parametrize("uncertain", [False, True])
def test_one_step_of_a_factorisation_is_a_ridge_regression_row_by_row(uncertain):
    rng = np.random.default_rng(0)
    rows, columns, width = 6, 9, 4
    from scipy.sparse import csr_matrix

    weight = rng.random((rows, columns)) * (rng.random((rows, columns)) < 0.6)
    label = rng.normal(size=(rows, columns))
    root = rng.normal(size=(columns, width, width)) * 0.3
    covariance = root @ root.transpose(0, 2, 1) if uncertain else np.zeros((columns, width, width))
    other = mf.Side(rng.normal(size=(columns, width)), covariance)
    precision = np.array([3.0, 2.0, 2.0, 2.0])
    found = mf.regress(csr_matrix(weight), csr_matrix(weight * label), other, precision, 0.5, posterior=True)
    draws = _spread(other)
    for row in range(rows):
        left, right = np.diag(precision), np.zeros(width)
        for column in range(columns):
            for bias, *factors in draws[column]:  # an uncertain side: the mean over what it may be
                x = np.array([1.0, *factors])
                left = left + weight[row, column] / 0.5 * np.outer(x, x) / len(draws[column])
                right = right + weight[row, column] / 0.5 * x * (label[row, column] - bias) / len(draws[column])
        assert found.mean[row] == pytest.approx(np.linalg.solve(left, right), abs=1e-8)
        assert found.covariance[row] == pytest.approx(np.linalg.inv(left), abs=1e-8)


def _spread(side):
    """Points with exactly the mean and covariance of each row: mean ± √n times the columns of a root."""
    points = []
    for mean, covariance in zip(side.mean, side.covariance, strict=True):
        values, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0) * len(mean))
        points.append(np.concatenate([mean + root.T, mean - root.T]))
    return points


@pytest.mark.slow
@pytest.mark.parametrize("name", ["biased-mf", "vb-mf"])
def test_a_factorisation_finds_a_taste_that_it_was_made_of(name, make_log):
    rng = np.random.default_rng(2)
    taste, character, liked_by_all = rng.normal(size=150), rng.normal(size=60), rng.normal(size=60)
    listener, track = rng.integers(150, size=6000), rng.integers(60, size=6000)
    label = np.sign(liked_by_all[track] + 1.5 * taste[listener] * character[track] + 0.5 * rng.normal(size=6000))
    log = make_log(list(zip(listener, np.zeros(6000), track, range(6000), label, strict=True)), tracks=60)
    recommender = build(name, seed=1)
    recommender.fit(log)
    truth = np.array([liked_by_all + 1.5 * taste[u] * character for u in range(30)])
    found = np.array([recommender.score(context_of(log, u)) for u in range(30)])
    assert np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(truth, found, strict=True)]) > 0.85


def test_the_uncertainty_of_little_data_draws_estimates_to_the_mean(make_log):
    rng = np.random.default_rng(2)
    few = [(u, 0, t, u * 9 + i, rng.choice([-1, 1])) for u in range(30) for i, t in enumerate(rng.permutation(9)[:3])]
    log = make_log(few, tracks=9)
    spread = []
    for name in ("biased-mf", "vb-mf"):
        recommender = build(name)
        recommender.fit(log)
        scores = np.array([recommender.score(context_of(log, u)) for u in range(30)])
        spread.append((scores - scores.mean()).std())
    assert spread[1] <= spread[0] + 1e-9


def test_a_part_that_knows_is_weighed_above_one_that_guesses_or_is_wrong():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=600)
    label = np.where(truth + 0.5 * rng.normal(size=600) > 0, 1, -1).astype(np.int8)
    columns = np.stack([rng.normal(size=600), truth, -truth + 0.1 * rng.normal(size=600)], axis=1)
    intercept, weights = _weigh(columns, label, np.ones(600, np.float32))
    assert weights[1] > 1.0 > weights[0] >= 0.0
    assert weights[2] == 0.0
    assert abs(intercept) < 0.5


def test_the_stack_explains_itself_by_its_parts(log):
    recommender = build("stacked", seed=1)
    recommender.fit(log)
    text = recommender.explain(context_of(log, 3), 5)
    numbers = [float(word.strip(",")) for word in text.split() if word[0] in "+-"]
    assert sum(numbers) == pytest.approx(float(recommender.score(context_of(log, 3))[5]), abs=0.03)


def test_what_comes_next_and_what_is_liked_add_up_and_late_opinions_count_most(log):
    context = context_of(log, 3)
    last = context.history.first(len(context.history) - 1)
    scores = {}
    for half_life in (np.inf, 1.0):
        recommender = NextAndLiking(
            "both", build("vb-mf", seed=1), odds=2.0, appeal=7.0, half_life=half_life, dislikes=0.5
        )
        recommender.fit(log)
        following, liked = recommender._parts(context)
        odds = 2.0 * build_fitted("vb-mf", log).score(context)
        assert liked == pytest.approx(7.0 * -np.logaddexp(0.0, -odds), abs=1e-5)
        assert recommender.score(context) == pytest.approx(following + liked, abs=1e-4)
        moved = following - recommender._parts(replace(context, history=last))[0]
        scores[half_life] = np.abs(moved).sum() / np.abs(following).sum()
    assert scores[1.0] > 2.0 * scores[np.inf]


def build_fitted(name, log):
    recommender = build(name, seed=1)
    recommender.fit(log)
    return recommender
