"""How the command starts and ends: quickly, with the right code, and with each word on the right stream."""

import json
import subprocess
import sys

import pytest

import player

pytestmark = pytest.mark.slow

HEAVY = ("typer", "sqlalchemy", "numpy", "torch", "textual", "av", "pydantic")


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_version_is_told_without_loading_anything():
    loaded = modules_after("sys.argv = ['player', '--version']\nfrom player.__main__ import main\nmain()")
    assert loaded.isdisjoint(HEAVY)


def test_the_command_line_is_there_before_anything_heavy():
    assert modules_after("import player.cli").isdisjoint(set(HEAVY) - {"typer"})


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_goes_to_standard_output(process, option):
    answer = process(option)
    assert (answer.code, answer.out, answer.err) == (0, f"player {player.__version__}\n", "")


def test_the_version_is_told_beside_other_options_too(player):
    import player as package

    assert player("--data-dir", "/tmp", "--version").out == f"player {package.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["tracks", "--nonsense"],
        ["next", "--station", "Evening", "-n", "0"],
        ["retrain", "--clep", "x"],
        ["retrain", "--p-hard", "2"],
        ["feedback"],
        ["feedback", "up"],
        ["feedback", "up", "one"],
        ["feedback", "up", "1", "--from", "events.jsonl"],
        ["station", "create", "Evening"],
        ["models", "promote"],
        ["--music", "/tmp", "tracks"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_why_on_standard_error(player, arguments):
    answer = player(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.strip()
    assert "Traceback" not in answer.err


def test_a_group_of_commands_alone_lists_them(player):
    answer = player("station")
    assert answer.code == 2
    assert "create" in answer.out + answer.err


def test_a_process_ends_with_the_code_too(process):
    assert process("nonsense").code == 2
    failed = process("next", "--station", "Nowhere")
    assert "There is no station" in failed.sentence


@pytest.mark.parametrize("command", [[], ["scan"], ["station", "create"], ["models"], ["retrain"]], ids=" ".join)
def test_every_command_has_help(player, command):
    answer = player(*command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert "Usage" in answer.out


def test_the_data_folder_may_be_named_before_and_after_the_command(player, tmp_path):
    for number, arguments in enumerate(
        [["--data-dir", "HERE", "tracks", "--json"], ["tracks", "--json", "--data-dir", "HERE"]]
    ):
        folder = tmp_path / f"named {number}"
        assert player(*[str(folder) if word == "HERE" else word for word in arguments]).document == []
        assert (folder / "player.db").is_file()
    assert not (tmp_path / "data").exists()


def test_without_a_terminal_the_screen_says_what_to_use_instead(process):
    assert "--headless" in process().sentence


def test_a_reader_that_goes_away_is_no_crash(demo, tmp_path):
    demo.close()
    command = [sys.executable, "-m", "player", "tracks", "--json", "--data-dir", str(tmp_path / "data")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdout.close()
    errors = running.stderr.read()
    running.stderr.close()
    assert (running.wait(), errors) == (1, b"")


def test_ctrl_c_is_told_in_a_word(player, monkeypatch):
    from player.feedback import log_reader

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(log_reader, "read_event_lines", interrupted)
    answer = player("history", "--json")
    assert (answer.code, answer.out, answer.err) == (130, "", "Interrupted.\n")


def test_documents_hold_words_of_every_language_in_any_locale(demo, tmp_path):
    demo.station("Abend – 夜")
    done = subprocess.run(
        [sys.executable, "-m", "player", "station", "list", "--json", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin"},
        check=True,
    )
    assert [station["name"] for station in json.loads(done.stdout.decode("utf-8"))] == ["Evening", "Abend – 夜"]
