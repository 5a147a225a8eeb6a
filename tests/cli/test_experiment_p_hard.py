"""``player experiment p-hard``: one document, tables for people, runs repeated, wrong input in one sentence."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from player.cli.experiments.commands import ItemsChoice, ModeChoice, NegativesChoice
from recommender.configuration import Negatives
from recommender.experiments.p_hard_config import Mode, Tracks

pytestmark = pytest.mark.slow

COLUMNS = "listener=user,track=song,time=at,label=verdict"
ROW_KEYS = {"p_hard", "metric", "mean", "low", "high", "seeds"}


@pytest.fixture
def p_hard(player, plays):
    def call(*options, values="0,1", seeds=1):
        return player(
            "experiment", "p-hard", "--dataset", f"csv:{plays}", "--columns", COLUMNS, "--p-hard", values,
            "--seeds", seeds, "--epochs", 2, "--jobs", 1, *options,
        )  # fmt: skip

    return call


def test_the_document_has_a_row_for_every_figure_of_every_value(p_hard):
    document = p_hard("--json", seeds=2).document
    assert document["dataset"]["events"] == 400
    assert all(row.keys() == ROW_KEYS for row in document["results"])
    wanted = {"auc", "gini", "mrr_positive", "mrr_negative", "epochs", "ndcg@10", "coverage"}
    for value in (0, 1):
        assert {row["metric"] for row in document["results"] if row["p_hard"] == value} >= wanted
    assert {row["seeds"] for row in document["results"]} == {2}
    assert {row["model"] for row in document["baselines"]} == {"like-rate", "popularity"}
    assert [Path(path).name for path in document["figures"]] == ["figure-1.png", "figure-2.png", "popularity.png"]
    assert all(Path(path).stat().st_size > 5000 for path in document["figures"])


def test_the_best_mode_answers_in_the_same_form(p_hard):
    document = p_hard("--mode", "best", "--json").document
    assert document["configuration"]["mode"] == "best"
    assert any("Best mode" in note for note in document["notes"])
    assert {row["p_hard"] for row in document["results"]} == {0.0, 1.0}
    assert all(row.keys() == ROW_KEYS for row in document["results"])


def test_a_run_is_shown_and_repeated_to_the_last_digit(player, p_hard):
    first = p_hard("--json").document
    assert player("experiment", "show", first["id"], "--json").document == first
    repeated = player("experiment", "repeat", first["id"], "--json")
    assert (repeated.code, repeated.document["agree"], repeated.document["differences"]) == (0, True, [])


def test_people_read_the_table_the_trends_and_what_stands_beside(p_hard, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    said = p_hard(values="0,.4,1").out
    for piece in ("p_hard", "pair AUC", "MRR −", "epochs", "like-rate", "real negative", "section 6.2", "figure-1.png"):
        assert piece in said
    assert "higher for every p_hard above 0" in said


def test_a_narrow_terminal_is_told_what_it_does_not_show(p_hard, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = p_hard(values=".5").out
    assert "A wider terminal also shows" in said
    assert max(len(line) for line in said.splitlines() if "─" in line) <= 80


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--p-hard", "0,2"), "p_hard is a share between 0 and 1, not '2'"),
        (("--negatives", "implicit"), "has no implicit negatives"),
        (("--items", "content"), "has no content vectors"),
    ],
)
def test_wrong_wishes_are_one_sentence(p_hard, options, said):
    answer = p_hard(*options)
    assert answer.code == 2
    assert answer.out == ""
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_file_that_is_not_there_and_one_with_nothing_to_predict_are_one_sentence(player, tmp_path):
    assert "absent.dat" in player("experiment", "p-hard", "--dataset", f"movielens:{tmp_path}/absent.dat").sentence
    path = tmp_path / "sad.csv"
    rows = [f"u{i % 6},s{i},{1_700_000_000 + i},{1 if i < 6 else -1}" for i in range(60)]
    path.write_text("\n".join(["user,song,at,verdict", *rows]) + "\n")
    answer = player("experiment", "p-hard", "--dataset", f"csv:{path}", "--columns", COLUMNS, "--jobs", 1)
    assert "needs a positive after another event" in answer.sentence


def test_the_names_of_the_options_are_the_librarys():
    assert [str(each) for each in NegativesChoice] == [str(each) for each in Negatives]
    assert [str(each) for each in ItemsChoice] == [str(each) for each in Tracks]
    assert {str(each) for each in Mode} == {str(each) for each in ModeChoice}


def children_of(pid):
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # a process may end while it is looked at
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(path.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="children are counted in /proc")
def test_interrupted_it_ends_at_once_with_its_processes_and_says_what_is_kept(plays, tmp_path):
    arguments = (
        "experiment", "p-hard", "--dataset", f"csv:{plays}", "--columns", COLUMNS, "--p-hard", "0,1", "--seeds", "1",
        "--epochs", "100000", "--patience", "100000", "--jobs", "2", "--data-dir", str(tmp_path / "data"),
    )  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "player", *arguments], stderr=subprocess.PIPE, text=True, env=environment
    ) as run:
        deadline = time.monotonic() + 60.0
        while (
            len(children_of(run.pid)) < 3 and time.monotonic() < deadline
        ):  # two trainings and multiprocessing's tracker
            time.sleep(0.2)
        children = children_of(run.pid)
        assert len(children) == 3
        run.send_signal(signal.SIGINT)
        try:
            _, said = run.communicate(timeout=30)
        finally:
            run.kill()  # leaving the block waits for it
    assert run.returncode == 130
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 10.0
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
