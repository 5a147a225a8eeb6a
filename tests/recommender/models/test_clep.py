from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import ClepConfig, ClepVariant
from recommender.evaluation.metrics import pair_auc
from recommender.models.clep import ClepData, belong_together, contrastive_loss, export_clep, train_clep

QUICK = ClepConfig(widths=(32, 16, 16, 8), head_widths=(8, 8, 1))


def silent(*_):
    return None


def never():
    return False


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


def test_variants_say_which_preferences_draw_songs_together():
    liked = torch.tensor([True, False])
    assert belong_together(liked, ClepVariant.PN).tolist() == [[True, False], [False, True]]
    assert belong_together(liked, ClepVariant.P).tolist() == [[True, False], [False, False]]
    assert belong_together(liked, ClepVariant.N).tolist() == [[False, False], [False, True]]


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


def test_contrastive_loss_refuses_a_lonely_song():
    with pytest.raises(ValueError, match="at least two songs"):
        contrastive_loss(torch.zeros(1, 4), torch.tensor([True]), ClepVariant.PN)


@pytest.mark.slow
@pytest.mark.parametrize("variant", list(ClepVariant))
def test_clep_learns_a_taste_that_follows_from_the_sound(variant):
    train, unseen = songs(150), songs(300, seed=9)
    network = train_clep(train, songs(40, seed=5), replace(QUICK, variant=variant), 0, silent, never)
    with torch.no_grad():
        logits = network(torch.from_numpy(unseen.content)).numpy()
    assert pair_auc(logits[unseen.liked], logits[~unseen.liked]) > 0.8


@pytest.mark.parametrize("variant", list(ClepVariant))
@pytest.mark.parametrize("count", [2, 10, 17, 33])
def test_clep_stands_a_handful_of_songs(variant, count):
    train = songs(count)
    train.liked[:2] = [True, False]
    network = train_clep(train, songs(0), replace(QUICK, variant=variant, epochs=2, head_epochs=2), 0, silent, never)
    assert all(np.isfinite(array).all() for array in export_clep(network).values())


@pytest.mark.slow
def test_the_embedding_is_frozen_while_the_head_is_trained():
    train = songs(40)
    stages = {
        epochs: export_clep(train_clep(train, songs(0), replace(QUICK, head_epochs=epochs), 0, silent, never))
        for epochs in (1, 6)
    }
    for name in stages[1]:
        same = np.array_equal(stages[1][name], stages[6][name])
        assert same == name.startswith("clep.embed")


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_of_feedback_alone_is_refused_in_words(kind):
    data = ClepData(songs(20).content, np.full(20, kind))
    with pytest.raises(ValueError, match="disliked one" if kind else "no liked one"):
        train_clep(data, songs(0), QUICK, 0, silent, never)


@pytest.mark.slow
def test_the_same_seed_trains_the_same_network():
    first, again, other = (
        export_clep(train_clep(songs(40), songs(20, 3), replace(QUICK, epochs=3), seed, silent, never))
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["clep.head.0.weight"], other["clep.head.0.weight"])


def test_training_stops_when_asked_and_keeps_what_it_has():
    epochs = []
    train_clep(songs(40), songs(0), QUICK, 0, lambda epoch, *_: epochs.append(epoch), lambda: True)
    assert epochs == [1, QUICK.epochs + 1]
