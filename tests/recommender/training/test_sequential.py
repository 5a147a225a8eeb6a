from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.configuration import SequentialConfig
from recommender.evaluation.query_states import MOST_ROWS
from recommender.events import split_by_time
from recommender.sequence.batches import batches
from recommender.sequence.network import dropout
from recommender.training.sequential_recommender import (
    FrozenValidator,
    Items,
    SequentialNetwork,
    Validator,
    export_sequential,
    train_sequential,
)
from tests.support.networks import scattered_network

SMALL = SequentialConfig(width=16, blocks=2, heads=2, length=16, epochs=20, learning_rate=0.005)


def silent(_):
    return None


def never():
    return False


def network_for(log, content, config=SMALL):
    return scattered_network(log, content, config)


def tokens(log, rows):
    columns = (log.track, log.outcome.astype(np.int64), log.station)
    return tuple(torch.from_numpy(column[rows]).unsqueeze(0) for column in columns)


@torch.no_grad()
def test_a_position_sees_nothing_of_what_comes_after_it(make_world):
    world = make_world()
    network = network_for(world.log, world.catalogue.vectors)
    rows = np.arange(12)
    changed = rows.copy()
    changed[8:] = np.arange(100, 104)
    before, after = network(*tokens(world.log, rows)), network(*tokens(world.log, changed))
    assert torch.allclose(before[:, :8], after[:, :8], atol=1e-6)
    assert not torch.allclose(before[:, 8:], after[:, 8:], atol=1e-3)


@torch.no_grad()
def test_what_was_thought_of_a_track_is_part_of_the_input(make_world):
    world = make_world()
    network = network_for(world.log, world.catalogue.vectors)
    track, outcome, station = tokens(world.log, np.arange(5))
    other = outcome.clone()
    other[0, -1] = 1 if outcome[0, -1] != 1 else 2
    assert not torch.allclose(network(track, outcome, station)[:, -1], network(track, other, station)[:, -1], atol=1e-3)


@torch.no_grad()
def test_a_track_never_heard_is_its_content_and_one_often_heard_has_its_own_vector(make_log):
    log = make_log([(0, 0, 1, t, 1) for t in range(45)] + [(0, 0, 2, 50, 1)], tracks=4)
    content = np.tile(np.float32([1.0, -1.0]), (4, 1))
    items = Items.of(log, content, id_shrinkage=5.0)
    assert items.row.tolist() == [0, 1, 2, 0]
    assert items.shrink == pytest.approx([0.0, 0.9, 1 / 6])
    network = network_for(log, content)
    vectors = network.items(torch.arange(4))
    assert torch.allclose(vectors[0], vectors[3])
    assert torch.allclose(vectors[1] - vectors[0], 0.9 * network.own[1], atol=1e-6)


def test_training_learns_a_taste_and_scores_tracks_it_never_heard(make_world):
    world = make_world(events=500, tracks=400, dimension=6)
    split = split_by_time(world.log)
    trained = train_sequential(split.train, split.validation, world.catalogue.vectors, SMALL, 0, silent, never)
    unheard_gate = split.gate.where(~np.isin(split.gate.track, split.train.track))
    assert len(unheard_gate) > 20
    auc = Validator(split.train, unheard_gate, SMALL.length).pair_auc(trained.network)
    assert auc is not None
    assert auc > 0.75


def test_the_best_epoch_is_kept_and_training_stops_when_it_no_longer_improves(make_world):
    world = make_world()
    split = split_by_time(world.log)
    config = replace(SMALL, epochs=30, patience=3)
    trained = train_sequential(split.train, split.validation, world.catalogue.vectors, config, 0, silent, never)
    aucs = [report.validation_auc for report in trained.reports]
    assert aucs[trained.best_epoch - 1] == max(aucs)
    assert len(aucs) == min(30, trained.best_epoch + 3)
    kept = Validator(split.train, split.validation, config.length).pair_auc(trained.network)
    assert kept == pytest.approx(max(aucs))


def test_the_realised_share_of_real_negatives_is_reported(make_world):
    world = make_world(events=400)
    split = split_by_time(world.log)
    trained = train_sequential(
        split.train, split.validation, world.catalogue.vectors, replace(SMALL, p_hard=1.0, epochs=1), 0, silent, never
    )
    assert trained.reports[0].hard_share == 1.0


def test_the_same_seed_trains_the_same_network(make_world):
    world = make_world()
    split = split_by_time(world.log)
    config = replace(SMALL, epochs=2)
    first, again, other = (
        export_sequential(
            train_sequential(split.train, split.validation, world.catalogue.vectors, config, seed, silent, never)
        )
        for seed in (0, 0, 1)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["sequence.own"], other["sequence.own"])


def test_training_leaves_the_global_random_state_alone(make_world):
    world = make_world()
    split = split_by_time(world.log)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_sequential(split.train, split.validation, world.catalogue.vectors, replace(SMALL, epochs=1), 0, silent, never)
    assert torch.equal(torch.rand(3), expected)


def test_training_works_without_content_and_without_validation(make_log):
    log = make_log([(u, 0, t % 7, t, 1 if t % 3 else -1) for t in range(30) for u in (0, 1)], tracks=7)
    empty = log.where(np.zeros(len(log), bool))
    config = replace(SMALL, epochs=2)
    trained = train_sequential(log, empty, np.zeros((7, 0), np.float32), config, 0, silent, lambda: True)
    assert len(trained.reports) == 1
    assert trained.reports[0].validation_auc is None


def test_a_log_with_nothing_to_predict_is_refused_in_words(make_log):
    log = make_log([(0, 0, 1, 0, 1), (0, 0, 2, 1, -1)], tracks=3)
    with pytest.raises(ValueError, match="positive after another event"):
        train_sequential(log, log, np.zeros((3, 0), np.float32), SMALL, 0, silent, never)


