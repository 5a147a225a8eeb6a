"""Long work in a child: progress, one at a time, stoppable, and a result whatever happens."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from player import jobs, logs
from player.errors import PlayerError
from player.jobs import (
    AUTOGROUP,
    LOWEST_PRIORITY,
    WAITED_FOR_PRIORITY,
    Estimate,
    JobChild,
    JobProgress,
    JobResult,
    PipeReporter,
    TerminalReporter,
    duration_words,
    progress_line,
    trainer_lock,
)
from tests.support.library import write_songs

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30.0


class Screen:
    """Takes what a job says."""

    def __init__(self):
        self.progress = []
        self.results = []
        self.moved = threading.Event()

    def tell(self, progress):
        self.progress.append(progress)
        self.moved.set()


@pytest.fixture
def start(tmp_path):
    """Starts jobs and waits for their ends at the end."""
    children = []
    logs.log_to_file(tmp_path / "player.log")

    def start_job(*arguments, screen):
        child = JobChild(
            [*map(str, arguments), "--data-dir", str(tmp_path / "data")],
            screen.tell,
            screen.results.append,
        )
        children.append(child)
        return child

    yield start_job
    for child in children:
        child.stop()
        child.join(PATIENCE_SECONDS)


def test_a_job_tells_its_progress_and_its_result_once(start, tmp_path):
    screen = Screen()
    child = start("scan", write_songs(tmp_path / "songs", 3, 0.3), screen=screen)
    child.join(PATIENCE_SECONDS)
    assert screen.results == [JobResult(ok=True, summary="3 added")]
    assert screen.progress[-1].done == screen.progress[-1].total == 3


def test_a_job_that_fails_says_why(start, tmp_path):
    screen = Screen()
    start("scan", tmp_path / "nowhere", screen=screen).join(PATIENCE_SECONDS)
    (result,) = screen.results
    assert not result.ok
    assert "nowhere" in result.summary


def test_a_job_that_is_killed_has_a_result_all_the_same(start, tmp_path):
    screen = Screen()
    child = start("scan", write_songs(tmp_path / "songs", 3, 0.3), screen=screen)
    child._process.kill()
    child.join(PATIENCE_SECONDS)
    (result,) = screen.results
    assert not result.ok
    assert "ended unexpectedly" in result.summary


def test_a_job_that_cannot_even_start_has_a_result_and_leaves_a_note(start, tmp_path):
    screen = Screen()
    start("nonsense", screen=screen).join(PATIENCE_SECONDS)
    assert [result.ok for result in screen.results] == [False]
    assert "nonsense" in (tmp_path / "player.log").read_text()


def test_a_stopped_scan_keeps_what_it_has_and_says_so(start, tmp_path):
    screen = Screen()
    child = start("scan", write_songs(tmp_path / "songs", 3, 0.3), screen=screen)
    child.stop()
    child.stop()
    child.join(PATIENCE_SECONDS)
    assert [result.ok for result in screen.results] == [True]


def test_what_outlives_its_screen_is_ended_after_its_grace(tmp_path):
    script = (
        "import sys, time\n"
        "from player import jobs\n"
        "jobs.GRACE_SECONDS = 0.3\n"
        "stop = jobs.stop_when_orphaned()\n"
        "print('ready', flush=True)\n"
        "assert stop.wait(20)\n"
        "print('asked', flush=True)\n"
        "time.sleep(20)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    began = time.monotonic()
    output, _ = child.communicate(timeout=PATIENCE_SECONDS)
    assert output == "asked\n"
    assert child.returncode == 1
    assert 0.25 < time.monotonic() - began < 10


def test_a_job_that_ends_before_its_screen_ends_without_a_word():
    script = "import threading, time\nfrom player import jobs\njobs.stop_when_orphaned()\ntime.sleep(0.3)\n"
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    with child:
        assert child.stderr.read() == b""  # Python calls a thread that waits in sys.stdin a fatal error
        assert child.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(("asked", "got"), [("", LOWEST_PRIORITY), (WAITED_FOR_PRIORITY, WAITED_FOR_PRIORITY)])
def test_a_job_of_the_screen_lets_others_go_first(asked, got):
    script = f"import os\nfrom player.jobs import lower_priority\nlower_priority({asked})\nprint(os.nice(0))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) == min(LOWEST_PRIORITY, os.nice(0) + got)


def in_a_session_of_its_own(script: str) -> str:
    """What a script prints there."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, start_new_session=True
    )
    return done.stdout.strip()


