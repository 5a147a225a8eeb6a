"""Where a tag begins to hold, against a slow and obvious version of Otsu's threshold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from player.library.sound_tags import CERTAIN, FAINT, MOST, SoundTags, tag_threshold

PROBABILITIES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


def slow_threshold(values):
    """Every split of the square roots, and the variance between its sides."""
    roots = sorted(math.sqrt(value) for value in values)
    splits = []
    for place in range(1, len(roots)):
        if roots[place] > roots[place - 1]:
            low, high = roots[:place], roots[place:]
            between = len(low) * len(high) * (sum(high) / len(high) - sum(low) / len(low)) ** 2
            splits.append((between, roots[place] ** 2))
    return splits


@pytest.mark.slow
@given(PROBABILITIES)
def test_the_threshold_is_the_split_with_the_greatest_variance_between(values):
    splits = slow_threshold([float(np.float32(value)) for value in values])
    floor = FAINT * float(sorted(np.float32(values))[round(MOST * (len(values) - 1))])
    threshold = tag_threshold(np.array(values, np.float32))
    if not splits:
        assert threshold == CERTAIN
        return
    best = max(between for between, _ in splits)
    # Splits as good as each other but for rounding are both right.
    allowed = [min(CERTAIN, max(value, floor)) for between, value in splits if between >= best * (1 - 1e-9)]
    assert any(threshold == pytest.approx(value, rel=1e-6, abs=1e-12) for value in allowed)


def test_two_kinds_of_tracks_are_told_apart_however_low_the_network_rates_them():
    sad = np.array([0.004, 0.005, 0.006, 0.005, 0.02, 0.025, 0.03], np.float32)
    assert list(SoundTags(("sad",), sad[:, None]).holding("Sad")) == [False] * 4 + [True] * 3


def test_where_a_few_tracks_have_a_tag_the_faint_rest_does_not():
    metal = np.array([*np.geomspace(0.001, 0.02, 40), 0.2, 0.25], np.float32)
    assert list(np.flatnonzero(SoundTags(("metal",), metal[:, None]).holding("metal"))) == [40, 41]


def test_one_odd_track_does_not_take_a_tag_from_all_others():
    sad = np.array([0.004] * 150 + [0.03] * 149 + [0.45], np.float32)
    assert SoundTags(("sad",), sad[:, None]).holding("sad").sum() == 150


def test_what_the_network_is_sure_of_holds_in_any_company():
    rock = np.array([0.55, 0.6, 0.95, 0.97], np.float32)
    assert SoundTags(("rock",), rock[:, None]).holding("rock").all()


def test_a_tag_never_holds_for_a_track_never_heard_nor_for_all_that_are_the_same():
    heard = SoundTags(("pop", "jazz"), np.array([[0.1, 0.2], [np.nan, np.nan], [0.1, 0.4]], np.float32))
    assert not heard.holding("pop").any()
    assert list(heard.holding("jazz")) == [False, False, True]
    assert not heard.holding("polka").any()


def test_nothing_embedded_holds_nothing():
    nothing = SoundTags(("pop",), np.full((3, 0), np.nan, np.float32))
    assert not nothing.known
    assert list(nothing.holding("pop")) == [False] * 3
