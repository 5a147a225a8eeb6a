"""The blend is fitted as it will be served: every row in the state before it, and as loud as the untrained player."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.blend import PRIOR_WEIGHTS, Component
from recommender.models.model_scorer import ModelScorer
from recommender.models.online_update import UNTUNED, UpdateSettings
from recommender.models.station_scorer import LiveScorer
from recommender.training.history_evaluation import HURRIED_ROWS as MEASURED_IN_A_HURRY
from recommender.training.history_evaluation import split_with_pairs
from recommender.training.retraining import retrain
from recommender.training.tuning import (
    AT_ONCE,
    CANDIDATES,
    FEWEST_LABELS,
    HURRIED_ROWS,
    LOUDEST,
    PASSED_OVER,
    QUIETEST,
    fit_model_blend,
    foretell,
    log_likelihood,
    tune_update,
    with_blend,
)

pytestmark = pytest.mark.slow

CONFIG = TrainingConfig(ClepConfig.best(), SequentialConfig(width=16, length=16, epochs=2))


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=600)


@pytest.fixture(scope="module")
def model(world):
    return retrain(world.log, world.catalogue, CONFIG, None, lambda _: None, lambda: False).model


def test_a_trained_model_spreads_over_the_library_about_as_the_untrained_player_does(world, model):
    split = split_with_pairs(world.log)
    served = LiveScorer(world.catalogue, ModelScorer(model, world.catalogue))
    untrained = LiveScorer(world.catalogue, None)
    own, plain = [], []
    for row in range(0, len(split.validation), 5):
        now, station = float(split.validation.time[row]), int(split.validation.station[row])
        history = world.log.first(int(np.searchsorted(world.log.time, now)))
        own.append(served.scores(history, station, now).total.std())
        plain.append(untrained.scores(history, station, now).total.std())
    assert 0.9 * QUIETEST < np.mean(own) / np.mean(plain) < 1.1 * LOUDEST


def test_the_gate_slice_has_no_part_in_the_blend(world, model):
    split = split_with_pairs(world.log)
    gate = world.log.time >= split.gate.time[0]
    turned = replace(world.log, label=np.where(gate, -world.log.label, world.log.label).astype(np.int8))
    scorer = ModelScorer(model, world.catalogue)
    assert fit_model_blend(scorer, turned, split) == fit_model_blend(scorer, world.log, split)


def test_no_row_is_foretold_in_a_state_that_knows_its_label(make_world):
    """Labels by chance: what a track was called before says nothing of the next label, unless that label is among it."""
    chance = make_world(events=600, sharpness=0.0)
    model = retrain(chance.log, chance.catalogue, CONFIG, None, lambda _: None, lambda: False).model
    blend = fit_model_blend(ModelScorer(model, chance.catalogue), chance.log, split_with_pairs(chance.log))
    assert blend.rows > 0
    assert blend.weights[Component.LIKING] < 0.15  # it is .39 where a row's own label is among the labels before it


def test_stopping_fits_the_blend_on_the_rows_so_far(world, model):
    steps = []
    blend = fit_model_blend(
        ModelScorer(model, world.catalogue),
        world.log,
        split_with_pairs(world.log),
        on_step=lambda step, _steps: steps.append(step),
        should_stop=lambda: True,
    )
    assert steps == list(range(1, HURRIED_ROWS + 1))
    assert blend.rows == HURRIED_ROWS


def test_without_validation_rows_the_running_update_serves_alone(world, model):
    split = split_with_pairs(world.log)
    blend = fit_model_blend(
        ModelScorer(model, world.catalogue), world.log, replace(split, validation=split.validation.first(0))
    )
    assert blend.weights == PRIOR_WEIGHTS


def test_another_blend_on_a_card_leaves_the_arrays(model):
    other = with_blend(model, model.card.blend.louder(2.0))
    assert other.arrays is model.arrays
    assert other.card.blend.weights[Component.HEAD] == 2.0 * model.card.blend.weights[Component.HEAD]


def test_a_stop_while_measuring_leaves_a_model_measured_on_the_newest_rows(make_world):
    world = make_world(events=900)
    seen = []
    result = retrain(
        world.log,
        world.catalogue,
        CONFIG,
        None,
        seen.append,
        lambda: seen[-1:] != [] and seen[-1].stage == "evaluation",
    )
    assert result.stopped
    assert result.report.positives + result.report.negatives == MEASURED_IN_A_HURRY
    assert result.model.card.metrics
    whole = retrain(world.log, world.catalogue, CONFIG, None, lambda _: None, lambda: False)
    assert whole.report.positives + whole.report.negatives > MEASURED_IN_A_HURRY
    assert whole.model.card.blend == result.model.card.blend


@pytest.fixture(scope="module")
def past(make_world):
    return make_world(events=200, stations=1, sharpness=1.0)


def test_the_choice_is_the_one_that_a_slow_walk_would_make(past):
    log, catalogue = past.log.first(110), past.catalogue
    found = []
    for settings in CANDIDATES:
        total = 0.0
        for first in range(PASSED_OVER, 110, AT_ONCE):
            rows = np.arange(first, min(first + AT_ONCE, 110))
            head, _ = LiveScorer(catalogue, None, settings).update(log.first(first), 0)
            odds = catalogue.space.vectors[log.track[rows]] @ head.weights + head.bias
            likely = 1.0 / (1.0 + np.exp(-odds))
            total += np.sum(log.weight[rows] * np.log(np.where(log.label[rows] > 0, likely, 1.0 - likely)))
        found.append(total)
    tuned = tune_update(log, catalogue)
    assert tuned.settings == CANDIDATES[int(np.argmax(found))]
    gain = (max(found) - found[CANDIDATES.index(UNTUNED)]) / log.weight[PASSED_OVER:110].sum()
    assert tuned.gain == pytest.approx(gain, abs=1e-6)


def test_labels_without_a_cause_call_for_a_tight_prior_and_a_sharp_taste_for_a_wide_one(make_world):
    sharp = make_world(events=200, stations=1, sharpness=6.0)
    rng = np.random.default_rng(0)
    noise = replace(sharp.log, label=rng.choice(np.array([-1, 1], np.int8), len(sharp.log)))
    by_chance = tune_update(noise, sharp.catalogue).settings.weight_variance
    by_taste = tune_update(sharp.log, sharp.catalogue).settings.weight_variance
    assert by_chance < by_taste


def test_a_row_is_foretold_without_its_own_label_and_those_after_it(past):
    scorer = LiveScorer(past.catalogue, None)
    rows = np.arange(60, 64)
    turned = replace(past.log, label=np.where(np.arange(200) < 60, past.log.label, -past.log.label).astype(np.int8))
    assert foretell(scorer, turned, rows) == pytest.approx(foretell(scorer, past.log, rows), abs=1e-7)


def test_too_few_labels_leave_the_update_as_it_ships(past):
    tuned = tune_update(past.log.first(FEWEST_LABELS - 1), past.catalogue)
    assert (tuned.settings, tuned.labels) == (UNTUNED, 0)


def test_being_stopped_at_once_leaves_the_update_as_it_ships(past):
    assert tune_update(past.log, past.catalogue, should_stop=lambda: True).settings == UNTUNED


def test_likelihood_counts_by_weight(past):
    half = replace(past.log, weight=past.log.weight / 2)
    rows, odds = np.arange(5), np.linspace(-1, 1, 5)
    assert log_likelihood(odds, half, rows) == pytest.approx(log_likelihood(odds, past.log, rows) / 2)


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="must be a positive number"):
        UpdateSettings(*wrong)
