from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import ClepConfig, ClepVariant
from recommender.evaluation.metrics import pair_auc
from recommender.models import clep
from recommender.models.clep import ClepData, ClepProblem, perceptron, train_clep

QUICK = ClepConfig(widths=(32, 16, 16, 8), head_widths=(8, 8, 1))


def trained(train, validation, config, seed=0, **told):
    return train_clep([ClepProblem(train, validation, config.variant, seed)], config, **told)


def contrastive_loss(embedding, liked, variant):
    """The module's loss of one batch."""
    batch = clep._Batch(embedding[None], liked[None], torch.ones(1, len(liked), dtype=torch.bool))
    return clep._contrastive_losses(embedding[None], batch, clep._Together.of([variant]), 7.0)[0]


def songs(count, seed=0, dimension=10):
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(count, dimension)).astype(np.float32)
    return ClepData(content, content[:, 0] + content[:, 1] > 0)


def slow_contrastive_loss(embedding, liked, variant, margin):
    """Equation 1 written out pair by pair."""
    losses = []
    for i in range(len(embedding)):
        for j in range(i + 1, len(embedding)):
            distance = float(np.sqrt(((embedding[i] - embedding[j]) ** 2).sum()))
            both_liked, both_disliked = liked[i] and liked[j], not liked[i] and not liked[j]
            y = {"pn": both_liked or both_disliked, "p": both_liked, "n": both_disliked}[variant]
            losses.append(distance**2 if y else max(margin - distance, 0.0) ** 2)
    return float(np.mean(losses))


@pytest.mark.parametrize("variant", list(ClepVariant))
@pytest.mark.parametrize("scale", [0.1, 3.0, 30.0])
def test_contrastive_loss_equals_the_pairwise_definition(variant, scale):
    rng = np.random.default_rng(1)
    embedding = rng.normal(size=(16, 5)) * scale
    liked = rng.random(16) < 0.5
    fast = contrastive_loss(torch.from_numpy(embedding), torch.from_numpy(liked), variant)
    assert float(fast) == pytest.approx(slow_contrastive_loss(embedding, liked, variant, 7.0), rel=1e-6)


def test_a_batch_of_sixteen_has_its_120_pairs_each_as_often():
    embedding = torch.zeros(16, 3)
    embedding[0, 0] = 20.0  # beyond the margin: of the 120 pairs only its own 15 differ from the others
    alike = contrastive_loss(embedding, torch.ones(16, dtype=torch.bool), ClepVariant.P)
    assert float(alike) == pytest.approx(15 * 20.0**2 / 120)


@pytest.mark.parametrize(("dimension", "layers"), [(200, 4), (512, 4), (2048, 5), (4800, 5)])
def test_larger_front_ends_get_five_layers(dimension, layers):
    config = ClepConfig.for_dimension(dimension, ClepVariant.N)
    assert len(config.widths) == layers
    assert len(config.head_widths) == 3
    assert config.variant is ClepVariant.N


def test_the_schedule_is_the_papers():
    config = ClepConfig.for_dimension(512)
    assert (config.batch, config.margin) == (16, 7.0)
    assert (config.epochs, config.learning_rate) == (20, 0.01)
    assert (config.head_epochs, config.head_learning_rate) == (30, 0.001)
    assert config.patience == 2


def test_contrastive_loss_has_finite_slopes_where_songs_coincide():
    embedding = torch.zeros(3, 4, requires_grad=True)
    contrastive_loss(embedding, torch.tensor([True, False, True]), ClepVariant.PN).backward()
    assert torch.isfinite(embedding.grad).all()


@pytest.mark.slow
@pytest.mark.parametrize("variant", list(ClepVariant))
def test_clep_learns_a_taste_that_follows_from_the_sound(variant):
    train, unseen = songs(150), songs(300, seed=9)
    network = trained(train, songs(40, seed=5), replace(QUICK, variant=variant))
    logits = network.logits(network.embedding(unseen.content))[0]
    assert pair_auc(logits[unseen.liked], logits[~unseen.liked]) > 0.8


@pytest.mark.parametrize("variant", list(ClepVariant))
@pytest.mark.parametrize("count", [2, 10, 17, 33])
def test_clep_stands_a_handful_of_songs(variant, count):
    train = songs(count)
    train.liked[:2] = [True, False]
    network = trained(train, songs(0), replace(QUICK, variant=variant, epochs=2, head_epochs=2))
    assert all(np.isfinite(array).all() for array in network.export(0).values())


