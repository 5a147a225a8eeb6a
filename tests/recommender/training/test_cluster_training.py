"""Training on a Ray cluster of several nodes, all of them on this machine."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from recommender.sequence.items import Items
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.objective import batch_loss
from recommender.sequence.validation import FrozenValidator
from recommender.training.cluster_training import TrainingRequest, train
from recommender.training.compute import PROCESSOR
from recommender.training.loading import ShardRequest, draw_part
from recommender.training.sequential_recommender import export_sequential
from recommender.training.shards import ShardFolder
from recommender.training.trainer import RowsInMemory, TrainingSetup, optimiser_of, train_on
from tests.support.nodes import ray_nodes

pytestmark = pytest.mark.slow

NO_CONTENT = np.zeros((30, 0), np.float32)


@pytest.fixture(scope="module")
def cluster():
    with ray_nodes(3) as nodes:
        yield nodes


def test_one_worker_trains_the_very_network_that_training_in_memory_does(
    cluster, make_many, make_shards, small, tmp_path
):
    shards = make_shards(make_many(), shard_rows=5000, asked_listeners=60)
    figures = train(TrainingRequest(shards, tmp_path / "run", small, cluster.address))
    folder = ShardFolder(shards)
    assert folder.parts == 1
    judge = FrozenValidator(*folder.validation(), small.length)
    rows = RowsInMemory(folder.read(0), small, 0)
    rows.stations = folder.stations
    alone = train_on(rows, judge, NO_CONTENT, small, 0, TrainingSetup())
    assert [epoch["loss"] for epoch in figures["epochs"]] == [report.loss for report in alone.reports]
    found = load_file(tmp_path / "run" / "weights.safetensors")
    for name, array in export_sequential(alone).items():
        assert np.array_equal(found[name], array), name


def test_a_step_of_two_workers_is_that_of_both_batches_together(cluster, make_many, make_shards, small, tmp_path):
    config = replace(small, dropout=0.0, epochs=1)
    shards = make_shards(make_many(), shard_rows=900, asked_listeners=30)
    folder = ShardFolder(shards)
    assert folder.parts == 3
    train(TrainingRequest(shards, tmp_path / "run", config, cluster.address, workers=2, steps=1, seed=3))
    torch.manual_seed(3)
    network = SequentialNetwork(Items.of_counts(folder.counts, NO_CONTENT, 0.0), folder.stations, config).train()
    optimiser = optimiser_of(network, PROCESSOR)
    order = np.random.default_rng([3, 1]).permutation(3).tolist()
    drawn = [
        next(draw_part({"request": ShardRequest(shards, each, config, (3, 1, each), 0)}))["batch"] for each in order
    ]
    positions = [len(batch.target) for batch in drawn[:2]]
    assert positions[0] != positions[1]  # else a plain mean would do
    losses = [batch_loss(network, batch) * count for batch, count in zip(drawn, positions, strict=False)]
    (sum(losses) / sum(positions)).backward()
    optimiser.step()
    (checkpoint,) = (tmp_path / "run").glob("checkpoint_2*")
    found = torch.load(checkpoint / "state.pt", weights_only=True)["network"]
    for name, parameter in network.state_dict().items():
        assert torch.allclose(found[name], parameter, atol=1e-6), name


def test_a_node_lost_in_the_middle_changes_nothing_in_the_result(
    cluster, make_many, make_shards, small, tmp_path, capsys
):
    shards = make_shards(make_many(), shard_rows=600, asked_listeners=30)
    request = TrainingRequest(
        shards, tmp_path / "lost", replace(small, epochs=2), cluster.address, workers=2, checkpoint_every=0.5
    )

    def lose_a_node():
        deadline = time.monotonic() + 120.0
        kept = tmp_path / "lost" / "checkpoint_manager_snapshot.json"  # what Ray knows of, and goes on from
        while not (kept.exists() and "checkpoint_2" in kept.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.remove_node(working_node(), allow_graceful=False)

    def working_node():
        from ray._private.state import available_resources_per_node

        free = {node for node, has in available_resources_per_node().items() if has.get("CPU")}
        return next(node for node in cluster.worker_nodes if node.node_id not in free)

    losing = threading.Thread(target=lose_a_node)
    losing.start()
    disturbed = train(request)
    losing.join()
    assert "goes on in epoch" in capsys.readouterr().err
    undisturbed = train(replace(request, out=tmp_path / "whole"))
    assert [epoch["loss"] for epoch in disturbed["epochs"]] == [epoch["loss"] for epoch in undisturbed["epochs"]]
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("lost", "whole"))
    assert all(np.array_equal(first[name], second[name]) for name in first)
