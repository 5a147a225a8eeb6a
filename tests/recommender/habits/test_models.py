"""Models: they learn a taste, the served one is blind to the listener's state, and its prior is what a newcomer gets."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.habits.features import INDEX, STATE, walk
from recommender.habits.linear import (
    TERMS,
    Linear,
    fit_linear,
    fit_people,
    prior_document,
    session_weights,
    shipped_prior,
    without_people,
)
from recommender.habits.measures import session_aucs
from recommender.habits.models import ABLATIONS, KNOWN, MODELS, HabitMaterial, fit_player
from recommender.habits.plays import PlayedTracks


@pytest.fixture(scope="module")
def material(plays):
    return HabitMaterial(plays, walk(plays), np.arange(len(plays)) < 0.8 * len(plays))


def within(score, material):
    test = ~material.past
    return session_aucs(score[test], material.plays.verdict[test], material.plays.session[test]).mean()


@pytest.mark.parametrize(
    "name", [name for name in KNOWN if name not in {"random", "by-hand", "hour-of-day", "play-count", "last-five"}]
)
def test_whatever_knows_a_rate_foretells_a_taste(material, name):
    assert within(KNOWN[name].score(material, shipped_prior(), 0), material) > 0.6


@pytest.mark.parametrize("name", ["random", "by-hand", "hour-of-day"])
def test_whatever_knows_none_does_not(material, name):
    assert within(KNOWN[name].score(material, shipped_prior(), 0), material) == pytest.approx(0.5, abs=0.09)


def test_the_state_never_moves_a_rank(material):
    for state in (False, True):
        model = fit_player(material, state=state)
        other = material.table.copy()
        other[:, [INDEX[name] for name in STATE]] = np.random.default_rng(0).normal(size=(len(other), len(STATE)))
        np.testing.assert_array_equal(model.score(other), model.score(material.table))


def test_models_learn_from_the_past_alone(material):
    verdict = np.where(material.past, material.plays.verdict, -material.plays.verdict)
    other = replace(material, plays=replace(material.plays, verdict=verdict))
    for name in (*MODELS, *ABLATIONS):
        one, two = (KNOWN[name].score(each, shipped_prior(), 0) for each in (material, other))
        np.testing.assert_array_equal(one, two, err_msg=name)


def test_the_weights_of_a_session_s_two_verdicts_are_equal(plays):
    weight = session_weights(plays.verdict, plays.session)
    up, down = (np.bincount(plays.session, weight * (plays.verdict == side)) for side in (1, -1))
    np.testing.assert_allclose(up, down)
    assert len(np.unique(up.round(9))) == 2, "all sessions with both verdicts alike, others 0"
    assert weight.sum() == pytest.approx(np.count_nonzero(plays.verdict))


def test_a_one_sided_history_is_served_the_weights_of_other_people(material):
    bored = replace(material, plays=replace(material.plays, verdict=np.ones(len(material.plays), np.int8)))
    assert fit_player(bored) is shipped_prior()


def test_somebody_who_never_hears_a_track_again_is_foretold_by_every_model(plays):
    alone = np.arange(len(plays))
    never = replace(plays, track=alone, catalogue=PlayedTracks(plays.catalogue.artist[plays.track], alone))
    material = HabitMaterial(never, walk(never), alone < 0.8 * len(alone))
    for name, entry in KNOWN.items():
        assert np.isfinite(entry.score(material, shipped_prior(), 0)).all(), name


def test_the_stronger_the_pull_the_nearer_the_prior(material):
    prior, rows = shipped_prior(), material.judged
    table, verdict = material.table[rows], material.plays.verdict[rows]
    far = [
        np.linalg.norm(fit_linear(table, verdict, np.ones(len(rows)), prior, pull).weights - prior.weights)
        for pull in (10.0, 1000.0, 1e6)
    ]
    assert far[0] > far[1] > far[2]


def test_what_people_have_in_common_is_written_and_read(material, plays):
    common = fit_people([(material.table, plays.verdict, plays.session)] * 2)
    document = prior_document(common)
    assert document["weight"].keys() == set(TERMS)
    assert document["weight"]["last unknown"] == 0
    assert isinstance(shipped_prior(), Linear)
    assert shipped_prior().weights.shape == common.weights.shape
    assert within(shipped_prior().score(material.table), material) > 0.6
    assert not without_people(common).weights.any()
