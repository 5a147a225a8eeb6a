"""What every recommender can do: be fitted on a log, score all tracks in a situation, and say why."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog


@dataclass(frozen=True, slots=True)
class Context:
    """The situation in which tracks are scored.

    Attributes:
        listener: who listens.
        station: the station the next track is for.
        time: seconds, on the log's clock.
        history: all the listener's rows before ``time``.
    """

    listener: int
    station: int
    time: float
    history: EventLog


class Recommender(Protocol):
    """Anything that scores tracks; higher is better, and only the order need mean something."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def fit(self, log: EventLog) -> None:
        """Learn from a log of any number of listeners, forgetting what was learned before."""
        ...

    def score(self, context: Context) -> NDArray[np.float32]:
        """A finite score (tracks,) of every track; rows of the history after the fitted log count as well."""
        ...

    def explain(self, context: Context, track: int) -> str:
        """Why the track has its score, in a few words that state the figures behind it."""
        ...


def after(history: EventLog, time: float) -> slice:
    """The rows of a history after a moment: what a fit up to that moment has not seen."""
    return slice(int(np.searchsorted(history.time, time, side="right")), None)


def last_moment(log: EventLog) -> float:
    """Time of the last row; before all time for an empty log."""
    return float(log.time[-1]) if len(log) else -np.inf
