"""``player retrain`` as it goes: incremental by default, progress that can be read, and Ctrl-C, once and twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from player.cli.progress import TrainingReporter, stopping_on_interrupt
from player.jobs import JobProgress, TerminalReporter
from recommender.models.registry import Registry
from tests.cli.test_learning_commands import tell_a_taste

PATIENCE_SECONDS = 120.0


@pytest.mark.slow
def test_a_second_training_goes_on_from_the_first_and_a_full_one_is_had_for_the_asking(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    first = player("retrain", "--epochs", 1, "--json").document
    assert (first["lineage"]["kind"], first["lineage"]["why"]) == ("full", "no model to go on from")
    player("models", "promote", first["version"])
    for track in demo.track_ids[:6]:
        player("feedback", "finish", track, "--station", "Evening")

    second = player("retrain", "--epochs", 1, "--json").document
    assert (second["lineage"]["kind"], second["lineage"]["parent"]) == ("incremental", first["version"])
    assert second["lineage"]["replayed_rows"] > 0
    shown = player("models", "show", second["version"])
    assert f"went on from {first['version']} with" in shown.out
    assert player("models", "show", second["version"], "--json").document["lineage"] == second["lineage"]

    third = player("retrain", "--epochs", 1, "--full", "--json").document
    assert (third["lineage"]["kind"], third["lineage"]["why"]) == ("full", "asked for")
    assert list(third)[-1] == "seconds"


@pytest.mark.slow
def test_with_after_nothing_happens_before_there_are_so_many_new_answers(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    assert player("retrain", "--epochs", 1, "--after", 20, "--json").document["version"]
    player("feedback", "finish", demo.track_ids[0])
    early = player("retrain", "--after", 20, "--json").document
    assert early["version"] is None
    assert early["missing"] == ["19 more answers since the last training (have 1 of 20)"]
    assert len(Registry(demo.paths.models).versions()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "loss"), [("faithful", "pair"), ("best", None)])
def test_a_mode_decides_how_the_sequence_is_learned(demo, player, tmp_path, mode, loss):
    from recommender.training.sequential_recommender import ESASREC, FAITHFUL

    tell_a_taste(demo, player, tmp_path)
    version = player("retrain", "--mode", mode, "--epochs", 1, "--json").document["version"]
    configuration = player("models", "show", version, "--json").document["configuration"]
    wanted = ESASREC if mode == "best" else FAITHFUL
    assert configuration["sequential.loss"] == (loss or wanted.loss)
    assert configuration["sequential.p_hard"] == wanted.p_hard
    assert configuration["sequential.length"] == wanted.length


# --- progress


def epochs(count):
    return [JobProgress("Training the sequence", n, count, 3.0, 0.5 + n / 100, 1.0 / n) for n in range(1, count + 1)]


def test_where_lines_stay_every_epoch_is_a_line_with_loss_and_auc(capsys):
    reporter = TrainingReporter(TerminalReporter(), terminal=False)
    for progress in epochs(4):
        reporter.progress(progress)
    text = capsys.readouterr().err
    lines = text.splitlines()
    assert len(lines) == 4
    assert "\x1b" not in text
    assert "4/4" in lines[-1]
    assert "loss 0.250  AUC 0.540" in lines[-1]


def test_on_a_terminal_two_curves_are_redrawn_in_place(capsys):
    reporter = TrainingReporter(TerminalReporter(), terminal=True)
    for progress in epochs(8):
        reporter.progress(progress)
    text = capsys.readouterr().err
    assert text.count("\x1b[3A") == 7
    last = text.rsplit("\x1b[3A", 1)[1]
    assert "loss █" in last
    assert "AUC  ▁▂▃▄▅▆▇█ 0.580, at best 0.580" in last


# --- Ctrl-C


def test_the_first_interrupt_asks_to_stop_and_the_second_interrupts():
    stop, said = threading.Event(), []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stopping_on_interrupt(stop, said.append, "Ending."):
            signal.raise_signal(signal.SIGINT)
            assert stop.is_set()
            assert said == ["Ending."]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def start_training(folder):
    """A training of the demo library's listener as a process of its own, which has begun with the sequence."""
    process = subprocess.Popen(
        [sys.executable, "-m", "player", "retrain", "--epochs", "4000", "--json"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PLAYER_DATA_DIR": str(folder)},
    )
    assert process.stderr is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "Training the sequence" not in process.stderr.readline():
        assert time.monotonic() < deadline
        assert process.poll() is None
    return process


def versions(folder: Path):
    return [card.version for card in Registry(folder / "models").versions()]


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far_measured_and_twice_changes_nothing(demo, player, tmp_path):
    tell_a_taste(demo, player, tmp_path)
    stopped = start_training(demo.paths.data)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=PATIENCE_SECONDS)
    assert stopped.returncode == 0, err
    assert "Ctrl-C again leaves at once" in err
    assert '"stopped": true' in out
    (kept,) = versions(demo.paths.data)
    assert player("models", "show", kept, "--json").document["metrics"]["auc"]["mean"] is not None

    left = start_training(demo.paths.data)
    left.send_signal(signal.SIGINT)
    time.sleep(0.05)
    left.send_signal(signal.SIGINT)
    out, _ = left.communicate(timeout=PATIENCE_SECONDS)
    if left.returncode == 130:
        assert out == ""
        assert versions(demo.paths.data) == [kept]
    else:  # it came to its end in between; an interpreter that is closing no longer catches the signal
        assert left.returncode in {0, -signal.SIGINT}
        assert '"stopped": true' in out
