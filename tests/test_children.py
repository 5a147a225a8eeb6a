"""The end of the player within a known time, with nothing left that it began."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_jobs import is_running

PATIENCE_SECONDS = 30.0
HANGS = """
import subprocess, sys, time
from player.children import end_now, end_soon, own
child = own(subprocess.Popen(["sh", "-c", "trap '' TERM HUP; sleep 600 & echo $!; wait"], start_new_session=True,
            stdout=subprocess.PIPE))
print(child.pid, int(child.stdout.readline()), flush=True)
{end}(7)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["end_soon", "end_now"])
def test_a_process_that_hangs_ends_and_what_it_began_with_it(end):
    done = subprocess.run(
        [sys.executable, "-c", HANGS.format(end=end)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 7, done.stderr
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(is_running(int(process)) for process in done.stdout.split()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
