import json

import pytest
from safetensors.numpy import load_file

from recommender.training.__main__ import main


@pytest.fixture
def table(tmp_path):
    lines = ["user,song,what"]
    lines += [f"u{i % 11},s{i * 7 % 13},{'up' if (i % 11 + i * 7 % 13) % 2 else 'down'}" for i in range(600)]
    (tmp_path / "plays.csv").write_text("\n".join(lines) + "\n")
    return f"csv:{tmp_path / 'plays.csv'}", "listener=user,track=song,outcome=what"


@pytest.mark.slow
def test_a_table_is_converted_and_trained_on(table, tmp_path, capsys):
    dataset, columns = table
    assert (
        main(["convert", dataset, str(tmp_path / "shards"), "--columns", columns, "--shard-rows", "200", "--json"]) == 0
    )
    told = capsys.readouterr()
    assert json.loads(told.out)["tracks"] == 13
    assert "held out for validation" in told.err
    arguments = ["train", str(tmp_path / "shards"), "--out", str(tmp_path / "out"), "--mode", "best", "--epochs", "2"]
    assert main([*arguments, "--json"]) == 0
    told = capsys.readouterr()
    figures = json.loads(told.out)
    assert figures["shards"] > 2
    assert any("no order" in note for note in figures["notes"])
    assert [epoch["epoch"] for epoch in figures["epochs"]] == [1, 2]
    assert figures["steps_per_second"] > 0
    assert figures == json.loads((tmp_path / "out" / "training.json").read_text())
    assert "epoch 2 done" in told.err
    assert load_file(tmp_path / "out" / "weights.safetensors")["sequence.own"].shape == (14, 64)
    assert main([*arguments, "--seed", "1"]) == 1
    assert "another training, whose seed is not this one's" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", ".", "--out", "OUT"], "no finished folder of shards"),
        (["convert", "nonsense", "OUT"], "does not name a data set"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, said, tmp_path, capsys):
    assert main([str(tmp_path / "out") if each == "OUT" else each for each in arguments]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert len(told.err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["train", "x"], ["train", "x", "--out", "y", "--steps", "0"], ["fly"]])
def test_a_command_that_makes_no_sense_is_a_usage_error(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
