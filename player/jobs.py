"""Long work: one job at a time, in a child at the lowest priority, with progress and an estimate, stoppable.

A job is a ``player`` command (scan, embed, retrain). Run by hand it shows its progress on standard error; run by the
screen (``--attached``) it writes JSON lines to standard output and stops when its standard input closes.
"""

import fcntl
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from player import logs
from player.children import own
from player.errors import PlayerError

_LOG = logging.getLogger(__name__)

AUTOGROUP = Path("/proc/self/autogroup")
AUTOGROUP_TRIES = 5
AUTOGROUP_SECONDS = 0.11
LOWEST_PRIORITY = 19
WAITED_FOR_PRIORITY = 5
"""Behind the music, before whatever else a busy machine does at the lowest priority: a listener waits for the first tracks."""
GRACE_SECONDS = 10.0
"""How long an attached job may take to keep what it has after its screen is gone."""
LINE_SECONDS = 10.0
"""How often progress is told where there is no terminal to redraw a line on."""
REDRAW_SECONDS = 0.1
BAR_WIDTH = 24
LAST_WORDS_SECONDS = 1.0
"""How long what a dead job said last may take to be logged; a grandchild may hold its pipe open."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What numpy and torch ask, when they are loaded, how many threads to begin."""
MINUTE = 60


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is."""

    stage: str
    """What it is doing, in words."""
    done: int = 0
    total: int = 0
    """0 where unknown."""
    seconds_left: float | None = None
    metric: float | None = None
    """Validation pair AUC, while training."""
    loss: float | None = None
    """Mean training loss of the epoch, while training."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended."""

    ok: bool
    summary: str
    """One sentence."""


class Estimate:
    """Seconds left, from the rate so far."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds_left(self, done: int, total: int) -> float | None:
        """None until something is done."""
        if done <= 0 or total <= 0:
            return None
        return (time.monotonic() - self._start) / done * max(0, total - done)


class Reporter(Protocol):
    """Where a job tells how it goes."""

    def progress(self, progress: JobProgress) -> None:
        """Tell how far it is; may be called often."""
        ...

    def note(self, sentence: str) -> None:
        """Tell a person something that stays readable."""
        ...

    def result(self, result: JobResult) -> None:
        """Tell how it ended, once."""
        ...


class TerminalReporter:
    """Tells a person on standard error: one redrawn line on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        # Where lines stay, a job that is soon over needs none.
        self._last = 0.0 if self._terminal else time.monotonic()
        self._drawn = False

    def progress(self, progress: JobProgress) -> None:
        """Redraw the line, at most ten times a second."""
        now = time.monotonic()
        complete = 0 < progress.total <= progress.done
        if now - self._last < (REDRAW_SECONDS if self._terminal else LINE_SECONDS) and not (
            complete and self._terminal
        ):
            return
        self._last = now
        self._drawn = True
        line = progress_line(progress)
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def note(self, sentence: str) -> None:
        """Write a line above the one that is redrawn."""
        self.clear()
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()

    def result(self, result: JobResult) -> None:
        """Clear the line; what the command prints follows."""
        del result
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal and self._drawn:
            self._drawn = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class PipeReporter:
    """Tells another process, as JSON lines on standard output."""

    def progress(self, progress: JobProgress) -> None:
        """Write one line."""
        self._write({"progress": asdict(progress)})

    def note(self, sentence: str) -> None:
        """Nothing: a screen shows what progress says, the time left too."""

    def result(self, result: JobResult) -> None:
        """Write the last line."""
        self._write({"result": asdict(result)})

    @staticmethod
    def _write(document: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()


def progress_line(progress: JobProgress) -> str:
    """``Embedding  ███████░░░░  120/240  1 min 5 s left  AUC 0.712``."""
    parts = [progress.stage]
    if progress.total:
        filled = round(BAR_WIDTH * min(1.0, progress.done / progress.total))
        parts += ["█" * filled + "░" * (BAR_WIDTH - filled), f"{progress.done}/{progress.total}"]
    elif progress.done:
        parts.append(str(progress.done))
    if progress.seconds_left is not None:
        parts.append(f"{duration_words(progress.seconds_left)} left")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.3f}")
    if progress.metric is not None:
        parts.append(f"AUC {progress.metric:.3f}")
    return "  ".join(parts)


def duration_words(seconds: float) -> str:
    """``1 h 5 min``, ``2 min 3 s``, ``7 s``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, MINUTE * MINUTE)
    minutes, left = divmod(rest, MINUTE)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


@contextmanager
def trainer_lock(path: Path) -> Generator[None]:
    """Hold the lock of the one embedding or training that may run.

    Raises:
        PlayerError: another one holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PlayerError(
                "Another embedding or training is running; wait for it to end or stop it first."
            ) from error
        yield


def stop_when_orphaned() -> threading.Event:
    """An event that is set when standard input closes: the screen that started this job is gone or wants it to stop.

    A job that has not ended ``GRACE_SECONDS`` later is ended.
    """
    stop = threading.Event()

    def watch() -> None:
        # Not through sys.stdin: a reader that waits in there when the interpreter ends is a fatal error of Python's.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="orphan-watch", daemon=True).start()
    return stop


class JobChild:
    """A job running as a child of the screen.

    Args:
        arguments: the ``player`` command line, without ``--attached``.
        on_progress: called from the reader thread.
        on_result: called from the reader thread, exactly once, also when the child dies.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        on_progress: Callable[[JobProgress], None],
        on_result: Callable[[JobResult], None],
    ) -> None:
        self._on_progress = on_progress
        self._on_result = on_result
        # numpy's and torch's own pools of threads would take a core each, and the music needs one.
        alone = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}
        self._process = own(
            subprocess.Popen(
                [sys.executable, "-m", "player", *arguments, "--attached"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=alone,
            )
        )
        assert self._process.stderr is not None
        self._errors = logs.follow(self._process.stderr, "job")
        self._reader = threading.Thread(target=self._read, name="job-reader", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """Ask it to stop and keep what it has; the result still comes."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.closed:
            stdin.close()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self._reader.join(timeout)

    def _read(self) -> None:
        result: JobResult | None = None
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                try:
                    document = json.loads(line)
                    if "progress" in document:
                        self._on_progress(JobProgress(**document["progress"]))
                    elif "result" in document:
                        result = JobResult(**document["result"])
                except (ValueError, TypeError):
                    _LOG.warning("Passed over a line of a job: %s", line[:200])
        code = self._process.wait()
        self.stop()
        self._errors.join(LAST_WORDS_SECONDS)
        self._on_result(
            result or JobResult(ok=False, summary=f"The job ended unexpectedly (code {code}); player.log says more.")
        )


def lower_priority(niceness: int = LOWEST_PRIORITY) -> None:
    """Let everything else on the machine go first, as far as a niceness says.

    Linux shares the processor out between sessions before it looks at niceness, where "autogroup" is on: a child in a
    session of its own would get as much as the music. So the session's own niceness is set too.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():  # never that of the shell that a command was typed in
        _lower_session(niceness)


def _lower_session(niceness: int) -> None:
    for _ in range(AUTOGROUP_TRIES):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(AUTOGROUP_SECONDS)  # Linux takes ten such wishes a second from the whole machine
        except OSError:
            return  # no such system, or a container that keeps it read-only: niceness has to do
        else:
            return
