import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from recommender.sequence.validation import FrozenValidator
from recommender.training.__main__ import main
from recommender.training.checkpoints import CheckpointError, Checkpoints
from recommender.training.compute import Alone
from recommender.training.shards import ShardFolder
from recommender.training.trainer import TrainingSetup, train_on

pytestmark = pytest.mark.slow

NO_CONTENT = np.zeros((30, 0), np.float32)
QUESTION = {"data": "these", "seed": "0"}


class PulledPlugError(Exception):
    """Stands for whatever ends a training at once."""


@pytest.fixture
def train(make_many, make_shards, small, tmp_path):
    """Train on six shards or so, with a checkpoint after every round; may be cut off after so many steps."""
    folder = ShardFolder(make_shards(make_many(), shard_rows=400, asked_listeners=30))
    judge = FrozenValidator(*folder.validation(), small.length)

    def run(name, cut_after=None, question=QUESTION, config=small, restored=None):
        def on_step(report):
            if cut_after is not None and report.step >= cut_after:
                raise PulledPlugError

        keeper = Checkpoints(
            tmp_path / name, question, every=0.0, on_restore=(lambda _: None) if restored is None else restored.append
        )
        return train_on(folder, judge, NO_CONTENT, config, 0, TrainingSetup(keeper=keeper, on_step=on_step))

    return run


def weights(trained):
    return {name: value.numpy() for name, value in trained.network.state_dict().items()}


@pytest.mark.parametrize("cut_after", [12, 30])  # in the first epoch, and in the second
def test_a_training_that_goes_on_ends_as_one_that_was_never_interrupted(train, small, cut_after):
    config = replace(small, dropout=0.3)
    whole = train("whole", config=config)
    with pytest.raises(PulledPlugError):
        train("cut", cut_after=cut_after, config=config)
    restored = []
    resumed = train("cut", config=config, restored=restored)
    assert 0 < restored[0].step < cut_after
    assert not restored[0].finished
    first, second = weights(whole), weights(resumed)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert resumed.best_epoch == whole.best_epoch
    for ours, theirs in zip(resumed.reports, whole.reports, strict=True):
        assert replace(ours, seconds=0.0) == replace(theirs, seconds=0.0)


def test_a_finished_training_is_not_trained_again(train):
    whole = train("done")
    restored = []
    again = train("done", restored=restored, cut_after=0)
    assert restored[0].finished
    assert all(np.array_equal(weights(whole)[name], value) for name, value in weights(again).items())


def test_another_trainings_checkpoint_is_refused_by_what_differs(train):
    train("one")
    with pytest.raises(
        CheckpointError, match=r"is of another training \(seed is 0, not 1\): remove it, or write to another folder"
    ):
        train("one", question=QUESTION | {"seed": "1"})


def test_a_checkpoint_of_another_network_is_refused(train, small):
    train("one")
    with pytest.raises(CheckpointError, match="does not fit this training"):
        train("one", config=replace(small, width=32))


@pytest.mark.parametrize("place", [4, 300, -1000, -20])
def test_a_flipped_bit_anywhere_is_noticed(train, tmp_path, place):
    train("one")
    content = bytearray((tmp_path / "one").read_bytes())
    content[place] ^= 0x10
    (tmp_path / "one").write_bytes(content)
    with pytest.raises(CheckpointError, match="remove it to begin anew"):
        train("one")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04 a pickle", b"\xff" * 64])
def test_what_is_no_checkpoint_is_refused(train, tmp_path, content):
    (tmp_path / "one").write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be used"):
        train("one")


def test_a_cut_off_checkpoint_is_refused(train, tmp_path):
    train("one")
    content = (tmp_path / "one").read_bytes()
    (tmp_path / "one").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match="cannot be used"):
        train("one")


def test_a_header_that_was_written_by_another_hand_is_refused(train, tmp_path):
    train("one")
    path = tmp_path / "one"
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    header = json.loads(metadata["header"])
    header["position"]["step"] = 10**6
    save_file(load_file(path), path, metadata | {"header": json.dumps(header)})
    with pytest.raises(CheckpointError, match="not what was written"):
        train("one")


def test_no_half_written_checkpoint_is_ever_in_place(train, tmp_path, monkeypatch):
    train("one")
    before = (tmp_path / "one").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recommender.training.checkpoints.save_file", full)
    (tmp_path / "two").write_bytes(before)
    with pytest.raises(CheckpointError, match="cannot be written: no space left on device"):
        train("three")
    assert (tmp_path / "two").read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".three")]


def test_between_rounds_a_checkpoint_is_written_only_when_the_last_is_old(tmp_path):
    now, written = [0.0], []

    class Noted(Checkpoints):
        def after_epoch(self, state, ranks):
            written.append(state)

    keeper = Noted(tmp_path / "slow", QUESTION, every=100.0, clock=lambda: now[0])
    keeper.between_rounds("early", Alone())
    now[0] = 100.0
    keeper.between_rounds("late", Alone())
    assert written == ["late"]


def test_a_killed_training_goes_on_with_the_same_command_to_the_same_weights(make_many, make_shards, tmp_path, capsys):
    shards = make_shards(make_many(), shard_rows=300, asked_listeners=30)
    arguments = ["train", str(shards), "--mode", "faithful", "--epochs", "2", "--batch", "8", "--device", "cpu"]
    arguments += ["--checkpoint-every", "0", "--json", "--out"]
    checkpoint = tmp_path / "killed" / "checkpoint.safetensors"
    process = subprocess.Popen(
        [sys.executable, "-m", "recommender.training", *arguments, str(tmp_path / "killed")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "weights.safetensors").exists()

    assert main([*arguments, str(tmp_path / "killed")]) == 0
    resumed = capsys.readouterr()
    assert "goes on in epoch" in resumed.err
    assert main([*arguments, str(tmp_path / "whole")]) == 0
    whole = capsys.readouterr()
    losses = [[epoch["loss"] for epoch in json.loads(told.out)["epochs"]] for told in (resumed, whole)]
    assert len(losses[0]) == 2
    assert losses[0] == losses[1]
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "killed"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
