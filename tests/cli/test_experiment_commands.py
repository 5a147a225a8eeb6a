"""``player experiment``: runs kept, listed, shown, compared and repeated; wrong input in one sentence."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from recommender.datasets.opening import dataset_of
from recommender.experiments.model_comparison import compare_models
from recommender.experiments.run_config import configure
from recommender.experiments.store import RunStore
from tests.support.golden import holds
from tests.support.random_logs import random_log

pytestmark = pytest.mark.slow

COLUMNS = "listener=user,track=song,time=at,label=verdict"
ROW_KEYS = {"model", "metric", "mean", "low", "high", "seeds"}


@pytest.fixture
def plays(plays):
    """The same table with one malformed row."""
    lines = plays.read_text().splitlines()
    lines.insert(200, "u1,s1,never,1")
    plays.write_text("\n".join(lines) + "\n")
    return plays


@pytest.fixture
def measure(player, plays):
    def call(*options, models="random,like-rate", seeds=2):
        return player(
            "experiment", "baselines", "--dataset", f"csv:{plays}", "--columns", COLUMNS,
            "--models", models, "--seeds", seeds, *options,
        )  # fmt: skip

    return call


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of one finished run, for tests of what is made of its record."""
    store = RunStore(tmp_path_factory.mktemp("kept") / "experiments")
    dataset = dataset_of(random_log(0, rows=300), name="csv:/nowhere.csv")
    compare_models(store, dataset, configure(dataset, models="random,like-rate"))
    return store.root


@pytest.fixture
def record(kept, tmp_path):
    """Its record's file in a data folder of one's own."""
    shutil.copytree(kept, tmp_path / "data" / "experiments")
    (path,) = (tmp_path / "data" / "experiments").glob("*/record.json")
    return path


def test_the_document_has_the_data_the_split_and_a_row_for_every_figure(measure, plays):
    document = measure("--json").document
    assert document["dataset"]["events"] == 400
    assert {"listeners", "tracks", "positive", "negative"} <= document["dataset"].keys()
    assert document["dataset"]["reading"]["malformed"] == 1
    assert document["split"]["name"] == "listener-last"
    assert all(row.keys() == ROW_KEYS and row["seeds"] == 2 for row in document["results"])
    assert {row["model"] for row in document["results"]} == {"random", "like-rate"}
    assert "like-rate" in document["conclusion"]
    assert all(Path(path).stat().st_size > 1000 for path in document["figures"])
    assert document["configuration"]["dataset"] == f"csv:{plays.resolve()}"


def test_a_run_is_listed_shown_compared_and_repeated(player, measure):
    first = measure("--json").document
    other = measure("--split", "global-time", "--json").document
    listed = player("experiment", "list", "--json").document
    assert [each["id"] for each in listed] == [other["id"], first["id"]]
    assert player("experiment", "show", first["id"][:6], "--json").document == first

    compared = player("experiment", "compare", first["id"], other["id"], "--json").document
    assert not compared["agree"]
    assert [each["path"] for each in compared["comparison"]["configuration"]] == ["split"]
    assert compared["comparison"]["same_data"]

    repeated = player("experiment", "repeat", first["id"], "--json")
    assert (repeated.code, repeated.document["agree"], repeated.document["differences"]) == (0, True, [])
    again = player("experiment", "show", repeated.document["repetition"], "--json").document
    assert again["repeats"] == first["id"]
    assert again["results"] == first["results"]


