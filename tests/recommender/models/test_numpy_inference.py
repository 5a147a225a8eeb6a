from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from recommender.configuration import BlockKind, ClepConfig, SequenceLoss, SequentialConfig
from recommender.models.clep import ClepStack, perceptron
from recommender.models.numpy_inference import ClepScorer, SequenceScorer, Standardisation, Tokens
from recommender.models.parameter_shapes import sequence_shapes
from recommender.sequence.network import tokens
from recommender.training.sequential_recommender import (
    ABLATIONS,
    ESASREC,
    Items,
    SequentialNetwork,
    TrainedSequence,
    export_sequential,
)

CONFIG = SequentialConfig()


def shaken(network):
    """The network with every weight moved, so that no zero or unit weight hides an error."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.eval()


def content_arrays(vectors):
    standard = Standardisation.of(vectors)
    return {"content.mean": standard.mean, "content.scale": standard.scale}, standard.apply(vectors)


def sequence_pair(log, vectors, config=CONFIG, known_stations=2):
    """A torch network and its numpy twin."""
    torch.manual_seed(0)
    arrays, content = content_arrays(vectors)
    items = Items.of(log, content, config.id_shrinkage)
    network = shaken(SequentialNetwork(items, known_stations, config))
    arrays |= export_sequential(TrainedSequence(network, items, 1, ()))
    shapes = sequence_shapes(config, vectors.shape[1], len(items.shrink) - 1, known_stations)
    assert {name: array.shape for name, array in arrays.items() if name.startswith("sequence.")} == shapes
    stations = np.array([1, 2, 0])
    return network, SequenceScorer(arrays, config, vectors, items.row, stations)


@torch.no_grad()
def torch_scores(network, log, station):
    rows = np.arange(len(log))[-network.config.length :]
    state = network(*tokens(log, rows[None, :], network))[0, -1]
    return network.score(network.query(state, torch.tensor(station)), torch.arange(log.tracks)).numpy()


@pytest.mark.parametrize("events", [1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("station", [0, 1, 2, -1])
def test_sequence_scores_equal_torch(make_world, events, station):
    world = make_world(events=events, tracks=50)
    network, scorer = sequence_pair(world.log, world.catalogue.vectors)
    scores = scorer.scores(Tokens.of(world.log, scorer.length), station)
    expected = torch_scores(network, world.log, station)
    assert np.abs(scores - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


EVERY_FORM = [
    replace(
        CONFIG, width=8, length=12, blocks=blocks, heads=heads, id_shrinkage=shrinkage, loss=loss, block=block
    )
    for blocks, heads, shrinkage, loss, block in product((1, 2), (1, 2), (0.0, 5.0), SequenceLoss, BlockKind)
]  # fmt: skip
"""Every combination of what changes the arrays of a network or the way they make a score."""


@pytest.mark.slow
@pytest.mark.parametrize("content", [True, False])
def test_every_configuration_gives_the_same_scores_in_numpy(make_world, content):
    world = make_world(events=60, tracks=40)
    log = world.log
    vectors = world.catalogue.vectors if content else np.zeros((log.tracks, 0), np.float32)
    for config in EVERY_FORM:
        network, scorer = sequence_pair(log, vectors, config)
        for events, station in ((1, 1), (60, 0)):
            scores = scorer.scores(Tokens.of(log.first(events), scorer.length), station)
            expected = torch_scores(network, log.first(events), station)
            assert np.abs(scores - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max()), config
            assert len(np.unique(scores)) > 20


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_modes_in_full_size_give_the_same_scores_in_numpy(make_world, name):
    world = make_world(events=230, tracks=60)
    network, scorer = sequence_pair(world.log, world.catalogue.vectors, ABLATIONS[name])
    scores = scorer.scores(Tokens.of(world.log, scorer.length), 1)
    expected = torch_scores(network, world.log, 1)
    assert np.abs(scores - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())


def test_the_state_after_a_restart_is_the_state_before(make_world):
    world = make_world(events=230, tracks=60)
    log = world.log
    _, running = sequence_pair(log, world.catalogue.vectors, ESASREC)
    for events in range(200, 231):  # as it went while the player ran
        before = running.scores(Tokens.of(log.first(events), running.length), 0)
    _, restarted = sequence_pair(log, world.catalogue.vectors, ESASREC)
    assert np.array_equal(restarted.scores(Tokens.of(log, restarted.length), 0), before)


def test_more_tokens_than_the_model_looks_back_to_change_nothing(make_world):
    world = make_world(events=200)
    _, scorer = sequence_pair(world.log, world.catalogue.vectors)
    assert np.array_equal(scorer.scores(Tokens.of(world.log, 200), 0), scorer.scores(Tokens.of(world.log, 64), 0))


def test_without_a_token_the_sequence_says_nothing(make_world):
    world = make_world()
    _, scorer = sequence_pair(world.log, world.catalogue.vectors)
    nothing = world.log.where(np.zeros(len(world.log), bool))
    assert not scorer.scores(Tokens.of(nothing, 64), 0).any()


def test_clep_equals_torch_and_knows_nothing_of_a_track_without_sound(make_world):
    vectors = make_world().catalogue.vectors.copy()
    vectors[3] = np.nan
    arrays, content = content_arrays(vectors)
    torch.manual_seed(0)
    parts = [
        [
            layer
            for linear in perceptron(widths)[::2]
            for layer in (linear.weight.T[None].detach(), linear.bias[None, None].detach())
        ]
        for widths in ((vectors.shape[1], *ClepConfig().widths), (ClepConfig().widths[-1], *ClepConfig().head_widths))
    ]
    network = ClepStack(*map(tuple, parts))
    scorer = ClepScorer(arrays | network.export(0), vectors)
    embedding = network.embedding(content)
    embedding, logits = embedding[0], network.logits(embedding)[0]
    known = np.arange(len(vectors)) != 3
    assert scorer.embedding == pytest.approx(embedding, abs=1e-5)
    assert scorer.logits[known] == pytest.approx(logits[known], abs=1e-5)
    assert scorer.logits[3] == 0.0


def test_standardised_vectors_have_zero_mean_and_unit_variance_and_no_nan():
    vectors = np.random.default_rng(0).normal(5.0, 3.0, size=(200, 4)).astype(np.float32)
    vectors[:, 2] = 7.0
    vectors[11, 1] = np.inf
    standard = Standardisation.of(vectors).apply(vectors)
    known = np.arange(200) != 11
    assert standard[known].mean(axis=0) == pytest.approx(0.0, abs=1e-5)
    assert standard[known].std(axis=0) == pytest.approx([1.0, 1.0, 0.0, 1.0], abs=1e-4)
    assert not standard[11].any()


def test_a_library_without_any_vector_is_standardised_to_zeros():
    vectors = np.full((3, 4), np.nan, np.float32)
    assert not Standardisation.of(vectors).apply(vectors).any()
