"""The screen on a real terminal that goes away: the place is kept and nothing is left running."""

import os
import pty
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from player.feedback.event_store import EventStore
from player.stations.resume import load_resume_point
from player.storage.database import open_database

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30.0


def children_of(process):
    """Everything that descends from a process, by what Linux knows."""
    threads = Path(f"/proc/{process}/task").glob("*/children")
    found = [int(child) for thread in threads for child in thread.read_text().split()]
    return found + [deeper for child in found for deeper in children_of(child)]


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def place(data):
    database = open_database(data / "player.db")
    try:
        return load_resume_point(database)
    finally:
        database.close()


def events(data):
    database = open_database(data / "player.db")
    try:
        return [event.kind for event in EventStore(database, "cli").read()]
    finally:
        database.close()


@pytest.fixture
def data(demo, tmp_path):
    demo.close()
    (tmp_path / "data" / "config.toml").write_text('[audio]\nengine = "null"\n[learning]\nauto_after = 0\n')
    return tmp_path / "data"


class OnTerminal:
    """The player, playing, in the foreground of a terminal of its own; behind a program that ignores hang-ups or not."""

    def __init__(self, data, *, behind_another):
        command = [sys.executable, "-m", "player", "play", "--station", "Evening", "--data-dir", str(data)]
        if behind_another:  # as make is, which waits for its children
            command = ["sh", "-c", 'trap "" HUP; "$@"; true', "sh", *command]
        self.leader, self.terminal = pty.fork()
        if self.leader == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execvp(command[0], command)
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        wait_for(lambda: "start" in events(data), "music")
        self.processes = [self.leader, *children_of(self.leader)]
        assert len(self.processes) >= 2, "an audio process"

    def _drain(self):
        while not self._closed.is_set():
            try:
                if select.select([self.terminal], [], [], 0.1)[0]:
                    os.read(self.terminal, 4096)
            except OSError:
                return

    def close(self):
        """Close the window."""
        self._closed.set()
        self._reader.join()
        os.close(self.terminal)

    def reap(self):
        wait_for(lambda: os.waitpid(self.leader, os.WNOHANG)[0] == self.leader, "the end of the player")
        wait_for(lambda: not any(map(is_running, self.processes)), "the end of its children")


@pytest.mark.parametrize("behind_another", [False, True])
def test_a_closed_window_ends_the_player_with_its_place_kept(data, behind_another):
    screen = OnTerminal(data, behind_another=behind_another)
    screen.close()
    screen.reap()
    assert "stop" in events(data)
    assert place(data).track_id is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_player_with_its_place_kept(data, number):
    screen = OnTerminal(data, behind_another=False)
    os.kill(screen.leader, number)
    screen.reap()
    screen.close()
    assert "stop" in events(data)
    assert place(data).track_id is not None


def running_job(process):
    """The job in the background of a player; None where there is none."""
    for child in children_of(process):
        with suppress(OSError):
            if "--attached" in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
                return child
    return None


@pytest.mark.parametrize("screen", [True, False])
def test_a_job_that_does_not_stop_is_ended_with_the_player(data, screen):
    with sqlite3.connect(data / "player.db") as database:
        database.execute("DELETE FROM embedding")  # so the player begins to listen to the library by itself
    database.close()
    if screen:
        player = OnTerminal(data, behind_another=False)
    else:
        command = [
            sys.executable,
            "-m",
            "player",
            "play",
            "--station",
            "Evening",
            "--headless",
            "--data-dir",
            str(data),
        ]
        player = subprocess.Popen(command, stdout=subprocess.PIPE)
    process = player.leader if screen else player.pid
    wait_for(lambda: running_job(process), "a job")
    job = running_job(process)
    os.kill(job, signal.SIGSTOP)  # it hangs, at the worst moment
    left = [process, *children_of(process)]
    os.kill(process, signal.SIGTERM)
    if screen:
        player.reap()
        player.close()
    else:
        player.communicate(timeout=PATIENCE_SECONDS)
    wait_for(lambda: not any(map(is_running, left)), "the end of the job")
    assert "stop" in events(data)


def test_a_killed_tmux_leaves_nothing_behind(data, tmp_path):
    if shutil.which("tmux") is None:
        pytest.skip("not installed: tmux")
    tmux = ["tmux", "-S", str(tmp_path / "tmux")]
    command = [sys.executable, "-m", "player", "play", "--station", "Evening", "--data-dir", str(data)]
    subprocess.run([*tmux, "new-session", "-d", "-x", "100", "-y", "30", *command], check=True)
    try:
        wait_for(lambda: "start" in events(data), "music")
        answer = subprocess.run([*tmux, "list-panes", "-F", "#{pane_pid}"], capture_output=True, text=True, check=True)
        processes = [int(answer.stdout), *children_of(int(answer.stdout))]
        assert len(processes) >= 2
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    wait_for(lambda: not any(map(is_running, processes)), "the end of the player")
    assert "stop" in events(data)


def test_make_run_is_the_player_itself_and_not_a_shell_around_it():
    lines = (Path(__file__).parents[2] / "Makefile").read_text().splitlines()
    assert lines[next(n for n, line in enumerate(lines) if line.startswith("run:")) + 1].startswith("\t@exec ")
