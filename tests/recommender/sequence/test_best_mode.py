"""The elements of the best mode: each does what it says, and what is off leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import SequenceLoss, SequentialConfig
from recommender.events import split_by_time
from recommender.sequence.batches import BatchSampler
from recommender.sequence.layers import states, without_each
from recommender.sequence.negatives import shared_negatives
from recommender.sequence.network import tokens
from recommender.sequence.objective import batch_loss, hard_pair_loss, liking_loss, shared_softmax_loss
from recommender.sequence.validation import APPEALS, ORDER_WEIGHTS, choose_weights
from recommender.sequence.windows import listener_rows, padded
from recommender.training.sequential_recommender import (
    ABLATIONS,
    BEST_BY_GRADIENT,
    SequentialRecommender,
    Validator,
    train_sequential,
)
from tests.support.networks import scattered_network

SMALL = replace(BEST_BY_GRADIENT, width=16, length=16, taste_width=4, batch=8, shared_negatives=32, learning_rate=0.005)
EVERYTHING = replace(SMALL, shallow=5.0, hard_weight=1.0)


def network_for(log, content, config=EVERYTHING):
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
@pytest.mark.parametrize("config", [*ABLATIONS.values(), EVERYTHING], ids=[*ABLATIONS, "everything"])
def test_a_later_event_changes_no_earlier_state(log, config):
    network = network_for(log, without_content(log), replace(config, width=16, length=16))
    rows = np.arange(12)[None, :]
    changed = rows.copy()
    changed[:, 8:] = np.arange(100, 104)
    before, after = network(*tokens(log, rows, network)), network(*tokens(log, changed, network))
    assert torch.allclose(before[:, :8], after[:, :8], atol=1e-6)
    assert not torch.allclose(before[:, 8:], after[:, 8:], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("config", [*ABLATIONS.values(), EVERYTHING], ids=[*ABLATIONS, "everything"])
def test_every_parameter_that_a_configuration_has_is_learned(log, config):
    small = replace(config, width=16, length=16, shared_negatives=16, hard_weight=config.hard_weight, p_hard=0.5)
    content = np.random.default_rng(1).normal(size=(log.tracks, 3)).astype(np.float32)
    network = network_for(log, content, small).train()
    loss_of(log, small, network).backward()
    idle = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert idle == []


@torch.no_grad()
def test_every_track_has_a_score_also_one_that_nobody_ever_heard(log):
    for config in (*ABLATIONS.values(), EVERYTHING):
        network = network_for(log, without_content(log), replace(config, width=16, length=16))
        state = network(*tokens(log, np.arange(9)[None, :], network))[0, -1]
        scores = network.score(network.query(state, torch.tensor(0)), torch.arange(log.tracks))
        assert torch.isfinite(scores).all()
        assert len(torch.unique(scores[:24])) == 24


def test_softmax_among_the_whole_catalogue_is_cross_entropy():
    rng = torch.Generator().manual_seed(0)
    scores, target = torch.randn(5, 9, generator=rng), torch.tensor([0, 3, 3, 8, 1])
    weight = torch.rand(5, generator=rng)
    positive = scores[torch.arange(5), target]
    collision = target[:, None] == torch.arange(9)
    slow = torch.nn.functional.cross_entropy(scores, target, reduction="none")
    fast = shared_softmax_loss(positive, scores.clone(), collision, weight)
    assert float(fast) == pytest.approx(float((slow * weight).sum() / weight.sum()), rel=1e-5)


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


def test_the_hard_term_counts_real_negatives_alone_and_grows_with_their_share():
    positive, negative, weight = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([0.0, 3.0, 2.0]), torch.ones(3)
    expected = [np.log1p(np.exp(-1.0)), np.log1p(np.exp(3.0)), np.log(2.0)]
    for hard in ([True, False, True], [True, True, True], [False, False, False]):
        value = hard_pair_loss(positive, negative, torch.tensor(hard), weight)
        assert float(value) == pytest.approx(sum(e for e, h in zip(expected, hard, strict=True) if h) / 3, rel=1e-5)


def test_liking_is_binary_cross_entropy_of_what_has_a_label():
    logits, liked = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0.0, 1.0])
    value = liking_loss(logits, liked, torch.tensor([1.0, 0.5, 0.0]))
    slow = (np.log1p(np.exp(-2.0)) + 0.5 * np.log1p(np.exp(-1.0))) / 1.5
    assert float(value) == pytest.approx(slow, rel=1e-5)
    assert float(liking_loss(logits, liked, torch.zeros(3))) == 0.0


def test_the_pool_equals_sums_written_out_and_leaves_each_event_out_of_its_own():
    rng = torch.Generator().manual_seed(1)
    vectors, outcome = torch.randn(2, 6, 3, generator=rng), torch.randint(1, 10, (2, 6), generator=rng)
    worth, seen = torch.randn(10, generator=rng), torch.rand(2, 6, generator=rng) < 0.7
    upto, others = states(vectors, outcome, worth), without_each(vectors, outcome, worth, seen)
    for b in range(2):
        for t in range(6):
            past = sum(worth[outcome[b, i]] * vectors[b, i] for i in range(t + 1)) / (t + 1) ** 0.5
            assert torch.allclose(upto[b, t], past, atol=1e-5)
            rest = [i for i in range(6) if i != t and seen[b, i]]
            total = sum((worth[outcome[b, i]] * vectors[b, i] for i in rest), torch.zeros(3))
            assert torch.allclose(others[b, t], total / max(1, len(rest)) ** 0.5, atol=1e-5)


@pytest.mark.slow
def test_training_the_best_mode_learns_a_taste_and_scores_tracks_it_never_heard(make_world):
    world = make_world(events=500, tracks=400, dimension=6)
    split = split_by_time(world.log)
    content, config = world.catalogue.vectors, replace(SMALL, epochs=20)
    trained = train_sequential(split.train, split.validation, content, config, 0, lambda _: None, lambda: False)
    unheard = split.gate.where(~np.isin(split.gate.track, split.train.track))
    auc = Validator(split.train, unheard, config.length).pair_auc(trained.network)
    assert auc is not None
    assert auc > 0.75


@pytest.mark.slow
def test_without_a_liking_target_the_best_mode_knows_less_of_dislikes(make_log):
    """Two kinds of listener, each disliking what the other likes, and all hear everything alike: only labels tell them apart."""
    rng = np.random.default_rng(0)
    rows = []
    for t in range(4000):
        who, track = int(rng.integers(40)), int(rng.integers(60))
        rows.append((who, 0, track, t, 1 if (who % 2) == (track % 2) else -1))
    log = make_log(rows, tracks=60)
    later = np.arange(4000) >= 3200
    aucs = []
    for weight in (1.0, 0.0):
        config = replace(SMALL, epochs=6, liking_weight=weight, set_weight=0.0)
        network = train_sequential(
            log.where(~later), log.where(later), without_content(log), config, 0, lambda _: None, lambda: False
        ).network
        aucs.append(Validator(log.where(~later), log.where(later), 16).pair_auc(network))
    assert aucs[0] > aucs[1]
    assert aucs[0] > 0.9


@pytest.mark.slow
def test_a_refit_learns_from_the_validation_part_too(log):
    cut = np.arange(len(log)) < 180
    config = replace(SMALL, epochs=2)
    scores = {}
    for refit in (True, False):
        model = SequentialRecommender(replace(config, refit=refit), seed=1)
        model.fit_with_validation(log.where(cut), log.where(~cut))
        assert len(model.course) == 2
        scores[refit] = model._tracks[0]
    assert not torch.equal(scores[True], scores[False])


def test_what_is_off_leaves_no_parameter(log):
    plain = network_for(log, without_content(log), SequentialConfig(width=16, length=16))
    assert {name.split(".")[0] for name in plain.state_dict()} == {
        *("tower", "own", "outcome", "position", "station", "asked", "blocks", "norm")
    }
    assert SequentialConfig().loss is SequenceLoss.PAIR


@pytest.mark.slow
@pytest.mark.parametrize(("set_weight", "shallow"), [(2.0, 0.0), (0.0, 0.0), (0.0, 5.0)])
def test_the_weights_chosen_have_the_highest_sum_of_pair_auc_and_ndcg(log, set_weight, shallow):
    cut = np.arange(len(log)) < 150
    train, later = log.where(cut), log.where(~cut)
    network = network_for(train, without_content(log), replace(SMALL, set_weight=set_weight, shallow=shallow))
    before = network.config
    chosen = choose_weights(network, train, later)
    assert network.config == before
    figures = {}
    for order in ORDER_WEIGHTS if set_weight or shallow else (before.order_weight,):
        for appeal in APPEALS:
            network.config = replace(before, order_weight=order, appeal=appeal)
            figures[network.config] = sum(slow_figures(network, train, later))
    assert figures[chosen] == pytest.approx(max(figures.values()), abs=1e-9)
    assert len({round(figure, 6) for figure in figures.values()}) > 3


@torch.no_grad()
def slow_figures(network, train, later):
    aucs, ndcgs = [], []
    for who in np.unique(later.listener):
        history = np.flatnonzero(train.listener == who)
        asked = np.flatnonzero((later.listener == who) & later.judged)
        state = network(*tokens(train, history[None, -16:], network))[0, -1]
        query = network.query(state, torch.tensor(later.station[asked[0]]))
        scores = network.score(query, torch.arange(train.tracks)).numpy()
        plus, minus = (scores[later.track[asked[later.label[asked] * sign > 0]]] for sign in (1, -1))
        if len(plus) and len(minus):
            aucs.append(np.mean([(p > m) + 0.5 * (p == m) for p in plus for m in minus]))
        targets = set(later.track[asked[later.label[asked] > 0]]) - set(train.track[history])
        open_to = sorted(
            (t for t in range(train.tracks) if t not in set(train.track[history])), key=lambda t: -scores[t]
        )
        if targets:
            gain = sum(1 / np.log2(2 + place) for place, t in enumerate(open_to[:10]) if t in targets)
            ndcgs.append(gain / sum(1 / np.log2(2 + i) for i in range(min(10, len(targets)))))
    return np.mean(aucs), np.mean(ndcgs)


def test_without_a_pair_to_choose_by_the_weights_stay(log):
    network = network_for(log, without_content(log), SMALL)
    nothing = log.where(np.zeros(len(log), bool))
    assert choose_weights(network, log, nothing) == SMALL
    assert choose_weights(network, log, log.where(log.label > 0)) == SMALL


@torch.no_grad()
def test_what_the_transformer_weighs_changes_scores_only_beside_a_sum_of_the_history(log):
    rows = np.arange(12)[None, :]
    for set_weight, same in ((2.0, False), (0.0, True)):
        network = network_for(log, without_content(log), replace(SMALL, set_weight=set_weight, order_weight=1.0))
        before = network(*tokens(log, rows, network))
        network.config = replace(network.config, order_weight=0.25)
        assert torch.equal(before, network(*tokens(log, rows, network))) is same


@torch.no_grad()
def test_a_score_is_log_p_next_plus_appeal_times_log_p_like(log):
    network = network_for(log, without_content(log), replace(SMALL, appeal=3.0))
    state = network(*tokens(log, np.arange(9)[None, :], network))[0, -1]
    hidden, liking = state[:16], state[16:]
    query, everything = network.query(state, torch.tensor(1)), torch.arange(log.tracks)
    for track in everything:
        following = network.ask(hidden, torch.tensor(1)) @ network.items(track) + network.bias(track)
        odds = liking @ network.taste.vectors(track) + network.taste.bias(track) + network.taste.level(liking)[0]
        slow = float(following) + 3.0 * np.log(1 / (1 + np.exp(-float(odds))))
        assert float(network.score(query, track)) == pytest.approx(slow, abs=1e-4)
    together = network.score_all(query, network.scored(everything))
    assert torch.allclose(together, network.score(query, everything), atol=1e-5)
