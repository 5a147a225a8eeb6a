from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.evaluation.splits import split_listener_last
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.validation import FrozenValidator
from recommender.training.compute import Alone, DeviceError, Machine, Precision, machine_of
from recommender.training.row_sources import RowsInMemory, mixed, part_of
from recommender.training.sequential_recommender import (
    ABLATIONS,
    SequentialRecommender,
    export_sequential,
    train_sequential,
)
from recommender.training.shards import ShardFolder
from recommender.training.trainer import TrainingSetup, train_on

NO_CONTENT = np.zeros((30, 0), np.float32)


def weights(trained):
    return {name: value.numpy() for name, value in trained.network.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def in_memory(log, config, setting=None, parts=1, seed=0):
    split = split_listener_last(log, test=0.2, validation=0.0)
    judge = FrozenValidator(split.train, split.test, config.length)
    return train_on(RowsInMemory(split.train, parts), judge, NO_CONTENT, config, seed, setting or TrainingSetup())


@pytest.mark.slow
def test_one_shard_trains_the_very_network_that_the_log_in_memory_does(make_many, make_shards, small):
    log = make_many()
    folder = ShardFolder(make_shards(log, shard_rows=5000, asked_listeners=60))
    assert folder.parts == 1
    judge = FrozenValidator(*folder.validation(), small.length)
    streamed = train_on(folder, judge, NO_CONTENT, small, 0, TrainingSetup())
    whole = in_memory(log, small)
    assert same(weights(streamed), weights(whole))
    assert [report.loss for report in streamed.reports] == [report.loss for report in whole.reports]
    assert [report.validation_auc for report in streamed.reports] == [report.validation_auc for report in whole.reports]


@pytest.mark.slow
def test_training_on_many_shards_learns_the_taste_as_training_in_memory_does(make_many, make_shards, small):
    config = replace(small, epochs=12)
    log = make_many()
    folder = ShardFolder(make_shards(log, shard_rows=400, asked_listeners=60))
    assert folder.parts > 4
    judge = FrozenValidator(*folder.validation(), config.length)
    streamed = train_on(folder, judge, NO_CONTENT, config, 0, TrainingSetup())
    best = max(report.validation_auc for report in streamed.reports)
    assert best > 0.85
    assert best == pytest.approx(max(report.validation_auc for report in in_memory(log, config).reports), abs=0.08)
    assert streamed.reports[0].negatives.positions > 1000


@pytest.mark.slow
def test_every_epoch_takes_the_shards_in_another_order(make_many, make_shards, small):
    seen = []
    folder = ShardFolder(make_shards(make_many(), shard_rows=300), prepared=lambda log: seen.append(len(log)) or log)
    judge = FrozenValidator(*folder.validation(), small.length)
    seen.clear()
    train_on(folder, judge, NO_CONTENT, replace(small, epochs=3), 0, TrainingSetup())
    epochs = [tuple(seen[start : start + folder.parts]) for start in range(0, len(seen), folder.parts)]
    assert len(set(epochs)) == 3
    assert len({tuple(sorted(each)) for each in epochs}) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epochs"), [("faithful", 12), ("best", 2)])
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


def test_half_precision_needs_a_gpu_and_a_gpu_has_to_be_there(monkeypatch):
    with pytest.raises(DeviceError, match="fp16 needs a GPU"):
        machine_of("cpu", "fp16")
    assert machine_of("cpu", "auto").precision is Precision.SINGLE
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no GPU that torch can use"):
        machine_of("cuda", "auto")
    assert machine_of("auto", "auto").device.type == "cpu"


def test_training_ends_after_so_many_steps_and_says_how_far_it_came(make_many, small):
    told = []
    trained = in_memory(make_many(), small, TrainingSetup(most_steps=7, on_step=told.append))
    assert len(trained.reports) == 1
    assert told[-1].step == told[-1].steps == 7
    assert 0.0 < told[-1].share < 1.0
    assert told[-1].tokens == told[-1].seen > 7 * 16


def test_the_share_of_an_epoch_ends_at_one(make_many, small):
    told = []
    in_memory(make_many(), small, TrainingSetup(on_step=told.append))
    assert [report.share for report in told if report.epoch == 2][-1] == 1.0


def test_a_batch_with_nothing_to_predict_moves_nothing(make_log, small):
    """Every listener's last row has no target; a batch of such rows alone has a loss for nobody."""
    log = make_log([(u, 0, 1, u, 1) for u in range(40)] + [(99, 0, t % 3, 100 + t, 1) for t in range(3)], tracks=3)
    config = replace(small, batch=1, epochs=1)
    judge = FrozenValidator(log, log.where(np.zeros(len(log), bool)), 12)
    told = []
    train_on(RowsInMemory(log), judge, np.zeros((3, 0), np.float32), config, 0, TrainingSetup(on_step=told.append))
    assert told[-1].step == 1  # of 41 windows of a batch each, one has something to predict


@pytest.mark.slow
def test_a_log_in_memory_is_dealt_into_whole_listeners(make_many, small):
    log = make_many()
    rows = RowsInMemory(log, parts=3)
    parts = [rows.objective(part, small).log for part in range(3)]
    assert sum(map(len, parts)) == len(log)
    listeners = [set(part.listener.tolist()) for part in parts]
    assert all(listeners)
    assert sum(map(len, listeners)) == len(set.union(*listeners))
    positions = [in_memory(log, small, parts=parts).reports[0].negatives.positions for parts in (1, 3)]
    assert positions[0] == positions[1]  # whatever is learned in one part is learned in three


def test_other_rows_have_another_fingerprint(make_many):
    log = make_many()
    same_rows, fewer = RowsInMemory(make_many()), RowsInMemory(log.first(100))
    assert RowsInMemory(log).fingerprint == same_rows.fingerprint != fewer.fingerprint


def test_more_processes_than_parts_are_refused(make_many, small):
    class Four(Alone):
        size = 4

    with pytest.raises(ValueError, match="3 parts cannot be dealt to 4 processes"):
        in_memory(make_many(), small, TrainingSetup(ranks=Four()), parts=3)


def test_listeners_are_mixed_as_splitmix64_does_and_dealt_evenly():
    assert mixed(np.array([0])).tolist() == [0xE220A8397B1DCDAF]  # the generator's first number from seed 0
    counts = np.bincount(part_of(np.arange(70_000) * 64, 7), minlength=7)
    assert counts.min() > 9_600
    assert counts.max() < 10_400


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
    @pytest.mark.parametrize("name", ["faithful", "best"])
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