def test_a_job_in_a_session_of_its_own_sets_that_session_back_too():
    wish = (
        "try:\n    open('/proc/self/autogroup', 'w').write('19')\n"
        "except BlockingIOError:\n    pass\nexcept OSError as error:\n    print(error)"
    )
    if refusal := in_a_session_of_its_own(wish):
        pytest.skip(f"this system does not let a process set its session back: {refusal}")
    script = (
        "from player.jobs import AUTOGROUP, lower_priority\nlower_priority()\nprint(AUTOGROUP.read_text().split()[-1])"
    )
    assert in_a_session_of_its_own(script) == str(LOWEST_PRIORITY)


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this system does not share the processor out by session")
def test_the_session_of_the_shell_that_a_command_was_typed_in_stays_as_it_is():
    before = AUTOGROUP.read_text()
    subprocess.run([sys.executable, "-c", "from player.jobs import lower_priority\nlower_priority()"], check=True)
    assert AUTOGROUP.read_text() == before


def test_a_system_that_takes_few_such_wishes_a_second_is_asked_again(tmp_path, monkeypatch):
    class Busy:
        """A file that refuses twice."""

        refusals = 2

        def write_text(self, text):
            if self.refusals:
                self.refusals -= 1
                raise BlockingIOError
            (tmp_path / "autogroup").write_text(text)

    monkeypatch.setattr(jobs, "AUTOGROUP", Busy())
    monkeypatch.setattr(jobs, "AUTOGROUP_SECONDS", 0.0)
    jobs._lower_session(LOWEST_PRIORITY)
    assert (tmp_path / "autogroup").read_text() == str(LOWEST_PRIORITY)


# --- the lock


def test_only_one_holds_the_lock_and_it_is_free_afterwards(tmp_path):
    lock = tmp_path / "data" / "trainer.lock"
    with trainer_lock(lock), pytest.raises(PlayerError, match="is running"), trainer_lock(lock):
        pass
    with trainer_lock(lock):
        pass


def test_a_holder_that_dies_leaves_the_lock_free(tmp_path):
    lock = tmp_path / "trainer.lock"
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom player.jobs import trainer_lock\n"
        "with trainer_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(PlayerError, match="is running"), trainer_lock(lock):
        pass
    holder.kill()
    holder.communicate()
    with trainer_lock(lock):
        pass


# --- words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (7.4, "7 s"),
        (59.6, "1 min 0 s"),
        (123, "2 min 3 s"),
        (3600, "1 h 0 min"),
        (3900, "1 h 5 min"),
    ],
)
def test_a_duration_in_words(seconds, words):
    assert duration_words(seconds) == words


def test_a_progress_line_shows_what_is_known():
    line = progress_line(JobProgress("Training", 6, 24, 65.0, 0.7123))
    assert line.startswith("Training  ██████░")
    assert line.endswith("6/24  1 min 5 s left  AUC 0.712")
    assert progress_line(JobProgress("Looking")) == "Looking"
    assert progress_line(JobProgress("Looking", 7)) == "Looking  7"
    assert "░" not in progress_line(JobProgress("Over", 30, 24))


def test_an_estimate_waits_for_something_to_be_done(monkeypatch):
    moment = 1000.0
    monkeypatch.setattr(jobs.time, "monotonic", lambda: moment)
    estimate = Estimate()
    assert estimate.seconds_left(0, 10) is None
    assert estimate.seconds_left(3, 0) is None
    moment += 6.0
    assert estimate.seconds_left(4, 10) == 9.0
    assert estimate.seconds_left(12, 10) == 0.0


def test_where_lines_stay_progress_is_told_now_and_then(capsys, monkeypatch):
    moment = 1000.0
    monkeypatch.setattr(jobs.time, "monotonic", lambda: moment)
    reporter = TerminalReporter()
    for done in range(100):
        moment += 0.3
        reporter.progress(JobProgress("Reading", done, 100))
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 2  # 30 seconds


def test_a_pipe_carries_progress_and_result_as_json(capsys):
    reporter = PipeReporter()
    reporter.progress(JobProgress("Reading", 1, 2, None, 0.5))
    reporter.result(JobResult(ok=True, summary="“done”"))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert JobProgress(**first["progress"]) == JobProgress("Reading", 1, 2, None, 0.5)
    assert JobResult(**second["result"]) == JobResult(ok=True, summary="“done”")


def test_a_screen_that_goes_away_ends_the_job(tmp_path):
    songs = write_songs(tmp_path / "songs", 2, 0.3)
    script = (
        "import os, sys\nfrom player.jobs import JobChild\n"
        "child = JobChild(sys.argv[1:], print, print)\n"
        "print(child._process.pid, flush=True)\nos._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "scan", str(songs), "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=True,
    )
    job = int(done.stdout)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_running(job):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
