"""No knowledge at all: what any figure has to beat first."""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.interfaces import Context


class RandomOrder:
    """A fresh random order in every situation; the same situation gives the same order."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._tracks = 0

    def fit(self, log: EventLog) -> None:
        """Take over the size of the catalogue."""
        self._tracks = log.tracks

    def score(self, context: Context) -> NDArray[np.float32]:
        """Uniform noise keyed by listener, station and how much was heard."""
        key = (self._seed, context.listener, context.station + 1, len(context.history))
        return np.random.default_rng(key).random(self._tracks, dtype=np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the draw."""
        return f"drawn at random ({self.score(context)[track]:.2f})"
