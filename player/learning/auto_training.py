"""Automatic training: due when enough was told since the last training, and the last one is long enough ago."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from recommender.models.registry import Registry

PAUSE_SECONDS = 15 * 60.0
"""Between two trainings at least: a survey or an import brings answers by the hundred."""
LOOK_SECONDS = 5.0
"""Interval at which the answers are counted."""


@dataclass(frozen=True, slots=True)
class NewAnswers:
    """Answers since the last training.

    Attributes:
        count: labelled events since then.
        wanted: how many there must be before the player trains by itself.
    """

    count: int
    wanted: int

    @property
    def enough(self) -> bool:
        """True when it is time; never where none are wanted."""
        return 0 < self.wanted <= self.count


def trained_answers(registry: Registry) -> int:
    """Number of labelled events when a model was last trained, whether or not it serves; 0 before the first."""
    versions = registry.versions()
    return versions[-1].lineage.log_labels if versions else 0


class AutoTraining:
    """Says when to train.

    Args:
        registry: of the trained versions.
        after: new labelled events that make it time; 0 for never.
        answers: counts the labelled events of the log.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        registry: Registry,
        after: int,
        answers: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._after = after
        self._answers = answers
        self._clock = clock
        self._looked = -LOOK_SECONDS
        self._begun = -PAUSE_SECONDS
        self._tried = 0
        """Answers there were at the last attempt of this run, which may have found too little to train on."""

    def due(self) -> bool:
        """True when training is due; asked often, it counts only now and then."""
        now = self._clock()
        if self._after == 0 or now - self._begun < PAUSE_SECONDS or now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        known = max(self._tried, trained_answers(self._registry))
        return NewAnswers(self._answers() - known, self._after).enough

    def note(self) -> None:
        """A training begins, whoever asked for it."""
        self._begun, self._tried = self._clock(), self._answers()
