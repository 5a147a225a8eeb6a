import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.dial import DISCOVER, FAMILIAR, NEUTRAL, QueueFigures, dial_effect, dialled, queue_figures
from recommender.ranking.diversity import Pool, outlook

positions = st.integers(FAMILIAR, DISCOVER)


def at(position):
    return dialled(position, breadth=6.0, diversity=1.0, track_gap=100)


def test_in_the_middle_a_station_is_as_its_settings_say():
    middle = at(NEUTRAL)
    assert (middle.breadth, middle.diversity, middle.track_gap) == (6.0, 1.0, 100)
    assert not middle.logits(np.array([0, 1, 50])).any()


@given(positions, positions)
def test_everything_moves_one_way_with_the_dial(one, other):
    less, more = at(min(one, other)), at(max(one, other))
    assert less.breadth <= more.breadth
    assert less.diversity <= more.diversity
    assert less.track_gap <= more.track_gap
    plays = np.arange(30)
    lead = [d.logits(plays)[0] - d.logits(plays)[1:] for d in (less, more)]  # of a new track over each heard one
    assert (lead[0] <= lead[1] + 1e-12).all()


def test_the_ends_differ_from_the_middle_in_everything():
    familiar, middle, discover = at(FAMILIAR), at(NEUTRAL), at(DISCOVER)
    for name in ("breadth", "diversity", "track_gap", "novelty"):
        assert getattr(familiar, name) < getattr(middle, name) < getattr(discover, name)
    assert familiar.familiarity > 0 > discover.familiarity


@pytest.mark.parametrize(("beyond", "end"), [(-10, FAMILIAR), (300, DISCOVER)])
def test_beyond_an_end_counts_as_the_end(beyond, end):
    assert at(beyond) == at(end)


def test_a_station_that_takes_the_best_always_still_has_a_breadth():
    assert dialled(FAMILIAR, breadth=1.0, diversity=0.0, track_gap=0).breadth == 1.0


def small_pool():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((12, 3)).astype(np.float32)
    return Pool(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.arange(12) // 3, np.ones(12, np.bool_))


def test_the_figures_of_a_queue_are_counted():
    played = np.arange(12) < 4
    figures = queue_figures(small_pool(), np.array([0, 1, 0]), played, np.array([0, 2, 6, 9]))
    assert figures.never_played == 0.5
    assert figures.repeats == 0.25
    # Plays per artist 5, 0, 1, 1 once the queue is played: mean difference by hand.
    assert figures.gini == pytest.approx((0 * -3 + 1 * -1 + 1 * 1 + 5 * 3) / (4 * 7))


def test_the_gini_is_the_outlook_that_the_panel_shows():
    pool, plays, queue = small_pool(), np.array([0, 3, 3, 5]), np.array([1, 7, 8])
    figures = queue_figures(pool, plays, np.zeros(12, np.bool_), queue)
    assert figures.gini == outlook(pool, plays, queue).after.gini


def test_an_empty_queue_has_figures_too():
    assert queue_figures(small_pool(), np.array([0]), np.ones(12, np.bool_), np.array([], np.int64)) == QueueFigures(
        0, 0, 0
    )


def test_the_sentence_says_what_the_dial_did():
    turned = dial_effect(80, QueueFigures(0.31, 0.1, 0.29), QueueFigures(0.1, 0.5, 0.42))
    assert turned.sentence == "31 % new to you, more artists"
    assert dial_effect(NEUTRAL, QueueFigures(1.0, 0.0, 0.5)).sentence == "100 % new to you"


def test_a_turned_dial_needs_something_to_be_compared_with():
    with pytest.raises(ValueError, match="compared with"):
        dial_effect(60, QueueFigures(0.3, 0.1, 0.3))
