"""Retraining with CLEP in its best mode."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, ClepMode, SequentialConfig, TrainingConfig
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metrics import pair_auc
from recommender.models.model_card import card_from_json, card_to_json, check_arrays
from recommender.models.model_scorer import ModelScorer
from recommender.training.retraining import retrain

pytestmark = pytest.mark.slow

SEQUENCE = SequentialConfig(width=16, length=16, epochs=1)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=500)


@pytest.fixture(scope="module")
def result(world):
    config = TrainingConfig(ClepConfig.best(), SEQUENCE)
    return retrain(world.log, world.catalogue, config, None, lambda _: None, lambda: False)


def test_the_model_is_one_of_the_same_format(result):
    check_arrays(result.model)
    card = card_from_json(card_to_json(result.model.card).encode())
    assert card.configuration.clep.mode is ClepMode.BEST


def test_a_card_from_before_there_were_modes_is_the_papers(result):
    faithful = replace(result.model.card, configuration=TrainingConfig())
    text = card_to_json(faithful).replace('"mode": "faithful",', "").replace('"rate_factor": 0.1,', "")
    assert '"mode":' not in text
    assert card_from_json(text.encode()) == faithful


def test_it_learns_the_taste_of_tracks_it_has_not_heard(world, result):
    logits = ModelScorer(result.model, world.catalogue).clep.logits
    gate = world.log.time > result.model.card.seen_until
    label, track = world.log.label[gate], world.log.track[gate]
    assert pair_auc(logits[track[label > 0]], logits[track[label < 0]]) > 0.75
    assert result.report.mean("random", Measure.PAIR_AUC) < 0.7


def test_it_learns_nothing_from_the_gate_slice(world, result):
    gate = world.log.time > result.model.card.seen_until
    turned = replace(world.log, label=np.where(gate, -world.log.label, world.log.label).astype(np.int8))
    config = TrainingConfig(ClepConfig.best(), SEQUENCE)
    other = retrain(turned, world.catalogue, config, None, lambda _: None, lambda: False).model
    assert all(np.array_equal(result.model.arrays[name], other.arrays[name]) for name in other.arrays)
