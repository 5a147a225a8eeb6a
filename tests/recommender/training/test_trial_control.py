"""The control of a trial: its sequence never hears of a dislike, and nothing else of the model is touched."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.configuration import ClepConfig, SequentialConfig, TrainingConfig
from recommender.models.blend import Component
from recommender.models.model_scorer import ModelScorer, WithoutNegatives, without_negatives
from recommender.training.retraining import retrain
from recommender.training.trial_control import ControlError, train_control, without_hard_negatives
from recommender.training.tuning import with_blend

pytestmark = pytest.mark.slow

CONFIG = TrainingConfig(ClepConfig.best(), SequentialConfig(epochs=2, width=16, length=16))


def weighted(model, weight):
    weights = list(model.card.blend.weights)
    weights[Component.SEQUENCE] = weight
    return with_blend(model, replace(model.card.blend, weights=tuple(weights)))


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


@pytest.fixture(scope="module")
def live(world):
    made = retrain(world.log, world.catalogue, CONFIG, None, lambda _progress: None, lambda: False)
    return weighted(made.model, 0.5)


def make_control(live, log, catalogue):
    return train_control(live, log, catalogue, lambda _epoch: None, lambda: False)


@pytest.fixture(scope="module")
def control(live, world):
    return make_control(live, world.log, world.catalogue)


def test_other_dislikes_in_what_it_learns_from_change_nothing_of_its_sequence(live, control, world):
    log = world.log
    early = log.time < np.quantile(log.time[log.time <= live.card.seen_until], 0.6)
    disliked = early & (log.label < 0)
    track = np.where(disliked, (log.track + 11) % log.tracks, log.track)
    again = make_control(live, replace(log, track=track), world.catalogue)
    assert disliked.sum() > 20
    names = [name for name in control.arrays if name.startswith("sequence.")]
    assert all(np.array_equal(control.arrays[name], again.arrays[name]) for name in names)
    # Other likes do.
    liked = early & (log.label > 0)
    other = make_control(
        live, replace(log, track=np.where(liked, (log.track + 11) % log.tracks, log.track)), world.catalogue
    )
    assert any(
        control.arrays[name].shape != other.arrays[name].shape
        or not np.array_equal(control.arrays[name], other.arrays[name])
        for name in names
    )


def test_it_learns_from_nothing_that_the_live_model_has_not_seen(live, control, world):
    seen = world.log.where(world.log.time <= live.card.seen_until)
    assert len(seen) < len(world.log)
    again = make_control(live, seen, world.catalogue)
    assert all(np.array_equal(control.arrays[name], again.arrays[name]) for name in control.arrays)
    assert control.card.seen_until == live.card.seen_until


def test_all_but_the_sequence_is_the_live_models(live, control):
    rest = [name for name in live.arrays if not name.startswith(("sequence.", "track_ids", "station_ids"))]
    assert rest
    assert all(np.array_equal(live.arrays[name], control.arrays[name]) for name in rest)
    assert control.card.configuration.clep == live.card.configuration.clep
    assert not control.card.promoted
    assert control.card.metrics == ()


def test_when_it_serves_a_dislike_moves_all_but_its_sequence(control, world):
    served = WithoutNegatives(control, world.catalogue)
    likes = without_negatives(world.log)
    now = float(world.log.time[-1]) + 1.0
    told, untold = served.columns(world.log, 0, now), served.columns(likes, 0, now)
    assert np.array_equal(told[:, Component.SEQUENCE], untold[:, Component.SEQUENCE])
    assert not np.array_equal(told[:, Component.LIKING], untold[:, Component.LIKING])
    plain = ModelScorer(control, world.catalogue).columns(world.log, 0, now)
    assert not np.array_equal(plain[:, Component.SEQUENCE], told[:, Component.SEQUENCE])


def test_no_target_is_left_that_needs_a_dislike():
    config = without_hard_negatives(SequentialConfig(p_hard=0.4, hard_weight=1.0))
    assert (config.p_hard, config.hard_weight) == (0.0, 0.0)


def test_without_a_like_after_another_there_is_no_control(live, world, make_log):
    dislikes = make_log([(0, 0, n, float(n), -1) for n in range(30)], tracks=world.log.tracks)
    with pytest.raises(ControlError, match="nothing to train a control on"):
        make_control(live, dislikes, world.catalogue)


def test_a_like_that_shares_the_moment_of_another_event_is_enough_for_a_control(live, world, make_log):
    together = make_log([(0, 0, 1, 0.0, 1), (0, 0, 2, 0.0, 1), (1, 0, 3, 5.0, 1)], tracks=world.log.tracks)
    assert make_control(live, together, world.catalogue).card.reason.startswith("The control of a trial")