def test_people_read_tables_with_intervals_and_a_conclusion(player, measure, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    said = measure(models="random,popularity,like-rate").out
    for piece in ("16 listeners", "pair AUC", "Highest pair AUC", "Friedman", "pair-auc.png", "Gini@10"):
        assert piece in said
    identity = said.split()[1].rstrip(":")
    assert identity in player("experiment", "list").out
    assert "same to the last digit" in player("experiment", "compare", identity, identity).out
    assert "agrees to the last digit" in player("experiment", "repeat", identity).out
    table = player("experiment", "dataset", "--dataset", "log")
    assert table.code == 1


def test_the_sequential_model_is_compared_in_the_form_of_the_baselines(player, plays):
    asked = (
        "experiment", "sequential", "--dataset", f"csv:{plays}", "--columns", COLUMNS,
        "--models", "esasrec,like-rate", "--seeds", 1, "--jobs", 1,
    )  # fmt: skip
    document = player(*asked, "--json").document
    assert {row["model"] for row in document["results"]} == {"esasrec", "like-rate"}
    assert all(row.keys() == ROW_KEYS for row in document["results"])
    assert {row["rival"] for row in document["differences"]} == {"like-rate"}
    assert "esasrec less …" in player("experiment", "show", document["id"]).out
    wrong = player("experiment", "sequential", "--dataset", f"csv:{plays}", "--columns", COLUMNS, "--models", "bset")
    assert wrong.code == 2
    assert "bset" in wrong.err


def test_a_figure_that_does_not_repeat_is_named_and_the_exit_code_says_so(player, measure, tmp_path):
    identity = measure("--json").document["id"]
    path = tmp_path / "data" / "experiments" / identity / "record.json"
    record = json.loads(path.read_text())
    record["results"]["results"][0]["mean"] += 1e-15
    path.write_text(json.dumps(record))
    answer = player("experiment", "repeat", identity)
    assert answer.code == 1
    assert "results[0].mean" in answer.out


def test_changed_data_cannot_be_repeated(player, measure, plays):
    identity = measure("--json").document["id"]
    plays.write_text(plays.read_text() + "u1,s1,1900000000,1\n")
    assert "no longer those it was made on" in player("experiment", "repeat", identity).sentence
    plays.unlink()
    assert "plays.csv" in player("experiment", "repeat", identity).sentence


def test_a_damaged_record_is_told_and_the_others_still_list(player, record):
    good, bad = record.parent.name, "0" * 8
    broken = record.parent.with_name(bad)
    broken.mkdir()
    (broken / "record.json").write_text("{")
    answer = player("experiment", "list")
    assert good in answer.out
    assert bad in answer.err
    assert answer.code == 0
    assert "damaged" in player("experiment", "show", bad).sentence


def test_text_in_a_record_cannot_drive_the_terminal(player, record):
    path, identity = record, record.parent.name
    document = json.loads(path.read_text())
    document["results"]["conclusion"] = "\x1b]0;owned\x07[bold]x"
    document["results"]["results"][0]["model"] = "\x1b[2J"
    document["configuration"]["dataset"] = "a\nb\x1b"
    document["results"]["friedman"] = [1, "two"]
    path.write_text(json.dumps(document))
    said = player("experiment", "show", identity)
    assert said.code == 0
    assert "\x1b" not in said.out
    assert "[bold]x" in said.out
    assert "\x1b" not in player("experiment", "list").out


@pytest.mark.parametrize("depth", [150, 100_000])
def test_a_record_that_is_nested_deeply_is_shown_or_told(player, record, depth):
    path, identity = record, record.parent.name
    nested = "[" * depth + "]" * depth
    path.write_text(path.read_text().replace('"configuration": {', f'"configuration": {{"deep": {nested},', 1))
    for command in (("show", identity), ("compare", identity, identity), ("repeat", identity), ("list",)):
        answer = player("experiment", *command, "--json")
        assert answer.code == 0 or len(answer.err.splitlines()) == 1, answer


def test_a_data_set_is_described_with_what_was_wrong_in_it(player, plays):
    document = player("experiment", "dataset", "--dataset", f"csv:{plays}", "--columns", COLUMNS, "--json").document
    facts = document["dataset"]
    assert (facts["events"], facts["listeners"], facts["tracks"]) == (400, 16, 25)
    (problem,) = facts["reading"]["problems"]
    assert problem["line"] == 201
    said = player("experiment", "dataset", "--dataset", f"csv:{plays}", "--columns", COLUMNS).out
    assert "line 201" in said
    assert "2023-11-14" in said


WRONG = [
    (2, ("--dataset", "nothing")),
    (2, ("--dataset", "vinyl:x")),
    (1, ("--dataset", "csv:/nowhere.csv", "--columns", "a=b")),
    (2, ("--dataset", "csv:PLAYS", "--columns", "listener")),
    (1, ("--dataset", "csv:PLAYS", "--columns", "listener=user,track=tune,label=verdict")),
    (2, ("--dataset", "csv:PLAYS", "--columns", COLUMNS, "--models", "oracle")),
    (2, ("--dataset", "csv:PLAYS", "--columns", COLUMNS, "--models", "content-knn")),
    (2, ("--dataset", "csv:PLAYS", "--columns", COLUMNS, "--music", "/tmp")),
    (2, ("--dataset", "csv:PLAYS", "--columns", "listener=user,track=song,label=verdict", "--split", "global-time")),
    (1, ("--dataset", "log")),
    (2, ("--dataset", "log", "--columns", "a=b")),
]


def test_wrong_input_is_one_sentence(player, plays):
    said = []
    for code, arguments in WRONG:
        answer = player("experiment", "baselines", *(each.replace("PLAYS", str(plays)) for each in arguments), "--json")
        (sentence,) = answer.err.splitlines()
        assert (answer.code, answer.out) == (code, ""), answer
        said.append(f"{' '.join(arguments)}\n    {sentence.replace(str(plays), 'PLAYS')}\n")
    assert holds("experiment-wrong-input", "".join(said))


def test_a_number_out_of_range_is_wrong_usage(player):
    answer = player("experiment", "baselines", "--dataset", "log", "--seeds", "0", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.err


def test_only_likes_or_one_moment_is_refused(player, tmp_path):
    path = tmp_path / "likes.csv"
    path.write_text("user,song,at,verdict\n" + "".join(f"u{n},s1,{n},1\n" for n in range(20)))
    asked = ("experiment", "baselines", "--dataset", f"csv:{path}", "--columns", COLUMNS, "--models", "random")
    assert "no negative" in player(*asked).sentence
    path.write_text("user,song,at,verdict\n" + "".join(f"u{n % 6},s{n},7,{1 - 2 * (n % 2)}\n" for n in range(40)))
    assert "nothing to measure on" in player(*asked).sentence


def test_the_players_own_log_is_a_data_set_too(demo, player, tmp_path):
    models = "random,like-rate,personal-most-played,act-r,content-knn"
    rng = np.random.default_rng(1)
    lines = [
        {
            "event": ["finish", "skip", "up", "down"][rng.integers(4)],
            "track_id": demo.rows[rng.integers(len(demo.rows))].id,
            "station": "Evening",
            "position": 5.0,
            "at": f"2026-03-{1 + number // 8:02d}T{8 + number % 8:02d}:00:00+00:00",
        }
        for number in range(120)
    ]
    file = tmp_path / "told.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    assert player("feedback", "--from", file).code == 0
    document = player(
        "experiment", "baselines", "--dataset", "log", "--models", models, "--seeds", 2, "--json"
    ).document
    assert (document["split"]["name"], document["split"]["state"]) == ("global-time", "walking")
    assert document["dataset"]["listeners"] == 1
    assert all(row["mean"] is not None for row in document["results"])
    # What is logged later does not stand in the way of a repetition.
    player("feedback", "up", demo.track_ids[0])
    assert player("experiment", "repeat", document["id"], "--json").document["agree"]


def test_interrupted_by_ctrl_c_the_same_command_goes_on(plays, player, measure, tmp_path):
    command = [
        sys.executable, "-m", "player", "experiment", "baselines", "--dataset", f"csv:{plays}", "--columns", COLUMNS,
        "--models", "random,like-rate", "--seeds", "400", "--json",
    ]  # fmt: skip
    data = tmp_path / "data"
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PLAYER_DATA_DIR": str(data)},
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(data.glob("experiments/*/parts/random-seed-1-*")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "the same command goes on" in err
    assert "Traceback" not in err
    (unfinished,) = player("experiment", "list", "--json").document
    assert not unfinished["finished"]
    assert "interrupted" in player("experiment", "show", unfinished["id"]).out
    assert "finish it first" in player("experiment", "repeat", unfinished["id"]).sentence
    kept = {path.name: path.stat().st_mtime_ns for path in data.glob("experiments/*/parts/*")}
    assert len(kept) >= 2
    assert measure("--json", seeds=2).document["id"] != unfinished["id"]


def test_names_of_splits_and_states_are_the_librarys():
    from player.cli.experiments.commands import SplitChoice, StateChoice
    from recommender.evaluation.query_states import State
    from recommender.experiments.run_config import SplitName

    assert [each.value for each in SplitChoice] == [each.value for each in SplitName]
    assert [each.value for each in StateChoice] == [each.value for each in State]


@pytest.mark.shared
def test_reference_points_of_cm100k_hold(player):
    ratings = Path(__file__).parents[3] / "shared" / "feedback" / "cm100k" / "ratings.tsv"
    if not ratings.exists():
        pytest.skip("the development data are not beside the repository")
    document = player(
        "experiment",
        "baselines",
        "--dataset",
        f"cm100k:{ratings}",
        "--models",
        "random,like-rate",
        "--seeds",
        1,
        "--json",
    ).document
    auc = {row["model"]: row for row in document["results"] if row["metric"] == "auc"}
    assert auc["random"]["low"] < 0.5 < auc["random"]["high"]
    assert 0.73 < auc["like-rate"]["mean"] < 0.78
    assert document["split"]["ordered"] is False


def test_a_kind_that_is_not_known_is_shown_by_name_and_not_repeated(player, record):
    path, identity = record, record.parent.name
    path.write_text(json.dumps({**json.loads(path.read_text()), "kind": "sorcery"}))
    assert "does not know" in player("experiment", "show", identity).out
    assert "'sorcery'" in player("experiment", "repeat", identity).sentence


def test_every_kind_of_experiment_is_a_command_that_is_shown():
    from player.cli.experiments.commands import experiment_app
    from player.cli.experiments.tables import PRINTERS
    from player.research.runs import KINDS

    commands = {command.name for command in experiment_app.registered_commands}
    assert KINDS.keys() == PRINTERS.keys()
    assert KINDS.keys() - commands == {"habits"}, "what baselines does with plays"
