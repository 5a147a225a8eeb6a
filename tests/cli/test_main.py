"""The commands are made when they are asked for."""

import importlib
import subprocess
import sys

import pytest
import typer
from typer.main import get_command, get_group

from player.cli.main import COMMANDS, app


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_adds_the_commands_that_the_table_says(module):
    adds = typer.Typer()
    importlib.import_module(f"player.cli.{module}").register(adds)
    adds.command("another")(lambda: None)  # one alone would be no group
    assert set(get_group(adds).commands) == {*COMMANDS[module], "another"}


def test_every_command_can_be_made():
    commands = get_command(app).commands
    assert list(commands) == [name for names in COMMANDS.values() for name in names]
    assert all(commands[name].name == name for name in commands)


@pytest.mark.parametrize(
    "words",
    [("station", "list"), ("history", "-n", "5"), ("queue", "list"), ("tracks", "title:blue"), ("search", "blue")],
)
def test_a_look_up_imports_nothing_heavy(words, tmp_path):
    folder = str(tmp_path / "data")
    subprocess.run([sys.executable, "-m", "player", *words, "--data-dir", folder], check=True, capture_output=True)
    code = (
        "import sys; from player.cli import run; assert run() == 0;"
        "print([m for m in ('sqlalchemy', 'numpy', 'pydantic', 'rich', 'textual', 'av', 'torch', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--data-dir", folder], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [("scan", "~nobody-here"), ("play", "~nobody-here", "--headless")])
def test_the_folder_of_nobody_is_one_sentence(words, tmp_path):
    command = [sys.executable, "-m", "player", *words, "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("player: ~nobody-here names")
    assert len(done.stderr.splitlines()) == 1
