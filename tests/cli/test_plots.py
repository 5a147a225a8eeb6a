"""Intervals, bars and curves in the characters of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.cli.plots import bar, blocks, interval_line

SHARES = st.floats(0, 1)


def test_an_interval_stands_where_it_lies_on_the_axis():
    assert interval_line(0.25, 0.5, 0.75, 0.0, 1.0, 9) == "  ├─●─┤  "
    assert interval_line(None, 1.0, None, 0.0, 1.0, 5) == "    ●"
    assert interval_line(0.5, 0.5, 0.5, 0.5, 0.5, 5).count("●") == 1


@pytest.mark.slow
@given(st.lists(SHARES, min_size=3, max_size=3).map(sorted), SHARES, SHARES, st.integers(1, 60))
def test_an_interval_always_fills_its_width(bounds, start, end, width):
    line = interval_line(bounds[0], bounds[1], bounds[2], start, end, width)
    assert len(line) == width
    assert line.count("●") == 1


def test_an_axis_of_hardly_any_length_has_its_ends():
    assert interval_line(0.0, 0.0, 1.0, 0.0, 2.2e-309, 5) == "●───┤"


@given(SHARES, st.integers(1, 40))
def test_a_bar_is_as_long_as_its_share_to_an_eighth(share, width):
    drawn = bar(share, width)
    assert len(drawn) == width
    assert abs(drawn.count("█") - share * width) <= 1.0


def test_a_curve_has_a_cell_a_value_from_the_lowest_to_the_highest():
    assert blocks([0.0, 0.5, 1.0, 2.0]) == "▁▃▅█"
    assert blocks([3.0, 3.0]) == "▁▁"
