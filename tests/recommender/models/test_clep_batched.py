from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import ClepConfig, ClepVariant
from recommender.models.clep import ClepData, train_clep
from recommender.models.clep_batched import ClepProblem, train_clep_many

QUICK = ClepConfig(widths=(16, 8), head_widths=(8, 8, 1), epochs=8, head_epochs=8)


def songs(count, seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(count, 6)).astype(dtype)
    liked = content[:, 0] > 0
    liked[:2] = [True, False]
    return ClepData(content, liked)


def silent(*_):
    return None


def never():
    return False


COUNTS = [(5, 3), (16, 0), (17, 1), (33, 20), (40, 7), (49, 17)]


def problems(dtype=np.float32):
    variants = list(ClepVariant)
    return [
        ClepProblem(songs(train, place, dtype), songs(watched + 2, 50 + place, dtype), variant, seed=place)
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
    unseen = songs(50, 99, double_precision).content
    stack = train_clep_many(problems(double_precision), QUICK, silent)
    embedding = stack.embedding(unseen)
    logits = stack.logits(embedding)
    for place, problem in enumerate(problems(double_precision)):
        config = replace(QUICK, variant=problem.variant)
        alone = train_clep(problem.train, problem.validation, config, problem.seed, silent, never)
        with torch.no_grad():
            np.testing.assert_allclose(embedding[place], alone.embed(torch.from_numpy(unseen)).numpy(), atol=1e-5)
            np.testing.assert_allclose(logits[place], alone(torch.from_numpy(unseen)).numpy(), atol=1e-5)


def test_no_validation_songs_means_the_training_songs_are_watched():
    problem = ClepProblem(songs(20, 1), songs(2, 2), ClepVariant.PN, 3)
    nothing = ClepData(problem.validation.content[:0], problem.validation.liked[:0])
    empty, itself = (
        train_clep_many([replace(problem, validation=watched)], QUICK, silent) for watched in (nothing, problem.train)
    )
    assert all(torch.equal(a, b) for a, b in zip(empty.head, itself.head, strict=True))


def test_progress_counts_the_epochs_of_both_stages():
    told = []
    train_clep_many(problems()[:3], QUICK, lambda epoch, epochs: told.append((epoch, epochs)))
    assert told == [(epoch, 16) for epoch in range(1, 17)]


def test_one_kind_of_feedback_alone_is_refused_in_words():
    one = ClepProblem(ClepData(songs(9, 0).content, np.ones(9, np.bool_)), songs(4, 1), ClepVariant.N, 0)
    with pytest.raises(ValueError, match="no disliked one"):
        train_clep_many([*problems(), one], QUICK, silent)
