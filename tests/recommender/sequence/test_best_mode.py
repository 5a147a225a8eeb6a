"""The elements of the best mode: each does what it says, and what is off leaves no trace."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import SequenceLoss, SequentialConfig, Target
from recommender.events import split_by_time
from recommender.models.token_features import gap_buckets, hour_buckets, share_buckets
from recommender.sequence.history_pooling import states, without_each
from recommender.sequence.inputs import tokens
from recommender.sequence.losses import hard_pair_loss, liking_loss, shared_softmax_loss
from recommender.sequence.negatives import SharedSampler
from recommender.sequence.objective import Objective
from recommender.sequence.score_weights import APPEALS, ORDER_WEIGHTS, choose_weights
from recommender.sequence.windows import listener_rows, padded
from recommender.training.sequential import Validator, train_sequential
from recommender.training.sequential_recommender import ABLATIONS, BEST_BY_GRADIENT, SequentialRecommender
from tests.support.networks import scattered_network

SMALL = replace(BEST_BY_GRADIENT, width=16, length=16, taste_width=4, batch=8, shared_negatives=32, learning_rate=0.005)
EVERYTHING = replace(
    SMALL,
    shallow=5.0,
    share_token=True,
    gap_token=True,
    hour_token=True,
    temperature=0.2,
    hard_weight=1.0,
    target=Target.LATER,
    unheard_prior=True,
    quality=True,
)


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
    made = make_log(rows, tracks=26)
    share = rng.random(240).astype(np.float32)
    share[::4] = np.nan
    return replace(made, share=share)


def batch_of(log, length=16):
    return padded([rows[:length] for rows in listener_rows(log)], length)


def loss_of(log, config, network, seed=0):
    loss, _ = Objective(log, config).loss(network, *batch_of(log), np.random.default_rng(seed))
    return loss


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


@torch.no_grad()
def test_a_track_never_heard_is_the_learned_prior_and_one_rarely_heard_is_near_it(make_log):
    log = make_log([(0, 0, 1, t, 1) for t in range(45)] + [(0, 0, 2, 50, 1)], tracks=4)
    network = network_for(log, without_content(log))
    vectors = network.items(torch.arange(4))
    assert torch.allclose(vectors[0], network.unheard)
    assert torch.allclose(vectors[3], network.unheard)
    assert torch.allclose(vectors[2], network.own[2] / 6 + network.unheard * 5 / 6, atol=1e-6)


def test_softmax_among_the_whole_catalogue_is_cross_entropy():
    rng = torch.Generator().manual_seed(0)
    scores, target = torch.randn(5, 9, generator=rng), torch.tensor([0, 3, 3, 8, 1])
    weight = torch.rand(5, generator=rng)
    positive = scores[torch.arange(5), target]
    collision = target[:, None] == torch.arange(9)
    slow = torch.nn.functional.cross_entropy(scores, target, reduction="none")
    fast = shared_softmax_loss(positive, scores.clone(), collision, weight)
    assert float(fast) == pytest.approx(float((slow * weight).sum() / weight.sum()), rel=1e-5)


@pytest.mark.parametrize("popularity_share", [0.0, 0.5, 1.0])
def test_the_correction_makes_any_draw_estimate_the_sum_over_the_catalogue(log, popularity_share):
    scores = np.random.default_rng(2).normal(size=log.tracks)
    sampler, rng = SharedSampler(log, 20, popularity_share), np.random.default_rng(3)
    drawn = [sampler.draw(rng) for _ in range(4000)]
    estimates = [np.sum(np.exp(scores[track]) / expected) for track, expected in drawn]
    likes = np.bincount(log.track[log.label > 0], minlength=log.tracks)
    reachable = likes > 0 if popularity_share == 1.0 else np.ones(log.tracks, bool)
    assert np.mean(estimates) == pytest.approx(np.exp(scores[reachable]).sum(), rel=0.03)


def test_a_catalogue_no_larger_than_the_draw_is_used_whole(log):
    track, expected = SharedSampler(log, 100, 0.5).draw(np.random.default_rng(0))
    assert track.tolist() == list(range(log.tracks))
    assert set(expected.tolist()) == {1.0}


@pytest.mark.parametrize(("count", "share"), [(0, 0.0), (5, -0.1), (5, 1.5)])
def test_an_impossible_draw_is_refused(log, count, share):
    with pytest.raises(ValueError, match="cannot be drawn"):
        SharedSampler(log, count, share)


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


@torch.no_grad()
def test_a_label_is_left_out_of_the_like_rate_that_foretells_it(log):
    network = network_for(log, without_content(log))
    track = int(log.track[log.label > 0][0])
    likes = int(np.sum((log.track == track) & (log.label > 0)))
    dislikes = int(np.sum((log.track == track) & (log.label < 0)))
    share = (np.sum(log.label > 0) + 1) / (np.sum(log.label != 0) + 2)

    def quality(plus, minus):
        return np.log((plus + 2 * share) / (minus + 2 - 2 * share)) - np.log(share / (1 - share))

    taste, index = network.taste, torch.tensor(track)
    own = float(taste.own_bias[network.row[track]])
    assert float(taste.bias(index)) == pytest.approx(own + quality(likes, dislikes), abs=1e-4)
    assert float(taste.bias(index, torch.tensor(1))) == pytest.approx(own + quality(likes - 1, dislikes), abs=1e-4)


def test_the_later_target_reaches_every_later_like_and_nothing_else(log):
    objective = Objective(log, replace(SMALL, target=Target.LATER))
    rng, row = np.random.default_rng(0), int(np.flatnonzero(log.listener == 2)[3])
    drawn = {int(objective._aims(np.array([[row]]), rng)[0, 0]) for _ in range(600)}
    later = np.flatnonzero((log.listener == 2) & (log.label > 0) & (np.arange(len(log)) > row))
    assert drawn == set(later.tolist())


def test_buckets_of_shares_gaps_and_hours():
    assert share_buckets(np.float32([np.nan, 0.0, 0.05, 0.5, 1.0])).tolist() == [0, 1, 1, 6, 10]
    assert gap_buckets(np.array([[5.0, 5.0, 6.0, 9.0, 1e12]])).tolist() == [[0, 1, 2, 3, 23]]
    assert hour_buckets(np.array([0.0, 3599.0, 3600.0, 25 * 3600.0, np.nan])).tolist() == [1, 1, 2, 2, 0]


@torch.no_grad()
@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("share_token", lambda log: replace(log, share=np.full(len(log), 0.95, np.float32))),
        ("gap_token", lambda log: replace(log, time=log.time * 50.0)),
        ("hour_token", lambda log: replace(log, time=log.time + 7200.0)),
    ],
)
def test_what_a_token_says_beside_is_input_only_where_it_is_switched_on(log, field, change):
    off = dict.fromkeys(("share_token", "gap_token", "hour_token"), False)
    rows = np.arange(10)[None, :]
    for on in (True, False):
        network = network_for(log, without_content(log), replace(SMALL, **(off | {field: on})))
        same = torch.equal(network(*tokens(log, rows, network)), network(*tokens(change(log), rows, network)))
        assert same is not on


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
    assert plain.constants() == {}
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
