"""Completion in a real bash, and the man page as man reads it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def test_bash_completes_commands(player, tmp_path):
    script = tmp_path / "completion"
    script.write_text(player("completion", "bash").out)
    folder = Path(sys.executable).parent
    line = f"source {script}; COMP_WORDS=(player config s); COMP_CWORD=2; _player_completion player; echo ${{COMPREPLY[*]}}"
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["show", "set"]


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_reads_the_page(player, tmp_path):
    page = tmp_path / "player.1"
    page.write_text(player("man").out)
    done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for words in ("player config set ", "--data-dir", "Thumb up what plays", "EXIT STATUS"):
        assert words in " ".join(done.stdout.split())
