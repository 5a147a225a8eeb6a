"""The elements of eSASRec: each does what it says, and what is off leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import SequenceLoss, SequentialConfig
from recommender.events import split_by_time
from recommender.sequence.batches import BatchSampler
from recommender.sequence.negatives import shared_negatives
from recommender.sequence.network import tokens
from recommender.sequence.objective import batch_loss
from recommender.sequence.windows import listener_rows, padded
from recommender.training.sequential_recommender import (
    ABLATIONS,
    ESASREC,
    SequentialRecommender,
    Validator,
    train_sequential,
)
from tests.support.networks import scattered_network

SMALL = replace(ESASREC, width=16, length=16, batch=8, shared_negatives=32, learning_rate=0.005)


def network_for(log, content, config=SMALL):
    return scattered_network(log, content, config)


def without_content(log):
    return np.zeros((log.tracks, 0), np.float32)


@pytest.fixture
def log(make_log):
    rng = np.random.default_rng(4)
    rows = [
        (int(rng.integers(5)), int(rng.integers(2)), int(rng.integers(24)), 7 * t, int(rng.choice([-1, 1])))
        for t in range(240)
    ]
    return make_log(rows, tracks=26)


def batch_of(log, length=16):
    return padded([rows[:length] for rows in listener_rows(log)], length)


def loss_of(log, config, network, seed=0):
    return batch_loss(network, BatchSampler(log, config).batch(*batch_of(log), np.random.default_rng(seed)))


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("config", ABLATIONS.values(), ids=ABLATIONS)
def test_a_later_event_changes_no_earlier_state(log, config):
    network = network_for(log, without_content(log), replace(config, width=16, length=16))
    rows = np.arange(12)[None, :]
    changed = rows.copy()
    changed[:, 8:] = np.arange(100, 104)
    before, after = network(*tokens(log, rows, network)), network(*tokens(log, changed, network))
    assert torch.allclose(before[:, :8], after[:, :8], atol=1e-6)
    assert not torch.allclose(before[:, 8:], after[:, 8:], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("config", ABLATIONS.values(), ids=ABLATIONS)
def test_every_parameter_that_a_configuration_has_is_learned(log, config):
    small = replace(config, width=16, length=16, shared_negatives=16, hard_weight=config.hard_weight, p_hard=0.5)
    content = np.random.default_rng(1).normal(size=(log.tracks, 3)).astype(np.float32)
    network = network_for(log, content, small).train()
    loss_of(log, small, network).backward()
    idle = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert idle == []


@torch.no_grad()
def test_every_track_has_a_score_also_one_that_nobody_ever_heard(log):
    for config in ABLATIONS.values():
        network = network_for(log, without_content(log), replace(config, width=16, length=16))
        state = network(*tokens(log, np.arange(9)[None, :], network))[0, -1]
        scores = network.score(network.query(state, torch.tensor(0)), torch.arange(log.tracks))
        assert torch.isfinite(scores).all()
        assert len(torch.unique(scores[:24])) == 24


def test_the_correction_makes_any_draw_estimate_the_sum_over_the_catalogue():
    scores = np.random.default_rng(2).normal(size=26)
    rng = np.random.default_rng(3)
    drawn = [shared_negatives(26, 20, rng) for _ in range(4000)]
    estimates = [np.sum(np.exp(scores[track]) / expected) for track, expected in drawn]
    assert np.mean(estimates) == pytest.approx(np.exp(scores).sum(), rel=0.03)


def test_a_catalogue_no_larger_than_the_draw_is_used_whole():
    track, expected = shared_negatives(26, 100, np.random.default_rng(0))
    assert track.tolist() == list(range(26))
    assert set(expected.tolist()) == {1.0}


def test_an_impossible_draw_is_refused():
    with pytest.raises(ValueError, match="cannot be drawn"):
        shared_negatives(26, 0, np.random.default_rng(0))


@pytest.mark.slow
def test_training_learns_a_taste_and_scores_tracks_it_never_heard(make_world):
    world = make_world(events=500, tracks=400, dimension=6)
    split = split_by_time(world.log)
    content, config = world.catalogue.vectors, replace(SMALL, epochs=20)
    trained = train_sequential(split.train, split.validation, content, config, 0, lambda _: None, lambda: False)
    unheard = split.gate.where(~np.isin(split.gate.track, split.train.track))
    auc = Validator(split.train, unheard, config.length).pair_auc(trained.network)
    assert auc is not None
    assert auc > 0.75


@pytest.mark.slow
def test_a_refit_learns_from_the_validation_part_too(log):
    cut = np.arange(len(log)) < 180
    config = replace(SMALL, epochs=2)
    scores = {}
    for refit in (True, False):
        model = SequentialRecommender(replace(config, refit=refit), seed=1)
        model.fit_with_validation(log.where(cut), log.where(~cut))
        assert len(model.course) == 2
        scores[refit] = model._tracks
    assert not torch.equal(scores[True], scores[False])


def test_what_is_off_leaves_no_parameter(log):
    plain = network_for(log, without_content(log), SequentialConfig(width=16, length=16))
    assert {name.split(".")[0] for name in plain.state_dict()} == {
        *("tower", "own", "outcome", "position", "station", "asked", "blocks", "norm")
    }
    assert SequentialConfig().loss is SequenceLoss.PAIR
