"""The blend is fitted as it will be served: every row in the state before it, and as loud as the untrained player."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.blend import PRIOR_WEIGHTS, Column
from recommender.models.model_scorer import ModelScorer
from recommender.models.station_scorer import LiveScorer
from recommender.training.blend_fitting import HURRIED_ROWS, LOUDEST, QUIETEST, fit_model_blend, with_blend
from recommender.training.gate_measurement import HURRIED_ROWS as MEASURED_IN_A_HURRY
from recommender.training.history_evaluation import split_with_pairs
from recommender.training.retraining import retrain

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


@pytest.mark.slow
def test_the_gate_slice_has_no_part_in_the_blend(world, model):
    split = split_with_pairs(world.log)
    gate = world.log.time >= split.gate.time[0]
    turned = replace(world.log, label=np.where(gate, -world.log.label, world.log.label).astype(np.int8))
    scorer = ModelScorer(model, world.catalogue)
    assert fit_model_blend(scorer, turned, split) == fit_model_blend(scorer, world.log, split)


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
    assert other.card.blend.weights[Column.HEAD] == 2.0 * model.card.blend.weights[Column.HEAD]


@pytest.mark.slow
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