def test_of_a_long_history_the_validator_compares_the_newest_rows(make_world):
    log = make_world(events=2 * MOST_ROWS, tracks=20).log
    one = replace(log, station=np.zeros_like(log.station))
    network = network_for(one, np.zeros((20, 0), np.float32), SMALL)
    judged = np.flatnonzero(one.label != 0)

    def auc(rows):
        return Validator(one.where(np.arange(len(one)) < rows), one.where(np.arange(len(one)) >= rows), 16).pair_auc(
            network
        )

    assert auc(20) == auc(judged[-MOST_ROWS]) != auc(judged[-MOST_ROWS // 2])


@torch.no_grad()
def test_the_validator_equals_scoring_each_state_on_its_own(make_world):
    world = make_world(events=60, tracks=20)  # shorter than half a window: every state sees its whole history
    log = world.log
    network = network_for(log, world.catalogue.vectors, replace(SMALL, length=128))
    earlier, later = log.where(np.arange(60) < 40), log.where(np.arange(60) >= 40)
    won = []
    for i in range(40, 60):
        hidden = network(*tokens(log, np.arange(i)))[0, -1]
        taste = network.query(hidden, torch.tensor(log.station[i]))
        for j in range(i + 1, 60):
            if log.station[j] == log.station[i] and log.label[j] != log.label[i]:
                score = (network.items(torch.tensor([log.track[i], log.track[j]])) @ taste).numpy()
                margin = (score[0] - score[1]) * log.label[i]
                won.append(1.0 if margin > 1e-7 else 0.0 if margin < -1e-7 else 0.5)
    assert Validator(earlier, later, 128).pair_auc(network) == pytest.approx(np.mean(won))


def test_a_width_that_the_heads_do_not_divide_is_refused(make_log):
    log = make_log([(0, 0, 0, 0, 1)], tracks=1)
    with pytest.raises(ValueError, match="cannot be split"):
        SequentialNetwork(Items.of(log, np.zeros((1, 0), np.float32), 5.0), 1, replace(SMALL, heads=3))


def test_dropout_zeroes_its_share_and_keeps_the_mean():
    torch.manual_seed(0)
    x = torch.ones(400, 500)
    dropped = dropout(x, 0.2, training=True)
    kept = dropped[dropped > 0]
    assert float((dropped == 0).float().mean()) == pytest.approx(51 / 256, abs=0.005)
    assert torch.allclose(kept, torch.tensor(256 / 205))
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize(("share", "training"), [(0.0, True), (0.5, False)])
def test_without_training_or_a_share_dropout_changes_nothing(share, training):
    x = torch.randn(3, 5)
    assert dropout(x, share, training=training) is x


def test_dropout_passes_gradients_where_it_passes_values():
    torch.manual_seed(1)
    x = torch.ones(1001, requires_grad=True)  # no multiple of the four bytes in a random word
    dropped = dropout(x, 0.5, training=True)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


def test_batches_hold_every_window_once_and_windows_of_like_length_together():
    rng = np.random.default_rng(0)
    parts = [np.full(int(length), i) for i, length in enumerate(rng.integers(1, 65, size=333))]
    found = list(batches(parts, 16, rng))
    assert sorted(int(part[0]) for batch in found for part in batch) == list(range(333))
    assert max(len(batch) for batch in found) == 16
    padding = sum(max(len(part) for part in batch) * len(batch) for batch in found) / sum(len(p) for p in parts)
    assert padding < 1.3
    assert [len(batch[0]) for batch in found] != sorted(len(batch[0]) for batch in found)


@torch.no_grad()
def test_the_frozen_validator_equals_scoring_every_listener_once(make_log):
    rng = np.random.default_rng(2)
    rows = [
        (int(rng.integers(6)), int(rng.integers(2)), int(rng.integers(20)), t, int(rng.choice([-1, 1])))
        for t in range(300)
    ]
    log = make_log(rows, tracks=20)
    log.outcome[200] = 6  # a late skip is no clear answer, and is not judged
    train, later = log.where(np.arange(300) < 180), log.where(np.arange(300) >= 180)
    network = network_for(log, np.zeros((20, 0), np.float32))
    listeners = []
    for listener in range(6):
        history = train.where(train.listener == listener)
        hidden = network(*tokens(history, np.arange(max(0, len(history) - 16), len(history))))[0, -1]
        own = later.where((later.listener == listener) & later.judged)
        won = []
        for i in np.flatnonzero(own.label > 0):
            for j in np.flatnonzero((own.label < 0) & (own.station == own.station[i])):
                taste = network.query(hidden, torch.tensor(own.station[i]))
                margin = float(
                    taste @ (network.items(torch.tensor(own.track[i])) - network.items(torch.tensor(own.track[j])))
                )
                won.append(1.0 if margin > 1e-7 else 0.0 if margin < -1e-7 else 0.5)
        if won:
            listeners.append(np.mean(won))
    assert FrozenValidator(train, later, 16).pair_auc(network) == pytest.approx(np.mean(listeners), abs=1e-6)


def test_the_frozen_validator_has_no_opinion_without_pairs_or_history(make_log):
    log = make_log([(0, 0, 0, 0, 1), (0, 0, 1, 1, -1), (1, 0, 0, 2, 1), (1, 0, 1, 3, -1)], tracks=2)
    network = network_for(log, np.zeros((2, 0), np.float32))
    first, second = log.where(log.listener == 0), log.where(log.listener == 1)
    assert FrozenValidator(first, second, 16).pair_auc(network) is None  # nobody of the second has a history
    assert FrozenValidator(log, first.where(first.label > 0), 16).pair_auc(network) is None
