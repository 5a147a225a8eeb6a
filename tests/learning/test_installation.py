"""Everything but learning works before its libraries are there, and they are installed with progress."""

import subprocess
import sys
from collections import deque

import pytest

from player.jobs import JobProgress
from player.learning.installation import MODULES, missing_requirements, needed_sentence, pip_progress

WITHOUT = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(MODULES)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from importlib import util
found = util.find_spec
util.find_spec = lambda name, package=None: None if name == "torch" else found(name, package)
from player.cli import run
sys.exit(run())
"""


def without_learning(*arguments):
    """Run a command in a process that has none of learning's libraries."""
    return subprocess.run([sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_library_is_scanned_analysed_and_reordered_without_what_learning_needs(songs, tmp_path):
    data = ("--data-dir", str(tmp_path / "data"))
    for command in (
        ("scan", str(songs)),
        ("embed",),
        ("station", "create", "All", "--seed", "library"),
        ("feedback", "up", "1", "--station", "All"),
        ("next", "--station", "All"),
    ):
        done = without_learning(*command, *data)
        assert done.returncode == 0, done.stderr
        if command == ("embed",):
            assert f"{len(list(songs.iterdir()))} embedded, 0 failed" in done.stdout


@pytest.mark.slow
def test_a_command_that_needs_a_missing_library_says_how_to_get_it(demo):
    refused = without_learning("map", "--data-dir", str(demo.paths.data))
    assert refused.returncode == 1
    assert refused.stderr.strip() == f"player: {needed_sentence('sklearn')}"


def test_nothing_is_missing_where_everything_is_installed():
    assert missing_requirements() == ()


def test_pips_progress_is_told_by_file_and_its_complaint_kept():
    said = (
        "Collecting torch<2.14,>=2.13\n",
        "Downloading torch-2.13.0-cp311-none-linux_x86_64.whl (888.1 MB)\n",
        "Progress 0 of 888000000\n",
        "Progress 444000000 of 888000000\n",
        "Installing collected packages: torch\n",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
    )
    last = deque(maxlen=1)
    assert list(pip_progress(said, last)) == [
        JobProgress("Installing PyTorch"),
        JobProgress("Downloading torch (MB)", 0, 888),
        JobProgress("Downloading torch (MB)", 444, 888),
        JobProgress("Installing PyTorch and its libraries"),
    ]
    assert last[0].startswith("ERROR: Could not install")
