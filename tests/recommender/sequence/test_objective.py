"""Each loss equals itself written out, and a batch's loss asks every track as its station does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import SequenceLoss, SequentialConfig
from recommender.sequence.batches import BatchSampler
from recommender.sequence.network import tokens
from recommender.sequence.objective import Objective, batch_loss, hard_pair_loss, pairwise_loss, shared_softmax_loss
from recommender.sequence.windows import listener_rows, padded
from tests.support.networks import scattered_network

PAIRS = SequentialConfig(width=8, blocks=1, heads=2, length=12, p_hard=0.5)
SOFTMAX = replace(PAIRS, loss=SequenceLoss.SOFTMAX, shared_negatives=6, hard_weight=0.7)


def test_pairwise_loss_equals_binary_cross_entropy_written_out():
    rng = np.random.default_rng(0)
    positive, negative, weight = rng.normal(size=7) * 4, rng.normal(size=7) * 4, rng.random(7)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    slow = sum(
        w * -(np.log(sigmoid(p)) + np.log(1 - sigmoid(n))) for p, n, w in zip(positive, negative, weight, strict=True)
    )
    fast = pairwise_loss(torch.tensor(positive), torch.tensor(negative), torch.tensor(weight))
    assert float(fast) == pytest.approx(slow / weight.sum())


def test_softmax_among_the_whole_catalogue_is_cross_entropy():
    rng = torch.Generator().manual_seed(0)
    scores, target = torch.randn(5, 9, generator=rng), torch.tensor([0, 3, 3, 8, 1])
    weight = torch.rand(5, generator=rng)
    positive = scores[torch.arange(5), target]
    collision = target[:, None] == torch.arange(9)
    slow = torch.nn.functional.cross_entropy(scores, target, reduction="none")
    fast = shared_softmax_loss(positive, scores.clone(), collision, weight)
    assert float(fast) == pytest.approx(float((slow * weight).sum() / weight.sum()), rel=1e-5)


def test_the_hard_term_counts_real_negatives_alone_and_grows_with_their_share():
    positive, negative, weight = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([0.0, 3.0, 2.0]), torch.ones(3)
    expected = [np.log1p(np.exp(-1.0)), np.log1p(np.exp(3.0)), np.log(2.0)]
    for hard in ([True, False, True], [True, True, True], [False, False, False]):
        value = hard_pair_loss(positive, negative, torch.tensor(hard), weight)
        assert float(value) == pytest.approx(sum(e for e, h in zip(expected, hard, strict=True) if h) / 3, rel=1e-5)


@pytest.fixture
def log(make_log):
    """Two listeners who like on one station what they dislike on the other."""
    rng = np.random.default_rng(4)
    rows = []
    for time in range(60):
        station, track = int(rng.integers(2)), int(rng.integers(14))
        rows.append((time % 2, station, track, 7 * time, 1 if (track < 7) == (station == 0) else -1))
    return make_log(rows, tracks=15)


def drawn(log, config):
    """A network, a batch of it, the taste (P, d) after each of its places, and the vectors of all tracks."""
    network = scattered_network(log, np.zeros((log.tracks, 0), np.float32), config)
    rows, real = padded([rows[: config.length] for rows in listener_rows(log)], config.length)
    batch = BatchSampler(log, config).batch(rows, real, np.random.default_rng(0))
    with torch.no_grad():
        after = network(*tokens(log, rows, network)).reshape(-1, config.width)[torch.from_numpy(batch.place)]
        asked = network.asked[torch.from_numpy(batch.target_station) + 1]
        return network, batch, (after + asked).numpy(), network.items(torch.arange(log.tracks)).numpy()


def softplus(value):
    return np.log1p(np.exp(value))


def test_a_pair_is_scored_by_what_its_own_station_asks_for(log):
    network, batch, taste, vectors = drawn(log, PAIRS)
    assert set(batch.target_station.tolist()) == {0, 1}
    losses = [
        softplus(-query @ vectors[liked]) + softplus(query @ vectors[negative])
        for query, liked, negative in zip(taste, batch.target, batch.negative, strict=True)
    ]
    expected = np.average(losses, weights=batch.target_weight)
    assert float(batch_loss(network, batch).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_shared_negatives_too_and_the_real_ones_are_a_term_of_their_own(log):
    network, batch, taste, vectors = drawn(log, SOFTMAX)
    assert batch.hard.any()
    losses = []
    for query, liked, negative, hard in zip(taste, batch.target, batch.negative, batch.hard, strict=True):
        own = query @ vectors[liked]
        others = [
            query @ vectors[o] - np.log(e) for o, e in zip(batch.shared, batch.expected, strict=True) if o != liked
        ]
        pair = softplus(query @ vectors[negative] - own) if hard else 0.0
        losses.append(np.log(np.exp(own) + np.exp(others).sum()) - own + SOFTMAX.hard_weight * pair)
    expected = np.average(losses, weights=batch.target_weight)
    assert float(batch_loss(network, batch).detach()) == pytest.approx(expected, rel=1e-5)


def test_a_process_without_a_batch_has_a_loss_and_gradients_of_zero(log):
    network = drawn(log, PAIRS)[0]
    loss = Objective(network)(None)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in network.parameters())
