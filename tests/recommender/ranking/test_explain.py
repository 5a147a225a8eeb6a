"""The parts of a utility, against a slow and obvious way of adding them up."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking.explain import (
    Evidence,
    LabelEvidence,
    Placing,
    ReasonKind,
    ScorePart,
    ScoreParts,
    Terms,
    decompose,
    explain,
)

EVERYONE = np.ones(4, np.bool_)
PARTS = (ScorePart.SEED, ScorePart.HEAD, ScorePart.CLEP, ScorePart.SEQUENCE, ScorePart.REPETITION)


def scores(part=None, lead=1.0):
    """Four tracks that differ in one part, in which track 0 leads the average by ``lead``."""
    logits = np.ones((len(PARTS), 4))
    if part is not None:
        logits[PARTS.index(part), 0] += lead * 4 / 3
    return ScoreParts(PARTS, logits)


def reason(found, placing=None, evidence=None):
    return explain(found, found.centre(EVERYONE), placing or Placing(0), evidence or Evidence())


def labels(influences, liked):
    return LabelEvidence(
        tracks=np.array([5, 6, 7][: len(liked)]),
        influences=np.array(influences),
        liked=np.array(liked),
        titles=("Gymnopédie No. 1", "Für Elise", "Thunder"),
        verbs=("thumbed up", "finished", "skipped"),
    )


@pytest.mark.parametrize(
    ("part", "kind", "text"),
    [
        (ScorePart.SEED, ReasonKind.SEED, "near classical, piano"),
        (ScorePart.CLEP, ReasonKind.TASTE, "sounds like what you tend to like"),
        (ScorePart.SEQUENCE, ReasonKind.SEQUENCE, "goes with what you heard before it"),
        (ScorePart.REPETITION, ReasonKind.RESTED, "rested 40 days"),
    ],
)
def test_the_part_that_speaks_loudest_gives_the_sentence(part, kind, text):
    found = reason(scores(part), evidence=Evidence(seed="classical, piano", days_since_played=40.7))
    assert (found.kind, found.text) == (kind, text)
    assert found.contributions[0] == (part, pytest.approx(1.0))


def test_contributions_are_what_the_track_has_over_the_average_and_add_up():
    rng = np.random.default_rng(0)
    parts = ScoreParts(PARTS, rng.standard_normal((5, 4)))
    among = np.array([True, True, False, True])
    found = explain(parts, parts.centre(among), Placing(2, 0.3, 0.1, 3), Evidence())
    total = parts.logits.sum(axis=0)
    assert sum(value for _, value in found.contributions) == pytest.approx(total[2] - total[among].mean() + 0.4)
    assert [value for _, value in found.contributions] == sorted((v for _, v in found.contributions), reverse=True)
    assert {part for part, _ in found.contributions} == set(ScorePart)


def test_a_part_that_is_large_for_every_track_explains_none():
    parts = scores(ScorePart.SEED, lead=0.2)
    parts.logits[PARTS.index(ScorePart.CLEP)] = 10.0
    assert reason(parts).kind is ReasonKind.SEED


def test_the_running_update_names_the_liked_track_that_it_resembles_most():
    found = reason(scores(ScorePart.HEAD), evidence=Evidence(labels=labels([0.9, 0.2, 0.3], [True, True, False])))
    assert (found.kind, found.text) == (ReasonKind.LIKED, "like “Gymnopédie No. 1” you thumbed up")


def test_the_running_update_says_when_the_dislikes_weigh_more():
    found = reason(scores(ScorePart.HEAD), evidence=Evidence(labels=labels([0.1, 0.1, 0.6], [True, True, False])))
    assert (found.kind, found.text) == (ReasonKind.UNLIKE_DISLIKED, "sounds unlike what you skipped")


def test_the_running_update_without_a_label_for_the_track_says_that_others_fare_worse():
    found = reason(scores(ScorePart.HEAD), evidence=Evidence(labels=labels([-0.1, -0.1, -0.6], [True, True, False])))
    assert (found.kind, found.text) == (ReasonKind.TASTE, "less like what you turned down than the rest")


def test_a_track_that_was_itself_liked_is_not_said_to_be_like_itself():
    own = replace(labels([0.9], [True]), tracks=np.array([0]))
    assert reason(scores(ScorePart.HEAD), evidence=Evidence(labels=own)).text == "you thumbed up this track before"


def test_long_titles_are_cut():
    long = replace(labels([0.9], [True]), titles=("Sonata for Violoncello and Basso Continuo in B flat",))
    assert reason(scores(ScorePart.HEAD), evidence=Evidence(labels=long)).text == (
        "like “Sonata for Violoncello and Basso Contin…” you thumbed up"
    )


@pytest.mark.parametrize(
    ("days", "kind", "text"),
    [
        (None, ReasonKind.NEW, "not heard yet"),
        (0.4, ReasonKind.FAVOURITE, "you come back to it often"),
        (1.2, ReasonKind.RESTED, "rested a day"),
    ],
)
def test_repetition_says_new_rested_or_favourite(days, kind, text):
    found = reason(scores(ScorePart.REPETITION), evidence=Evidence(days_since_played=days))
    assert (found.kind, found.text) == (kind, text)


def test_variety_and_exploration_are_reasons_of_a_place():
    varied = reason(scores(), Placing(0, diversity_lead=0.4))
    assert (varied.kind, varied.text) == (ReasonKind.VARIETY, "for variety after the tracks before it")
    exploring = reason(scores(ScorePart.SEED, 0.2), Placing(0, 0.1, given_up=0.8, utility_rank=13))
    assert (exploring.kind, exploring.text) == (ReasonKind.EXPLORING, "to try something: 12 tracks scored higher")
    assert reason(scores(), Placing(0, given_up=0.8, utility_rank=2)).text == "to try something: 1 track scored higher"


def test_where_nothing_distinguishes_the_tracks_no_reason_is_invented():
    assert reason(scores()).text == "nothing known yet"
    worse = reason(scores(ScorePart.SEED, lead=-1.0))
    assert (worse.kind, worse.text) == (ReasonKind.OPEN, "the best of what is left")


def test_a_seed_without_a_name_and_an_empty_pool_are_fine():
    parts = scores(ScorePart.SEED)
    assert explain(parts, parts.centre(~EVERYONE), Placing(0), Evidence()).text == "like what the station is based on"


def test_parts_without_logits_are_refused():
    with pytest.raises(ValueError, match="1 parts have 2 rows of logits"):
        ScoreParts((ScorePart.SEED,), np.zeros((2, 3)))


TERM_PARTS = (ScorePart.SEED, ScorePart.HEAD, ScorePart.DIVERSITY)
LOGITS = st.floats(-8, 8)


@st.composite
def places(draw):
    count = draw(st.integers(1, 7))
    rows = [draw(st.lists(LOGITS, min_size=count, max_size=count)) for _ in TERM_PARTS]
    eligible = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    temperature = draw(st.floats(0.05, 3))
    return Terms(TERM_PARTS, np.array(rows), eligible, temperature), draw(st.integers(0, count - 1))


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
        Terms(TERM_PARTS, np.zeros((2, 2)), np.ones(2, np.bool_), 1.0)
