"""Pictures on disk: real PNG files, the same bytes for the same figures."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.experiments.figures import Line, Point, _apart, draw_intervals, draw_points

pytestmark = pytest.mark.slow

LINES = [Line("like-rate", 0.75, 0.7, 0.8), Line("random", 0.5, None, None)]
POINTS = [Point("one", 0.2, 0.5), Point("two", 0.9, 0.75), Point("three", 0.9, 0.75)]


def pixels(path):
    from matplotlib.image import imread

    return imread(path)


@pytest.mark.parametrize(
    "draw",
    [
        lambda path: draw_intervals(LINES, "pair AUC", path, 0.5),
        lambda path: draw_points(POINTS, "Gini", "pair AUC", path),
        lambda path: draw_points(POINTS[:1], "Gini", "pair AUC", path),
    ],
)
def test_a_picture_is_a_png_with_ink_and_the_same_every_time(tmp_path, draw):
    for name in ("first.png", "second.png"):
        draw(tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    assert np.ptp(pixels(tmp_path / "first.png")[..., :3]) > 0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).map(sorted))
def test_names_beside_a_plane_keep_their_distance_and_their_order(heights):
    moved = _apart(heights, 0.04)
    assert len(moved) == len(heights)
    assert all(above - below > 0.04 - 1e-9 for below, above in pairwise(moved))
    assert max(moved) <= 1.0
