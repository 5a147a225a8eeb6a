from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from recommender.evaluation.splits import split_listener_last
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.validation import FrozenValidator
from recommender.training.checkpoints import CheckpointError, Mark, load_state, save_state
from recommender.training.compute import Machine, Precision
from recommender.training.loading import ShardRequest, draw_part
from recommender.training.sequential_recommender import (
    ABLATIONS,
    SequentialRecommender,
    export_sequential,
    train_sequential,
)
from recommender.training.shards import ShardFolder
from recommender.training.trainer import RowsInMemory, TrainingSetup, train_on

NO_CONTENT = np.zeros((30, 0), np.float32)


def weights(trained):
    return {name: value.numpy() for name, value in trained.network.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def in_memory(log, config, setting=None, seed=0):
    split = split_listener_last(log, test=0.2, validation=0.0)
    judge = FrozenValidator(split.train, split.test, config.length)
    return train_on(
        RowsInMemory(split.train, config, seed), judge, NO_CONTENT, config, seed, setting or TrainingSetup()
    )


def test_a_shard_gives_the_very_batches_that_the_log_in_memory_does(make_many, make_shards, small):
    log = make_many()
    folder = make_shards(log, shard_rows=5000, asked_listeners=60)
    assert ShardFolder(folder).parts == 1
    split = split_listener_last(log, test=0.2, validation=0.0)
    whole = RowsInMemory(split.train, small, 5).epoch(2, Mark())
    read = draw_part({"request": ShardRequest(folder, 0, small, (5, 2, 0), 7)})
    compared = 0
    for (mark, mine), row in zip(whole, read, strict=True):
        assert (row["part"], row["batches"]) == (7, mark.batches)
        for column in fields(mine):
            assert np.array_equal(getattr(row["batch"], column.name), getattr(mine, column.name)), column.name
        compared += 1
    assert compared > 5


def test_an_epoch_that_is_gone_on_with_gives_the_batches_that_were_left(make_many, small):
    rows = RowsInMemory(make_many(), small, 0)
    whole, rest = list(rows.epoch(1, Mark())), list(rows.epoch(1, Mark(0, 4)))
    assert [mark for mark, _ in rest] == [mark for mark, _ in whole][4:]
    assert all(
        np.array_equal(mine.target, theirs.target) for (_, mine), (_, theirs) in zip(rest, whole[4:], strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs"), [("faithful", 12), ("esasrec", 12)])
def test_bfloat16_trains_to_about_the_same_with_weights_in_single_precision(make_many, name, epochs):
    config = replace(
        ABLATIONS[name], width=16, blocks=1, heads=2, length=12, epochs=epochs, batch=16, learning_rate=0.01
    )
    log = make_many()
    machine = Machine(torch.device("cpu"), Precision.BFLOAT)
    half, single = in_memory(log, config, TrainingSetup(machine=machine)), in_memory(log, config)
    assert {value.dtype for value in half.network.state_dict().values()} == {torch.float32}
    assert not same(weights(half), weights(single))
    aucs = [max(report.validation_auc for report in trained.reports) for trained in (half, single)]
    assert aucs[0] == pytest.approx(aucs[1], abs=0.05)
    assert aucs[0] > 0.85


def test_products_are_computed_in_bfloat16_only_within_the_machines_context():
    matrix = torch.ones(4, 4)
    with Machine(torch.device("cpu"), Precision.BFLOAT).mixed:
        assert (matrix @ matrix).dtype == torch.bfloat16
    with Machine(torch.device("cpu"), Precision.SINGLE).mixed:
        assert (matrix @ matrix).dtype == torch.float32


def test_training_ends_after_so_many_steps_and_says_how_far_it_came(make_many, small):
    told = []
    trained = in_memory(make_many(), small, TrainingSetup(most_steps=7, on_step=told.append))
    assert len(trained.reports) == 1
    assert told[-1].step == told[-1].steps == 7
    assert told[-1].tokens == told[-1].seen > 7 * 16


def test_a_batch_with_nothing_to_predict_moves_nothing(make_log, small):
    """Every listener's last row has no target; a batch of such rows alone has a loss for nobody."""
    log = make_log([(u, 0, 1, u, 1) for u in range(40)] + [(99, 0, t % 3, 100 + t, 1) for t in range(3)], tracks=3)
    config = replace(small, batch=1, epochs=1)
    judge = FrozenValidator(log, log.where(np.zeros(len(log), bool)), 12)
    told = []
    train_on(
        RowsInMemory(log, config, 0), judge, np.zeros((3, 0), np.float32), config, 0, TrainingSetup(on_step=told.append)
    )
    assert told[-1].step == 1  # of 41 windows of a batch each, one has something to predict


class PulledPlugError(Exception):
    """Stands for whatever ends a training at once."""


def restored_from(folder):
    return TrainingSetup(restore=lambda state: load_state(state, folder))


@pytest.mark.slow
@pytest.mark.parametrize("cut_after", [5, 25])  # in the first epoch, and in the second
def test_a_training_that_goes_on_ends_as_one_that_was_never_interrupted(make_many, small, tmp_path, cut_after):
    config = replace(small, dropout=0.3)
    whole = in_memory(make_many(), config)

    def keep(state):
        if state.position.step >= cut_after:
            save_state(state, tmp_path)
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        in_memory(make_many(), config, TrainingSetup(keep=keep, keep_seconds=0.0))
    resumed = in_memory(make_many(), config, restored_from(tmp_path))
    assert same(weights(resumed), weights(whole))
    assert resumed.best_epoch == whole.best_epoch
    for ours, theirs in zip(resumed.reports, whole.reports, strict=True):
        assert replace(ours, seconds=0.0) == replace(theirs, seconds=0.0)


@pytest.mark.slow
def test_a_finished_training_is_not_trained_again(make_many, small, tmp_path):
    whole = in_memory(make_many(), small, TrainingSetup(keep=lambda state: save_state(state, tmp_path)))
    again = in_memory(make_many(), small, replace(restored_from(tmp_path), on_step=pytest.fail))
    assert same(weights(again), weights(whole))


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [lambda content: b"", lambda content: content[:5000], lambda _: b"\x80\x04 a pickle"]
)
def test_a_damaged_checkpoint_or_that_of_another_network_is_refused(make_many, small, tmp_path, damage):
    in_memory(make_many(), replace(small, epochs=1), TrainingSetup(keep=lambda state: save_state(state, tmp_path)))
    with pytest.raises(CheckpointError, match=r"cannot be used .*: train into another folder"):
        in_memory(make_many(), replace(small, width=32), restored_from(tmp_path))
    path = tmp_path / "state.pt"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=r"cannot be used"):
        in_memory(make_many(), small, restored_from(tmp_path))


class TestStart:
    """Going on from weights of an earlier model."""

    @pytest.fixture
    def split(self, make_many):
        return split_listener_last(make_many(), test=0.2, validation=0.0)

    def train(self, split, config, start=None, seed=0):
        return train_sequential(
            split.train, split.test, NO_CONTENT, config, seed, lambda _: None, lambda: False, start=start
        )

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["faithful", "esasrec"])
    @pytest.mark.parametrize("shrinkage", [0.0, 5.0])
    def test_a_start_is_where_training_begins(self, split, name, shrinkage):
        config = replace(
            ABLATIONS[name], width=16, blocks=1, length=12, epochs=1, batch=16, id_shrinkage=shrinkage, refit=False
        )
        earlier = export_sequential(self.train(split, config))
        frozen = replace(config, learning_rate=0.0)
        again = export_sequential(self.train(split, frozen, earlier, seed=5))
        assert earlier.keys() == again.keys()
        assert all(np.allclose(earlier[key], again[key], atol=1e-6) for key in earlier)

    @pytest.mark.slow
    def test_what_is_left_out_or_nan_begins_afresh(self, split, small):
        frozen = replace(small, learning_rate=0.0, epochs=1)
        fresh = export_sequential(self.train(split, frozen))
        start = {
            "sequence.own": np.full_like(fresh["sequence.own"], np.nan),
            "sequence.norm.bias": np.ones(16, np.float32),
        }
        start["sequence.own"][3] = 0.25
        begun = export_sequential(self.train(split, frozen, start))
        assert np.all(begun["sequence.norm.bias"] == 1.0)
        assert np.all(begun["sequence.own"][3] == 0.25)
        others = np.arange(len(fresh["sequence.own"])) != 3
        assert np.array_equal(begun["sequence.own"][others], fresh["sequence.own"][others])
        assert np.array_equal(begun["sequence.outcome"], fresh["sequence.outcome"])

    @pytest.mark.slow
    def test_a_good_start_is_ahead_after_one_epoch(self, split, small):
        one = replace(small, epochs=1)
        earlier = self.train(split, replace(small, epochs=10))
        ahead = self.train(split, one, export_sequential(earlier), seed=1).reports[0].validation_auc
        assert ahead > self.train(split, one, seed=1).reports[0].validation_auc + 0.02

    def test_weights_that_do_not_fit_are_refused_by_name(self, split, small):
        with pytest.raises(ValueError, match=r"hold sequence\.nose, which this network does not have"):
            self.train(split, small, {"sequence.nose": np.zeros(3, np.float32)})
        with pytest.raises(ValueError, match=r"sequence.own to start from has shape \(2, 16\) instead of \(31, 16\)"):
            self.train(split, small, {"sequence.own": np.zeros((2, 16), np.float32)})


@pytest.mark.slow
def test_the_network_comes_back_on_the_processor_and_ready_to_score(make_many, small):
    trained = in_memory(make_many(), small)
    assert isinstance(trained.network, SequentialNetwork)
    assert trained.network.device.type == "cpu"
    assert not trained.network.training
    assert trained.reports[0].seconds > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("p_hard", [0.0, 0.4, 1.0])
def test_every_share_of_real_negatives_is_waited_for_with_the_same_patience(make_many, small, p_hard):
    still = replace(small, p_hard=p_hard, learning_rate=0.0, epochs=20, patience=3)  # no epoch is better than the first
    assert len(in_memory(make_many(), still).reports) == 4
    recommender = SequentialRecommender(still)
    recommender.fit(make_many())
    assert len(recommender.course) == 4
