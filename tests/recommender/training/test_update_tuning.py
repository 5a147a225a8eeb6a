"""Tuning the running update: what is chosen is what would have foretold best, and nothing is foretold from itself."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.models.station_scorer import LiveScorer
from recommender.models.update_settings import UNTUNED, UpdateSettings
from recommender.training.update_tuning import (
    AT_ONCE,
    CANDIDATES,
    FEWEST_LABELS,
    PASSED_OVER,
    foretell,
    log_likelihood,
    tune_update,
)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(events=200, stations=1, sharpness=1.0)


@pytest.mark.slow
def test_the_choice_is_the_one_that_a_slow_walk_would_make(world):
    log, catalogue = world.log.first(110), world.catalogue
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


@pytest.mark.slow
def test_labels_without_a_cause_call_for_a_tight_prior_and_a_sharp_taste_for_a_wide_one(make_world):
    sharp = make_world(events=200, stations=1, sharpness=6.0)
    rng = np.random.default_rng(0)
    noise = replace(sharp.log, label=rng.choice(np.array([-1, 1], np.int8), len(sharp.log)))
    by_chance = tune_update(noise, sharp.catalogue).settings.weight_variance
    by_taste = tune_update(sharp.log, sharp.catalogue).settings.weight_variance
    assert by_chance < by_taste


def test_a_row_is_foretold_without_its_own_label_and_those_after_it(world):
    scorer = LiveScorer(world.catalogue, None)
    rows = np.arange(60, 64)
    turned = replace(world.log, label=np.where(np.arange(200) < 60, world.log.label, -world.log.label).astype(np.int8))
    assert foretell(scorer, turned, rows) == pytest.approx(foretell(scorer, world.log, rows), abs=1e-7)


def test_too_few_labels_leave_the_update_as_it_ships(world):
    tuned = tune_update(world.log.first(FEWEST_LABELS - 1), world.catalogue)
    assert (tuned.settings, tuned.labels) == (UNTUNED, 0)


def test_being_stopped_at_once_leaves_the_update_as_it_ships(world):
    assert tune_update(world.log, world.catalogue, should_stop=lambda: True).settings == UNTUNED


def test_likelihood_counts_by_weight(world):
    half = replace(world.log, weight=world.log.weight / 2)
    rows, odds = np.arange(5), np.linspace(-1, 1, 5)
    assert log_likelihood(odds, half, rows) == pytest.approx(log_likelihood(odds, world.log, rows) / 2)


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="must be a positive number"):
        UpdateSettings(*wrong)
