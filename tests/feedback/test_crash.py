"""An acknowledged event is on disk, whatever happens to the process afterwards or to others meanwhile."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

pytestmark = pytest.mark.slow

COMMANDS = 12
AT_ONCE = 4
PATIENCE_SECONDS = 60.0


def tell(home, number, life=PATIENCE_SECONDS) -> int:
    """Tell one event, known by its position, through the command; killed after ``life`` seconds. Returns the code."""
    track, data = str(home.track_ids[0]), str(home.paths.data)
    process = subprocess.Popen(
        [sys.executable, "-m", "player", "feedback", "skip", track, "--position", str(number), "--data-dir", data],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(life)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def recorded(home) -> list[int]:
    with closing(sqlite3.connect(home.paths.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT position FROM event ORDER BY position").fetchall()
    return [round(position) for (position,) in rows]


def test_killing_feedback_commands_at_any_moment_loses_none_that_returned_0(demo):
    began = time.monotonic()
    assert tell(demo, 0) == 0
    # How long one takes here and now, so that the kills fall all over its life and not only into its start.
    usual = (time.monotonic() - began) * AT_ONCE / 2
    timing = random.Random(7)
    lives = [usual * timing.uniform(0.3, 1.3) if number % 2 else PATIENCE_SECONDS for number in range(COMMANDS)]
    lives[1] = 0.1  # this one dies for certain: Python alone takes about as long to start
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(lambda number, life: tell(demo, number, life), range(1, COMMANDS + 1), lives))
    assert set(codes) == {0, -signal.SIGKILL}
    assert codes[::2] == [0] * (COMMANDS // 2)
    kept = recorded(demo)
    assert len(set(kept)) == len(kept)
    assert {0, *(number for number, code in enumerate(codes, 1) if code == 0)} <= set(kept)


def test_an_event_that_was_acknowledged_survives_the_death_of_its_process(demo):
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from player.feedback.event_store import EventStore\n"
        "from player.feedback.events import NewEvent\n"
        "from player.storage.database import open_database\n"
        "log = EventStore(open_database(Path(sys.argv[1])), 'tui')\n"
        "for number in range(20):\n"
        "    log.append(NewEvent('skip', int(sys.argv[2]), position=number))\n"
        "    os.write(1, b'%d ' % number)\n"
        "    if number == 13:\n"
        "        os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(demo.paths.database), str(demo.track_ids[0])],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert [int(number) for number in done.stdout.split()] == list(range(14)) == recorded(demo)
