import numpy as np
import pytest

from recommender.configuration import BEST_AXES, ClepConfig
from recommender.evaluation.metrics import pair_auc
from recommender.models.bayesian_taste import MainAxes, Opinions, fit_shared
from recommender.models.numpy_inference import ClepScorer, Standardisation
from recommender.models.online_update import Prior, fit_head

DIMENSION = 40


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def opinions(rng, taste, count, weight=1.0):
    content = rng.normal(size=(count, len(taste))).astype(np.float32)
    liked = content @ taste + rng.logistic(size=count) > 0
    return Opinions(content, liked, np.full(count, weight, np.float32))


def tastes(rng, people):
    """Each one's own, around one that they share."""
    common = rng.normal(size=DIMENSION)
    return [common + 1.5 * rng.normal(size=DIMENSION) for _ in range(people)]


def test_the_main_axes_are_those_that_hold_most_variance(rng):
    spread = np.linspace(3.0, 0.1, DIMENSION)
    content = (rng.normal(size=(500, DIMENSION)) * spread).astype(np.float32)
    axes = MainAxes.of(content, 5)
    features = axes.apply(content).astype(np.float64)
    assert features.mean(axis=0) == pytest.approx(0.0, abs=1e-4)
    assert (features**2).sum(axis=1).mean() == pytest.approx(1.0, rel=1e-4)
    _, sizes, directions = np.linalg.svd(content - content.mean(axis=0), full_matrices=False)
    slow = (content - content.mean(axis=0)) @ directions[:5].T / np.sqrt((sizes[:5] ** 2).sum() / len(content))
    assert np.abs(features) == pytest.approx(np.abs(slow), abs=1e-3)


def test_fewer_tracks_than_axes_leave_the_others_at_zero(rng):
    axes = MainAxes.of(rng.normal(size=(3, DIMENSION)).astype(np.float32))
    assert axes.axes.shape == (DIMENSION, BEST_AXES)
    assert not axes.axes[:, 3:].any()


def test_content_that_never_varies_gives_features_of_zero():
    content = np.ones((6, DIMENSION), np.float32)
    assert not MainAxes.of(content).apply(content).any()


def test_an_own_head_on_the_shared_one_beats_either_alone(rng):
    people = tastes(rng, 40)
    everybody = [opinions(rng, taste, 15) for taste in people]
    axes = MainAxes.of(np.concatenate([each.content for each in everybody]), DIMENSION)
    taste = fit_shared(axes, everybody)
    nobody = fit_shared(axes, [opinions(rng, people[0], 1, weight=0.0)])
    aucs = []
    for own_taste, own in zip(people, everybody, strict=True):
        unseen = opinions(rng, own_taste, 300)
        together = taste.own_logits(own, unseen.content)
        alone = nobody.own_logits(own, unseen.content)
        scores = (together, taste.logits(unseen.content), alone)
        aucs.append([pair_auc(score[unseen.liked], score[~unseen.liked]) for score in scores])
    both, shared, alone = np.mean(aucs, axis=0)
    assert both > shared + 0.01
    assert both > alone + 0.01


def test_opinions_at_random_hardly_move_an_own_head_and_a_real_taste_does(rng):
    common = rng.normal(size=DIMENSION)
    everybody = [opinions(rng, common, 15) for _ in range(40)]
    taste = fit_shared(MainAxes.of(np.concatenate([each.content for each in everybody]), DIMENSION), everybody)
    content = rng.normal(size=(60, DIMENSION)).astype(np.float32)
    fickle = Opinions(content, rng.random(60) < 0.5, np.ones(60, np.float32))
    contrary = Opinions(content, content @ common < 0, np.ones(60, np.float32))
    moved = {
        name: np.abs(taste.own_logits(own, content) - taste.logits(content)).mean()
        for name, own in (("fickle", fickle), ("contrary", contrary))
    }
    assert moved["contrary"] > 2.0 * moved["fickle"]


def test_the_evidence_is_the_integral_over_the_weights(rng):
    """One feature and a bias held at 0: the integral can be written out on a grid."""
    features, labels = rng.normal(size=(30, 1)), rng.choice([-1, 1], 30)
    weight = np.linspace(-6.0, 6.0, 4001)
    exact = {}
    for variance in (0.1, 1.0):
        likelihood = -np.logaddexp(0.0, -labels[:, None] * features * weight).sum(axis=0) - weight**2 / (2 * variance)
        exact[variance] = np.log(np.trapezoid(np.exp(likelihood), weight)) - 0.5 * np.log(2 * np.pi * variance)
    found = {
        variance: fit_head(features, labels, np.ones(30), np.zeros(30), Prior(variance, bias_variance=1e-9)).evidence
        for variance in exact
    }
    assert found[1.0] - found[0.1] == pytest.approx(exact[1.0] - exact[0.1], abs=0.05)


def test_an_opinion_counts_by_its_weight(rng):
    strong = opinions(rng, rng.normal(size=DIMENSION), 30)
    weak = Opinions(strong.content, ~strong.liked, np.full(30, 0.1, np.float32))
    axes = MainAxes.of(strong.content)
    logits = fit_shared(axes, [strong, weak]).logits(strong.content)
    assert pair_auc(logits[strong.liked], logits[~strong.liked]) > 0.8


def test_opinions_of_one_kind_alone_are_enough(rng):
    liked = Opinions(rng.normal(size=(5, DIMENSION)).astype(np.float32), np.ones(5, np.bool_), np.ones(5, np.float32))
    taste = fit_shared(MainAxes.of(liked.content), [liked])
    assert (taste.logits(liked.content) > 0).all()


def test_what_is_exported_is_served_to_a_hundred_thousandth(rng):
    vectors = (rng.normal(size=(80, DIMENSION)) * 3 + 1).astype(np.float32)
    standardisation = Standardisation.of(vectors)
    content = standardisation.apply(vectors)
    liked = content[:, 0] > 0
    taste = fit_shared(MainAxes.of(content), [Opinions(content, liked, np.ones(80, np.float32))])
    arrays = {"content.mean": standardisation.mean, "content.scale": standardisation.scale, **taste.export()}
    assert ClepScorer(arrays, vectors).logits == pytest.approx(taste.logits(content), abs=1e-5)
    config = ClepConfig.best()
    assert arrays["clep.embed.0.weight"].shape == (*config.widths, DIMENSION)
    assert arrays["clep.head.0.weight"].shape == (*config.head_widths, *config.widths)
