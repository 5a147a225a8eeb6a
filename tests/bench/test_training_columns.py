"""What the columns of the blend are worth to simulated listeners: the player's own score, and a table that tells the truth."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from bench.simulation import Plan, simulate
from bench.simulation.listener import DAY, Temperament
from bench.simulation.policies import PLAYERS_OWN, random_order
from bench.simulation.store import CACHE
from bench.simulation.world import STATION, clustered_world
from bench.training import columns
from bench.training.column_variants import (
    ALL,
    ALONE,
    COMPARED,
    LEFT_OUT,
    WITH_REPETITION,
    Served,
    Shared,
    Variant,
    fitted,
    measure_variants,
)
from bench.training.columns import SCENES, Scene, differences, measure_scene
from recommender.events import Outcome
from recommender.interfaces import Context
from recommender.models.blend import Component
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import AsServed
from recommender.training.retraining import retrain
from recommender.training.tuning import with_blend

pytestmark = pytest.mark.slow

FEW = (ALL, LEFT_OUT[0], ALONE, WITH_REPETITION)
PLAYS = 400
BORED = Temperament(
    mean_liking=0.9, taste_spread=0.0, quality_spread=0.0, own_spread=0.0, mood_spread=0.0, weariness=0.0, inattention=0.0,
    boredom=8.0, boredom_half_life=100 * DAY, early_skip=0.9, late_skip=0.0, unneeded_skip=0.0,
)  # fmt: skip
"""Likes all but what was heard before."""


@pytest.fixture(scope="module")
def world():
    return clustered_world(150, seed=1)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE, str(tmp_path))


@pytest.fixture(scope="module")
def trained(world):
    """A listener's log on a station with a seed, and a model of the older part of it."""
    log = simulate(world, random_order, Plan(plays=PLAYS, check_every=PLAYS, seeded=True), 0).log
    catalogue, past = world.catalogue([3]), log.first(int(0.8 * len(log)))
    model = retrain(past, catalogue, replace(PLAYERS_OWN, seed=0), None, lambda _: None, lambda: False).model
    return log, catalogue, past, model


def test_the_repetition_columns_are_worth_much_to_who_is_only_ever_bored():
    half_heard = clustered_world(300, seed=1)  # so that some of the plays to be foretold are new and others are not
    found = measure_scene(Scene("bored", "", random_order, temperament=BORED), half_heard, PLAYS, range(1), FEW)
    lines = {(line.variant, line.rival, line.measure): line.difference for line in differences(found)}
    for pair in ((ALL.name, "− repetition"), (WITH_REPETITION.name, ALONE.name)):
        assert lines[*pair, "pair AUC"].mean > 0.1
        assert lines[*pair, "pair AUC"].low is None


def test_who_likes_by_sound_alone_loses_the_running_update_and_not_the_repetition(world):
    by_sound = Temperament(
        taste_spread=4.0, artist_spread=0.0, quality_spread=0.0, own_spread=0.0, mood_spread=0.0, boredom=0.0
    )
    silent = Variant(  # habit too: an artist's tracks sound alike here
        "− all that knows the sound",
        frozenset({Component.HEAD, Component.CLEP, Component.SEQUENCE, Component.LIKING, Component.HABIT}),
    )
    rest = Variant("− rest", frozenset({Component.REST}))
    found = measure_scene(
        Scene("by sound", "", random_order, temperament=by_sound), world, PLAYS, range(1), (ALL, silent, rest)
    )
    means = {name: np.mean([each.figures[name]["pair AUC"] for each in found]) for name in found[0].figures}
    assert means[ALL.name] - means[silent.name] > 0.1
    assert abs(means[ALL.name] - means[rest.name]) < 0.02


def test_what_was_measured_before_an_interruption_is_kept_and_is_what_the_same_seed_gives(world, monkeypatch, tmp_path):
    def interrupt(_what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_scene(SCENES[0], world, 150, range(2), (ALL,), interrupt)
    with monkeypatch.context() as patched:
        patched.setattr(columns, "simulate", None)  # nothing can be computed any more
        (kept,) = measure_scene(SCENES[0], world, 150, range(1), (ALL,))
    monkeypatch.setenv(CACHE, str(tmp_path / "another"))
    (again,) = measure_scene(SCENES[0], world, 150, range(1), (ALL,))
    assert json.dumps(asdict(kept)) == json.dumps(asdict(again))


def test_all_columns_are_scored_as_the_player_serves_them(trained):
    log, catalogue, past, model = trained
    blend = fitted(model, catalogue, past, ALL)
    player = AsServed(catalogue, ModelScorer(with_blend(model, blend), catalogue), "player")
    ours = Served(ALL, blend, Shared(model, catalogue), catalogue)
    for row in range(len(past), len(log), 10):
        context = Context(listener=0, station=STATION, time=float(log.time[row]), history=log.first(row))
        assert np.allclose(ours.score(context), player.score(context), atol=1e-4)


@pytest.mark.parametrize("variant", LEFT_OUT, ids=lambda variant: variant.name)
def test_what_is_left_out_weighs_nothing_and_the_rest_is_fitted_anew(trained, variant):
    _, catalogue, past, model = trained
    served = Served(variant, fitted(model, catalogue, past, variant), Shared(model, catalogue), catalogue)
    assert all(served.blend.weights[column] == 0.0 for column in variant.left_out)
    assert served.blend.weights != model.card.blend.weights


def test_a_thumb_up_does_not_foretell_the_end_of_its_own_play(world):
    log = simulate(world, random_order, Plan(plays=200, check_every=200), 0).log
    measured = measure_variants(log, world.catalogue([]), 0, (ALL,))
    newest = log.time >= log.time[int(0.8 * len(log))]
    thumbed = newest[1:] & (log.outcome[:-1] == Outcome.THUMB_UP) & (log.track[1:] == log.track[:-1])
    assert thumbed.any()
    assert measured.tested == np.count_nonzero(newest & log.judged) - np.count_nonzero(thumbed & log.judged[1:])


def test_the_table_has_a_line_for_every_variant_and_the_document_can_be_written(world, capsys):
    found = measure_scene(SCENES[0], world, 150, range(1))
    columns._print(SCENES[0], world, 150, found)
    printed = capsys.readouterr().out
    assert all(f"\n  {name} " in printed for name in found[0].figures)
    document = json.loads(json.dumps(columns._document(SCENES[0], len(world), 150, found), allow_nan=False))
    assert len(document["differences"]) == 2 * len(COMPARED)
    assert set(document["weights"]) == {column.name.lower() for column in Component}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenes", "real,lively"], "there is no 'lively'"),
        (["--listeners", "0"], "at least one"),
        (["--data", "/nowhere"], "no library in /nowhere"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_in_a_sentence(arguments, said, capsys):
    with pytest.raises(SystemExit) as refused:
        columns.main(arguments)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err
