"""What sticks out, on vectors whose strangers are known; what it is worth on sound is in test_real_sounds.py."""

import numpy as np
import pytest

from player.errors import PlayerError
from player.insight.outliers import COMPONENTS, FEWEST, FOLDS, MAD_TO_SIGMA, STRANGE, outliers, strangeness
from player.stations.collection import load_collection

DIMENSION = 60


def near_a_plane(count: int, rng) -> np.ndarray:
    plane = rng.standard_normal((10, DIMENSION))
    return rng.standard_normal((count, 10)) @ plane + 0.1 * rng.standard_normal((count, DIMENSION))


def test_what_leaves_the_plane_of_the_others_is_strange_and_nothing_else_as_much():
    rng = np.random.default_rng(0)
    vectors = near_a_plane(200, rng)
    vectors[[3, 77]] += rng.standard_normal((2, DIMENSION))
    strange = strangeness(vectors.astype(np.float32))
    assert set(np.argsort(-strange)[:2]) == {3, 77}
    assert strange[[3, 77]].min() > 2 * STRANGE
    assert np.median(strange) == pytest.approx(0)


def test_the_measure_is_that_of_a_slow_least_squares_fit():
    vectors = near_a_plane(FEWEST, np.random.default_rng(1))
    distances = []
    for row, vector in enumerate(vectors):
        others = vectors[[other for other in range(len(vectors)) if other % FOLDS != row % FOLDS]]
        mean = others.mean(axis=0)
        axes = np.linalg.svd(others - mean)[2][:COMPONENTS]
        fit = np.linalg.lstsq(axes.T, vector - mean, rcond=None)[0]
        distances.append(np.log(np.linalg.norm(vector - mean - axes.T @ fit)))
    away = np.array(distances) - np.median(distances)
    assert strangeness(vectors) == pytest.approx(away / (MAD_TO_SIGMA * np.median(abs(away))), abs=1e-6)


def test_where_all_is_the_same_nothing_is_strange():
    assert not strangeness(np.ones((FEWEST, DIMENSION), np.float32)).any()


def test_a_small_library_is_told_how_many_tracks_are_needed(demo):
    with pytest.raises(PlayerError, match=f"24 tracks were listened to, and {FEWEST} are needed"):
        outliers(load_collection(demo.database))