@pytest.mark.slow
def test_the_embedding_is_frozen_while_the_head_is_trained():
    train = songs(40)
    stages = {epochs: trained(train, songs(0), replace(QUICK, head_epochs=epochs)).export(0) for epochs in (1, 6)}
    for name in stages[1]:
        same = np.array_equal(stages[1][name], stages[6][name])
        assert same == name.startswith("clep.embed")


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_of_feedback_alone_is_refused_in_words(kind):
    data = ClepData(songs(20).content, np.full(20, kind))
    with pytest.raises(ValueError, match="disliked one" if kind else "no liked one"):
        trained(data, songs(0), QUICK)


@pytest.mark.slow
def test_the_same_seed_trains_the_same_network():
    first, again, other = (
        trained(songs(40), songs(20, 3), replace(QUICK, epochs=3), seed).export(0) for seed in (1, 1, 2)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["clep.head.0.weight"], other["clep.head.0.weight"])


def test_training_stops_when_asked_and_keeps_what_it_has():
    epochs = []
    trained(songs(40), songs(0), QUICK, on_epoch=lambda epoch, *_: epochs.append(epoch), should_stop=lambda: True)
    assert epochs == [1, QUICK.epochs + 1]


SMALL = ClepConfig(widths=(16, 8), head_widths=(8, 8, 1), epochs=8, head_epochs=8)


def both(count, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(count, 6)).astype(dtype)
    liked = content[:, 0] > 0
    liked[:2] = [True, False]
    return ClepData(content, liked)


def alone(problem):
    """Slow and obvious: one network, torch's own optimiser and schedule, one batch after another."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(problem.seed)
        embed, head = perceptron((6, *SMALL.widths)), perceptron((SMALL.widths[-1], *SMALL.head_widths))
    shuffle = torch.Generator().manual_seed(problem.seed)

    def stage(network, features, loss, rate, epochs):
        optimiser = torch.optim.Adam(network.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=SMALL.rate_factor, patience=2)
        train, watched = (features(torch.from_numpy(data.content)) for data in (problem.train, problem.validation))
        liked, expected = (torch.from_numpy(data.liked) for data in (problem.train, problem.validation))
        for _ in range(epochs):
            for place in clep._shuffled_batches(len(liked), SMALL.batch, shuffle):
                optimiser.zero_grad()
                loss(network(train[place]), liked[place]).backward()
                optimiser.step()
            with torch.no_grad():
                fixed = clep._fixed_batches(len(expected), SMALL.batch)
                schedule.step(float(np.mean([float(loss(network(watched[p]), expected[p])) for p in fixed])))

    stage(embed, lambda x: x, lambda out, liked: contrastive_loss(out, liked, problem.variant), 0.01, SMALL.epochs)
    embed.requires_grad_(False)

    def entropy(out, liked):
        return torch.nn.functional.binary_cross_entropy_with_logits(out[:, 0], liked.to(out.dtype))

    stage(head, embed, entropy, 0.001, SMALL.head_epochs)
    return embed, head


COUNTS = [(5, 3), (16, 0), (17, 1), (33, 20), (40, 7), (49, 17)]


def problems(dtype=np.float32):
    variants = list(ClepVariant)
    return [
        ClepProblem(both(train, place, dtype), both(watched + 2, 50 + place, dtype), variant, seed=place)
        for place, (train, watched) in enumerate(COUNTS)
        for variant in variants
    ]


@pytest.fixture
def double_precision():
    """Shifting an embedding leaves its loss alone, so there Adam blows rounding up to whole steps; in double it does not."""
    torch.set_default_dtype(torch.float64)
    yield np.float64
    torch.set_default_dtype(torch.float32)


@pytest.mark.slow
def test_networks_trained_together_are_those_trained_one_by_one(double_precision):
    unseen = both(50, 99, double_precision).content
    stack = train_clep(problems(double_precision), SMALL)
    embedding = stack.embedding(unseen)
    logits = stack.logits(embedding)
    for place, problem in enumerate(problems(double_precision)):
        embed, head = alone(problem)
        with torch.no_grad():
            slow = embed(torch.from_numpy(unseen))
            np.testing.assert_allclose(embedding[place], slow.numpy(), atol=1e-5)
            np.testing.assert_allclose(logits[place], head(slow)[:, 0].numpy(), atol=1e-5)


def test_no_validation_songs_means_the_training_songs_are_watched():
    problem = ClepProblem(both(20, 1), both(2, 2), ClepVariant.PN, 3)
    nothing = ClepData(problem.validation.content[:0], problem.validation.liked[:0])
    empty, itself = (train_clep([replace(problem, validation=watched)], SMALL) for watched in (nothing, problem.train))
    assert all(torch.equal(a, b) for a, b in zip(empty.head, itself.head, strict=True))


def test_progress_counts_the_epochs_of_both_stages():
    told = []
    train_clep(problems()[:3], SMALL, lambda epoch, epochs, _loss: told.append((epoch, epochs)))
    assert told == [(epoch, 16) for epoch in range(1, 17)]
