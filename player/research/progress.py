"""What every experiment needs while it runs: an estimate of how long it will take, and errors in one sentence."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from player.errors import PlayerError
from player.jobs import JobProgress
from player.research.datasets import Desk
from recommender.experiments.records import ExperimentError


@contextmanager
def errors_as(kind: type[PlayerError]) -> Generator[None]:
    """Within it what is wrong with an experiment is an error of the player, with the same words."""
    try:
        yield
    except ExperimentError as error:
        raise kind(str(error)) from error


@dataclass(slots=True)
class Teller:
    """Tells how far a run is, and how long it will take at the pace so far."""

    desk: Desk
    started: float = field(default_factory=time.monotonic)

    def tell(self, stage: str, done: int, total: int, computed: int, within: float = 0.0) -> None:
        """Pass a step on.

        Args:
            stage: what is being done.
            done: parts of the run that are finished.
            total: of how many.
            computed: how many of the finished ones this process has done itself, those found on disk not counted.
            within: share of the part in progress, 0…1.
        """
        # The first parts are the cheap ones: before one is done there is nothing to estimate by.
        seconds = None
        if computed:
            seconds = (time.monotonic() - self.started) / (computed + within) * (total - done - within)
        self.desk.progress(JobProgress(stage, done, total, seconds))
