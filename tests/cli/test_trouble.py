"""Data folders in trouble: one sentence, exit code 1, from every command; and what ``player doctor`` says of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from player.audio.messages import FALTERED
from tests.support.tones import write_tones

COMMANDS = [
    ["scan", "."],
    ["tracks", "--json"],
    ["station", "list"],
    ["next", "--station", "Evening", "--json"],
    ["feedback", "up", "1", "--station", "Evening"],
    ["history", "--json"],
    ["play", "--headless", "--station", "Evening"],
    ["retrain", "--json"],
    ["evaluate", "--json"],
    ["models"],
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_data_folder_that_cannot_be_made_is_told(player, tmp_path, command):
    (tmp_path / "file").touch()
    sentence = player(*command, "--data-dir", tmp_path / "file" / "data").sentence
    assert str(tmp_path / "file" / "data") in sentence
    assert "--data-dir" in sentence


def test_a_broken_setting_is_told(player, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text("[audio]\nengine = 7\n")
    assert "audio.engine" in player("tracks").sentence


def test_a_damaged_database_is_told(player, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "player.db").write_bytes(b"this was a database once" * 1000)
    assert "damaged" in player("tracks", "--json").sentence


@pytest.mark.slow
@pytest.mark.parametrize(("shell", "code", "out", "err"), [
    ("{} >&-", 0, "", ""),
    ("{} <&- >&- 2>&-", 0, "", ""),
    ("{} >/dev/full", 1, "", "player: The output cannot be written (No space left on device).\n"),
    ("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {}", 0, "\\u2013 Caf\\xe9", ""),
    ("TZ=UTC+99 {}", 0, "– Café", ""),
    ("mkdir gone; cd gone; rmdir ../gone; {}", 1, "", "player: The folder in which the command was started is gone; go to another one and try again.\n"),
], ids=["no output", "no streams", "full disk", "no letters", "no such zone", "no folder"])  # fmt: skip
def test_surroundings_that_are_not_as_they_should_be(tmp_path, shell, code, out, err):
    (tmp_path / "music").mkdir()
    write_tones(tmp_path / "music" / "Café.flac", [(440, 0.4)], rate=8000, layout="mono")
    player = f"{sys.executable} -m player --data-dir {tmp_path / 'data'}"
    prepared = f"cd {tmp_path}; {player} scan {tmp_path / 'music'} && {player} feedback up 1 --everywhere"
    subprocess.run(["bash", "-c", prepared], check=True, capture_output=True)
    command = f"{player} {'scan .' if 'gone' in shell else 'history'}"
    done = subprocess.run(
        ["bash", "-c", f"cd {tmp_path}; {shell.format(command)}"],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert (done.returncode, done.stderr.decode()) == (code, err)
    assert out in done.stdout.decode()


def doctor(player, *options):
    answer = player("doctor", "--json", *options)
    checks = {check["name"]: check for check in answer.document["checks"]}
    assert all(check["ok"] or check["fix"] for check in checks.values())
    assert answer.document["ok"] == all(check["ok"] for check in checks.values())
    return answer.code, checks


@pytest.mark.slow
def test_the_doctor_looks_at_everything_and_changes_nothing(player, tmp_path):
    code, checks = doctor(player)
    assert code == 0
    assert {"settings", "decoder", "database", "model", "musicnn weights"} <= set(checks)
    assert checks["settings"]["ok"]
    assert checks["database"]["ok"]
    assert not (tmp_path / "data").exists()


def test_the_doctor_for_people_names_each_fix(player):
    answer = player("doctor")
    assert "ok    settings" in answer.out
    assert answer.out.count("FIX ") == answer.out.count("→")


def test_the_doctor_finds_a_folder_that_cannot_be_written(player, tmp_path):
    (tmp_path / "file").touch()
    code, checks = doctor(player, "--data-dir", tmp_path / "file" / "data")
    assert code == 1
    assert checks["settings"]["ok"]
    assert not checks["database"]["ok"]


def test_the_doctor_finds_broken_settings(player, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text("engine = \n")
    code, checks = doctor(player)
    assert (code, checks["settings"]["ok"]) == (1, False)


@pytest.mark.slow
def test_the_doctor_tells_a_wrong_setting_once_and_not_as_broken_weights(player, tmp_path):
    weights = doctor(player)[1]["musicnn weights"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "loud"\n')
    _, checks = doctor(player)
    assert not checks["settings"]["ok"]
    assert checks["musicnn weights"] == weights


def test_the_doctor_counts_how_often_the_sound_faltered(player, tmp_path):
    assert doctor(player)[1]["underruns"]["ok"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "player.log").write_text(f"2026-11-30 10:00:00,123 7 WARNING x: {FALTERED} (1 since …).\n" * 2)
    found = doctor(player)[1]["underruns"]
    assert (found["ok"], found["detail"]) == (False, "the sound faltered 2 times, last at 2026-11-30 10:00:00")


def test_the_doctor_says_where_the_log_is(player, tmp_path):
    assert doctor(player)[1]["log"]["detail"].startswith(str(tmp_path / "data" / "player.log"))


def test_the_doctor_finds_a_damaged_database(demo, player):
    demo.close()
    code, checks = doctor(player)
    assert (code, checks["database"]["ok"]) == (0, True)
    contents = bytearray(demo.paths.database.read_bytes())
    contents[len(contents) // 2 :] = b"\xff" * (len(contents) - len(contents) // 2)
    demo.paths.database.write_bytes(contents)
    code, checks = doctor(player)
    assert (code, checks["database"]["ok"]) == (1, False)


def test_the_doctor_finds_a_damaged_model(demo, player):
    demo.paths.models.mkdir()
    (demo.paths.models / "current").write_text("20260101T000000-abcdef")
    _, checks = doctor(player)
    assert not checks["model"]["ok"]
    assert "retrain" in checks["model"]["fix"]


@pytest.mark.slow
def test_a_data_folder_that_others_could_read_is_closed_to_them_unless_it_holds_more(player, tmp_path):
    data, notes = tmp_path / "data", tmp_path / "data" / "notes.txt"
    player("station", "list")
    (data / "models").mkdir()
    (data / "config.toml").touch()
    for path in (data, data / "models", data / "config.toml", data / "player.db"):
        path.chmod(0o755)
    notes.touch(0o644)
    player("station", "list")
    assert data.stat().st_mode & 0o777 == 0o755
    assert [(data / name).stat().st_mode & 0o077 for name in ("models", "config.toml", "player.db")] == [0, 0, 0]
    assert notes.stat().st_mode & 0o777 == 0o644
    notes.unlink()
    player("station", "list")
    assert data.stat().st_mode & 0o777 == 0o700
