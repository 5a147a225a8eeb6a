"""Curves in the characters of a terminal."""

from player.cli.plots import blocks


def test_a_curve_has_a_cell_a_value_from_the_lowest_to_the_highest():
    assert blocks([0.0, 0.5, 1.0, 2.0]) == "▁▃▅█"
    assert blocks([3.0, 3.0]) == "▁▁"
