"""What a training tells on the terminal: a line now and then, on stderr."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from recommender.training.conversion import ConversionReport
from recommender.training.training_state import EpochReport, Position, StepReport

EVERY_SECONDS = 5.0
"""Between two lines about steps: a training of days fills no disk with them."""
MINUTE, HOUR = 60, 3600


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Teller:
    """Turns reports into lines.

    Attributes:
        write: takes a line.
        clock: seconds that only ever rise.
    """

    write: Callable[[str], None] = _to_stderr
    clock: Callable[[], float] = time.monotonic
    _last: float = field(default=float("-inf"))

    def _due(self) -> bool:
        due = self.clock() - self._last >= EVERY_SECONDS
        if due:
            self._last = self.clock()
        return due

    def step(self, report: StepReport) -> None:
        """Where the epoch is and how fast it goes, every few seconds."""
        if not self._due():
            return
        rate = report.steps / report.seconds if report.seconds > 0.0 else 0.0
        tokens = report.tokens / report.seconds if report.seconds > 0.0 else 0.0
        self.write(
            f"epoch {report.epoch} of at most {report.epochs}, {report.share:.1%}: step {report.step:,}, loss {report.loss:.4f},"
            f" {rate:.1f} steps/s, {tokens:,.0f} tokens/s{_left(report)}"
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


def _left(report: StepReport) -> str:
    """What is left of the epoch at the pace so far; nothing before the pace can be told."""
    done = report.tokens
    if not done or not 0.0 < report.share < 1.0 or report.seen <= 0:
        return ""
    remaining = report.seen / report.share - report.seen
    return f", {_duration(remaining * report.seconds / done)} left of the epoch"


def _duration(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"
