import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.configuration import SequentialConfig
from recommender.sequence.network import Items, SequentialNetwork
from recommender.sequence.windows import padded
from recommender.training.compute import Alone, ranks_of_environment
from recommender.training.conversion import convert
from recommender.training.row_sources import batches
from recommender.training.shards import ShardFolder

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("two_processes.py")


@pytest.fixture(scope="module")
def outcome(make_many, make_stream, tmp_path_factory):
    """Shards (three, so that one rank of two idles at the end), and what two ranks made of them."""
    folder = tmp_path_factory.mktemp("ranks")
    convert(make_stream(make_many()), folder / "shards", shard_rows=900, asked_listeners=30)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(SCRIPT)]
    done = subprocess.run(
        [*command, str(folder / "shards"), str(folder)], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder


def loaded(path):
    with np.load(path) as file:
        return dict(file)


def test_a_step_of_two_ranks_has_the_gradient_of_both_batches_together(outcome):
    folder = ShardFolder(outcome / "shards")
    assert folder.parts == 3
    config = SequentialConfig(
        width=16, blocks=1, heads=2, length=12, epochs=2, patience=5, batch=16, dropout=0.0, id_shrinkage=0.0
    )
    torch.manual_seed(3)
    items = Items.of_counts(folder.counts, np.zeros((30, 0), np.float32), 0.0)
    network = SequentialNetwork(items, folder.stations, config).train()
    losses, positions = [], []
    order = np.random.default_rng([3, 1]).permutation(3)
    for rank in range(2):
        rng = np.random.default_rng([3, rank])
        objective = folder.objective(int(order[rank]), config)
        first = next(batches(list(objective.windows(rng)), config.batch, rng))
        loss, counts = objective.loss(network, *padded(first, config.length), rng)
        losses.append(loss)
        positions.append(counts.positions)
    assert positions[0] != positions[1]  # else a plain mean would do
    (sum(loss * count for loss, count in zip(losses, positions, strict=True)) / sum(positions)).backward()
    for rank in range(2):
        found = loaded(outcome / f"gradients-{rank}.npz")
        assert len(found) > 10
        for name, parameter in network.named_parameters():
            if parameter.numel():
                assert np.allclose(found[name], parameter.grad.numpy(), rtol=1e-4, atol=1e-7), name


def test_all_ranks_end_with_the_same_weights_figures_and_best_epoch(outcome):
    first, second = (loaded(outcome / f"trained-{rank}.npz") for rank in range(2))
    for name in set(first) - {"listeners", "parts_read"}:
        assert np.array_equal(first[name], second[name]), name
    assert np.all(np.isfinite(first["figures"]))
    assert first["figures"][0, 0] > first["figures"][1, 0]  # the loss falls


def test_ranks_see_disjoint_listeners_and_together_all_of_them(outcome):
    first, second = (loaded(outcome / f"trained-{rank}.npz") for rank in range(2))
    assert (int(first["parts_read"]), int(second["parts_read"])) == (4, 2)  # two epochs of three shards
    seen = [set(each["listeners"].tolist()) for each in (first, second)]
    assert not seen[0] & seen[1]
    folder = ShardFolder(outcome / "shards")
    assert seen[0] | seen[1] == {who for part in range(3) for who in folder.read(part).listener.tolist()}


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with ranks_of_environment("cpu") as ranks:
        assert isinstance(ranks, Alone)
        assert ranks.total(np.array([2.0, 3.0])).tolist() == [2.0, 3.0]
