"""The parts of a utility, against a slow and obvious way of adding them up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.decomposition import Terms, decompose
from recommender.ranking.explain import Part

PARTS = (Part.SEED, Part.HEAD, Part.DIVERSITY)
LOGITS = st.floats(-8, 8)


@st.composite
def places(draw):
    count = draw(st.integers(1, 7))
    rows = [draw(st.lists(LOGITS, min_size=count, max_size=count)) for _ in PARTS]
    eligible = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    temperature = draw(st.floats(0.05, 3))
    return Terms(PARTS, np.array(rows), eligible, temperature), draw(st.integers(0, count - 1))


def slow_rank(utilities, eligible, track) -> int:
    return 1 + sum(1 for other, one in enumerate(utilities) if eligible[other] and one > utilities[track])


@given(places())
def test_every_part_is_what_adding_up_by_hand_gives(place):
    terms, track = place
    made = decompose(terms, track)
    sums = [float(np.sum([row[n] for row in terms.logits])) for n in range(len(terms.eligible))]
    among = [n for n in range(len(sums)) if terms.eligible[n]]
    assert made.utility == pytest.approx(sums[track], abs=1e-9)
    assert sum(share.logits for share in made.shares) == pytest.approx(made.utility, abs=1e-9)
    assert sum(share.lead for share in made.shares) == pytest.approx(made.lead, abs=1e-9)
    mean = sum(sums[n] for n in among) / len(among) if among else 0.0
    assert made.lead == pytest.approx(sums[track] - mean, abs=1e-9)
    assert (made.rank, made.eligible) == (slow_rank(terms.utilities, terms.eligible, track), len(among))
    assert made.given_up == pytest.approx(max([sums[n] for n in among] + [sums[track]]) - sums[track], abs=1e-9)
    for number, share in enumerate(made.shares):
        assert share.rank_without == slow_rank(terms.utilities - terms.logits[number], terms.eligible, track)


@given(places())
def test_the_propensities_of_a_place_are_probabilities_that_sum_to_one(place):
    terms, _ = place
    chances = [decompose(terms, track).propensity for track in range(len(terms.eligible))]
    assert [chance is not None for chance in chances] == terms.eligible.tolist()
    if terms.eligible.any():
        assert math.fsum(chance for chance in chances if chance is not None) == pytest.approx(1.0)


def test_rows_that_fit_neither_parts_nor_tracks_are_refused():
    with pytest.raises(ValueError, match="3 parts of 2 tracks have logits of shape"):
        Terms(PARTS, np.zeros((2, 2)), np.ones(2, np.bool_), 1.0)
