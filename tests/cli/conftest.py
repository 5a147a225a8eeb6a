"""The command line on real data folders: inside this process where only answers matter, as a process where exits do."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are loaded: the machine has other work too

import numpy as np
import pytest

from player.cli import run
from tests.support.library import copy_home


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on standard output, in which there is no NaN and no infinity."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} in the document"))

    @property
    def sentence(self) -> str:
        """The one line on standard error of a command that failed with exit code 1, saying nothing else."""
        assert (self.code, self.out) == (1, ""), self
        (line,) = self.err.splitlines()
        assert line.startswith("player: ")
        assert line.endswith(".")
        return line


@pytest.fixture
def player(monkeypatch, capsys, tmp_path):
    """Runs the command line in this process, on the data folder ``tmp_path / "data"`` unless told otherwise."""
    monkeypatch.setenv("PLAYER_DATA_DIR", str(tmp_path / "data"))

    def call(*arguments) -> Answer:
        monkeypatch.setattr(sys, "argv", ["player", *map(str, arguments)])
        capsys.readouterr()
        code = run()
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return call


@pytest.fixture
def process(tmp_path):
    """Runs the command line as a process of its own."""

    def call(*arguments, input_text="") -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "player", *map(str, arguments)],
            input=input_text,
            capture_output=True,
            text=True,
            env={**os.environ, "PLAYER_DATA_DIR": str(tmp_path / "data")},
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def demo(demo_template, tmp_path):
    """The demo library with vectors from a fixture and a station Evening, in the data folder the commands use."""
    home = copy_home(demo_template, tmp_path / "data")
    home.station("Evening")
    yield home
    home.close()


@pytest.fixture
def plays(tmp_path):
    """Sixteen people (with fewer than 14 scipy tests pairs by all permutations, in seconds) who like later songs more often."""
    rng = np.random.default_rng(3)
    lines = ["user,song,at,verdict"]
    for number in range(400):
        song = int(rng.integers(25))
        verdict = 1 if rng.random() < 0.1 + 0.8 * song / 25 else -1
        lines.append(f"u{rng.integers(16)},s{song},{1_700_000_000 + 3600 * number},{verdict}")
    path = tmp_path / "plays.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
