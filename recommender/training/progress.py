"""How far a training is: a retraining's stages, told to the player, and a training's steps, told on the terminal."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from recommender.training.checkpoints import EpochReport, Position, StepReport


class Stage(StrEnum):
    """The stages of a retraining, in their order."""

    CONTENT = "content"
    SEQUENCE = "sequence"
    UPDATE = "update"
    BLEND = "blend"
    EVALUATION = "evaluation"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a retraining is.

    Attributes:
        stage: a value of :class:`Stage`.
        step, steps: within the stage.
        loss: mean training loss of the step, where there is one.
        metric: validation pair AUC after the step, where there is one.
        seconds_left: of this stage at its pace so far, at most (it may stop early); None when unknown.
    """

    stage: str
    step: int
    steps: int
    loss: float | None
    metric: float | None
    seconds_left: float | None


class StageProgress:
    """Tells the progress of a retraining, with the time left at the stage's pace so far.

    Args:
        on_progress: told about every step.
    """

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._stage: Stage | None = None
        self._started = 0.0

    def begin(self, stage: Stage) -> None:
        """A stage begins."""
        self._stage, self._started = stage, time.monotonic()

    def step(self, step: int, steps: int, loss: float | None = None, metric: float | None = None) -> None:
        """A step of the stage is done."""
        assert self._stage is not None, "a stage begins before it is told of"
        taken = time.monotonic() - self._started
        left = taken / step * (steps - step) if step else None
        self._on_progress(Progress(self._stage, step, steps, loss, metric, left))


EVERY_SECONDS = 5.0
"""Between two lines about steps: a training of days fills no disk with them."""
MINUTE, HOUR = 60, 3600


def print_line(line: str) -> None:
    """Write a line to stderr at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """How far a conversion is: rows that were read, and rows that stand in shards."""

    read: int
    written: int


@dataclass(slots=True)
class TerminalProgress:
    """Turns the reports of a training on a data set into lines on stderr, one now and then.

    Attributes:
        write: takes a line.
        clock: seconds that only ever rise.
    """

    write: Callable[[str], None] = print_line
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"))

    def _due(self) -> bool:
        due = self.clock() - self._last >= EVERY_SECONDS
        if due:
            self._last = self.clock()
        return due

    def step(self, report: StepReport, rows: int) -> None:
        """Where the epoch of so many rows is and how fast it goes, every few seconds."""
        if not self._due():
            return
        rate = report.steps / report.seconds if report.seconds > 0.0 else 0.0
        tokens = report.tokens / report.seconds if report.seconds > 0.0 else 0.0
        self.write(
            f"epoch {report.epoch} of at most {report.epochs}, {report.seen / rows:.1%}: step {report.step:,}, loss {report.loss:.4f},"
            f" {rate:.1f} steps/s, {tokens:,.0f} tokens/s{_left(report, rows)}"
        )

    def epoch(self, report: EpochReport) -> None:
        """How an epoch went."""
        auc = "no pairs to validate on" if report.validation_auc is None else f"pair AUC {report.validation_auc:.4f}"
        self.write(f"epoch {report.epoch} done in {_duration(report.seconds)}: loss {report.loss:.4f}, {auc}")

    def restored(self, position: Position) -> None:
        """Where a training goes on."""
        if position.finished:
            self.write(f"already finished after {len(position.reports)} epochs")
        else:
            self.write(f"goes on in epoch {position.epoch} after step {position.step:,}")

    def conversion(self, report: ConversionReport) -> None:
        """How many rows have passed, every few seconds."""
        if self._due():
            done = f", {report.written:,} written" if report.written else ""
            self.write(f"{report.read:,} rows read{done}")


def _left(report: StepReport, rows: int) -> str:
    """What is left of the epoch at the pace so far; nothing before the pace can be told."""
    if not report.tokens or not 0 < report.seen < rows:
        return ""
    return f", {_duration((rows - report.seen) * report.seconds / report.tokens)} left of the epoch"


def _duration(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"
