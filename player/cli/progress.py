"""Progress of commands that take long, on standard error; and how they are asked to stop."""

import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from player.errors import PlayerError
from player.jobs import (
    LOWEST_PRIORITY,
    JobProgress,
    JobResult,
    PipeReporter,
    Reporter,
    TerminalReporter,
    lower_priority,
    progress_line,
    stop_when_orphaned,
)

EPOCHS = 40
"""Epochs that a curve shows: as many as a training has at most by default."""


@contextmanager
def reporting(*, attached: bool, niceness: int = LOWEST_PRIORITY) -> Generator[tuple[Reporter, threading.Event]]:
    """A reporter and the event that asks to stop.

    Attached, the process takes a lower priority and an error travels to the screen as the job's result.
    """
    if not attached:
        reporter = TerminalReporter()
        try:
            yield reporter, threading.Event()
        finally:
            reporter.clear()
        return
    lower_priority(niceness)
    reporter = PipeReporter()
    try:
        yield reporter, stop_when_orphaned()
    except PlayerError as error:
        reporter.result(JobResult(ok=False, summary=str(error)))
        raise


@contextmanager
def stopping_on_interrupt(stop: threading.Event, say: Callable[[str], None], sentence: str) -> Generator[None]:
    """Within it the first Ctrl-C sets ``stop`` and says the sentence; the next one interrupts as ever.

    Elsewhere than in the main thread nothing changes, nor where the signal is ignored, as in a shell's background.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()
        say(sentence)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class TrainingReporter:
    """Tells a person on standard error: a chart of three lines that is redrawn, or a line for each epoch.

    Args:
        plain: tells everything but the epochs of a training.
        terminal: whether lines can be redrawn; whatever standard error is, when absent.
    """

    def __init__(
        self,
        plain: TerminalReporter | None = None,
        *,
        terminal: bool | None = None,
    ) -> None:
        self._plain = plain or TerminalReporter()
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._stage = ""
        self._losses: list[float] = []
        self._metrics: list[float] = []
        self._drawn = 0
        """Lines of the chart that are on the screen."""

    def progress(self, progress: JobProgress) -> None:
        """Take in an epoch, or pass on what is none."""
        if progress.stage != self._stage:
            self._leave()
            self._stage, self._losses, self._metrics = progress.stage, [], []
        if progress.loss is None:
            self._plain.progress(progress)
            return
        self._losses.append(progress.loss)
        if progress.metric is not None:
            self._metrics.append(progress.metric)
        self._draw(progress) if self._terminal else self._write(progress)

    def note(self, sentence: str) -> None:
        """Write a line that stays."""
        self._leave()
        self._plain.note(sentence)

    def result(self, result: JobResult) -> None:
        """Leave the chart as it stands; what the command prints follows."""
        self._leave()
        self._plain.result(result)

    def clear(self) -> None:
        """Nothing is redrawn from now on."""
        self._leave()
        self._plain.clear()

    def _draw(self, progress: JobProgress) -> None:
        from player.cli.plots import blocks

        lines = [progress_line(progress), f"  loss {blocks(self._losses[-EPOCHS:])} {self._losses[-1]:.3f}"]
        if self._metrics:
            lines.append(
                f"  AUC  {blocks(self._metrics[-EPOCHS:])} {self._metrics[-1]:.3f}, at best {max(self._metrics):.3f}"
            )
        back = f"\x1b[{self._drawn}A" if self._drawn else ""
        sys.stderr.write(back + "".join(f"\r\x1b[K{line}\n" for line in lines))
        sys.stderr.flush()
        self._drawn = len(lines)

    def _write(self, progress: JobProgress) -> None:
        sys.stderr.write(f"{progress_line(progress)}\n")
        sys.stderr.flush()

    def _leave(self) -> None:
        """The chart stays above what comes; the next one begins below."""
        self._drawn = 0
