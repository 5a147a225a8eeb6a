"""What runs on a Ray cluster of several nodes, all of them on this machine: one is started for all of it."""

import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from embeddings.cluster import FILES_A_TASK, embed_on_cluster
from embeddings.errors import EmbeddingError
from embeddings.pipeline import embed_many
from embeddings.weights.files import MUSICNN_WHEEL, ensure_weights
from recommender.cluster import connection
from recommender.datasets.opening import dataset_of
from recommender.experiments.model_comparison import compare_models
from recommender.experiments.run_config import configure
from recommender.experiments.store import RunStore
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
from tests.support.library import write_songs
from tests.support.nodes import ray_nodes

pytestmark = pytest.mark.slow

EPOCHS = 4
"""Long enough for a node to be lost in the middle."""
NO_CONTENT = np.zeros((30, 0), np.float32)


@pytest.fixture(scope="module")
def cluster():
    with ray_nodes(3) as nodes:
        yield nodes


def test_what_ray_writes_on_stdout_leaves_the_document_alone(cluster, capsys):
    sys.stdout.write("{")
    with connection(cluster.address):
        sys.stdout.write("(raylet) WARNING")
    sys.stdout.write("}")
    assert capsys.readouterr() == ("{}", "(raylet) WARNING")


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


def test_one_worker_whose_node_is_lost_trains_the_very_network_that_training_in_memory_does(
    cluster, make_many, make_shards, small, tmp_path, capsys
):
    config = replace(small, epochs=EPOCHS, patience=EPOCHS)
    shards = make_shards(make_many(), shard_rows=5000, asked_listeners=60)
    folder = ShardFolder(shards)
    assert folder.parts == 1

    def lose_a_node():
        deadline = time.monotonic() + 120.0
        kept = tmp_path / "run" / "checkpoint_manager_snapshot.json"  # what Ray knows of, and goes on from
        while not (kept.exists() and "checkpoint_2" in kept.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        cluster.remove_node(working_node(), allow_graceful=False)

    def working_node():
        from ray._private.state import available_resources_per_node

        free = {node for node, has in available_resources_per_node().items() if has.get("CPU")}
        return next(node for node in cluster.worker_nodes if node.node_id not in free)

    losing = threading.Thread(target=lose_a_node)
    losing.start()
    figures = train(TrainingRequest(shards, tmp_path / "run", config, cluster.address, checkpoint_every=0.3))
    losing.join()
    cluster.add_node(num_cpus=1)
    assert "goes on in epoch" in capsys.readouterr().err
    judge = FrozenValidator(*folder.validation(), config.length)
    rows = RowsInMemory(folder.read(0), config, 0)
    rows.stations = folder.stations
    alone = train_on(rows, judge, NO_CONTENT, config, 0, TrainingSetup())
    assert [epoch["loss"] for epoch in figures["epochs"]] == [report.loss for report in alone.reports]
    found = load_file(tmp_path / "run" / "weights.safetensors")
    for name, array in export_sequential(alone).items():
        assert np.array_equal(found[name], array), name


def test_a_lost_node_and_a_bad_file_cost_embedding_nothing_else(cluster, tmp_path):
    try:
        weights = ensure_weights(MUSICNN_WHEEL, named=None, cache=tmp_path / "weights")
    except EmbeddingError as error:
        pytest.skip(f"needs the weights of musicnn: {error}")
    files = sorted(write_songs(tmp_path / "songs", FILES_A_TASK + 3, 0.2).iterdir())
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(b"RIFF")
    lost = threading.Timer(2.0, lambda: cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False))
    lost.start()
    with connection(cluster.address) as ray:
        results = list(embed_on_cluster(ray, [*files, damaged], "musicnn", weights))
    lost.join()
    assert sorted(result.index for result in results) == list(range(len(files) + 1))
    assert [result.path for result in results if result.error] == [damaged]
    alone = {result.path: result.embedding for result in embed_many(files, "musicnn", weights, workers=1)}
    for result in results:
        if result.embedding is not None:
            np.testing.assert_allclose(result.embedding.vector, alone[result.path].vector, atol=1e-5)


def test_figures_do_not_depend_on_where_they_are_made(cluster, make_many, tmp_path):
    log = make_many(rows=600)
    dataset = dataset_of(replace(log, station=np.zeros(len(log), np.int64)), name="csv:made-up")
    question = configure(dataset, models="random,like-rate,biased-mf", seeds=2)
    alone = compare_models(RunStore(tmp_path / "one"), dataset, question)
    with connection(cluster.address):
        on_cluster = compare_models(RunStore(tmp_path / "two"), dataset, question)
    assert alone.results == on_cluster.results
