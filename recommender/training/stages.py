"""How far a retraining is, told stage by stage."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


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


class Teller:
    """Tells progress, with the time left at the stage's pace so far.

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
