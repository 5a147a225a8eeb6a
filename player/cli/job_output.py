"""How a command that takes long tells its progress and learns that it should stop."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from player.errors import PlayerError
from player.jobs import (
    JobResult,
    PipeReporter,
    Reporter,
    TerminalReporter,
    lower_priority,
    stop_when_orphaned,
)


@contextmanager
def reporting(*, attached: bool) -> Generator[tuple[Reporter, threading.Event]]:
    """A reporter and the event that asks to stop.

    Attached, the process takes the lowest priority and an error travels to the screen as the job's result.
    """
    if not attached:
        reporter = TerminalReporter()
        try:
            yield reporter, threading.Event()
        finally:
            reporter.clear()
        return
    lower_priority()
    reporter = PipeReporter()
    try:
        yield reporter, stop_when_orphaned()
    except PlayerError as error:
        reporter.result(JobResult(ok=False, summary=str(error)))
        raise
