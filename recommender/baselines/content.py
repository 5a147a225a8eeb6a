"""Nearest neighbours in sound: what the audio alone can tell from the listener's last likes."""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.interfaces import Context
from recommender.models.numpy_inference import Standardisation

NEIGHBOURS = 5
REMEMBERED = 20
"""Distinct likes looked back to; more blur the taste and cost time."""
LEAST_NORM = 1e-9
"""Keeps a vector of zeros (no audio known) at zero similarity to everything."""


class ContentNeighbours:
    """Tracks in the order of their mean cosine similarity to the nearest of the listener's latest likes."""

    name = "content-knn"

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        """Prepare the content vectors (tracks, dim), NaN rows for tracks without one."""
        standard = Standardisation.of(vectors).apply(vectors)
        self._unit = standard / np.maximum(np.linalg.norm(standard, axis=1, keepdims=True), LEAST_NORM)
        self._likes: tuple[int, ...] = ()
        self._scores = np.zeros(len(vectors), np.float32)

    def fit(self, log: EventLog) -> None:
        """Check that the log is of these tracks; the listener's own history is all that is used.

        Raises:
            ValueError: when the log's catalogue has another size.
        """
        if log.tracks != len(self._unit):
            raise ValueError(f"the log is about {log.tracks} tracks, the vectors are of {len(self._unit)}")

    def score(self, context: Context) -> NDArray[np.float32]:
        """Mean similarity, -1…1, to the nearest likes; zeros without a like."""
        likes = self._latest_likes(context.history)
        if likes != self._likes:  # most situations follow one another without a new like
            self._likes, self._scores = likes, self._similarity(likes)
        return self._scores.copy()

    def explain(self, context: Context, track: int) -> str:
        """State the similarity."""
        return f"similarity {self.score(context)[track]:.2f} to the nearest of your likes"

    def _similarity(self, likes: tuple[int, ...]) -> NDArray[np.float32]:
        if not likes:
            return np.zeros(len(self._unit), np.float32)
        similarity = self._unit @ self._unit[list(likes)].T  # (tracks, likes)
        nearest = min(NEIGHBOURS, len(likes))
        return np.partition(similarity, len(likes) - nearest, axis=1)[:, -nearest:].mean(axis=1)

    @staticmethod
    def _latest_likes(history: EventLog) -> tuple[int, ...]:
        newest_first = history.track[history.label > 0][::-1]
        distinct, first = np.unique(newest_first, return_index=True)
        return tuple(int(track) for track in distinct[np.argsort(first)][:REMEMBERED])
