"""Baselines that count: how often a track was liked, by all or by this listener."""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.interfaces import Context, after, last_moment

PSEUDO_ROWS = 2.0
"""Strength of the prior of a like-rate, in rows, so that one like out of one does not beat nine out of ten."""


class Popularity:
    """Tracks in the order of how often anybody liked or finished them."""

    name = "popularity"

    def __init__(self) -> None:
        self._counts = np.zeros(0)
        self._fitted_until = -np.inf

    def fit(self, log: EventLog) -> None:
        """Count everybody's positives."""
        self._counts = np.bincount(log.track[log.label > 0], minlength=log.tracks).astype(np.float64)
        self._fitted_until = last_moment(log)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Positives so far."""
        recent = after(context.history, self._fitted_until)
        liked = context.history.label[recent] > 0
        fresh = np.bincount(context.history.track[recent][liked], minlength=len(self._counts))
        return (self._counts + fresh).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the count."""
        return f"liked {self.score(context)[track]:.0f} times"


class LikeRate:
    """Tracks in the order of the share of likes among all labels anybody gave them, shrunk towards the mean share."""

    name = "like-rate"

    def __init__(self) -> None:
        self._likes = np.zeros(0)
        self._labels = np.zeros(0)
        self._fitted_until = -np.inf

    def fit(self, log: EventLog) -> None:
        """Count everybody's positives and negatives."""
        self._likes = np.bincount(log.track[log.label > 0], minlength=log.tracks).astype(np.float64)
        self._labels = np.bincount(log.track[log.label != 0], minlength=log.tracks).astype(np.float64)
        self._fitted_until = last_moment(log)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Share of likes so far, 0…1."""
        recent = after(context.history, self._fitted_until)
        track, label = context.history.track[recent], context.history.label[recent]
        likes = self._likes + np.bincount(track[label > 0], minlength=len(self._likes))
        labels = self._labels + np.bincount(track[label != 0], minlength=len(self._likes))
        mean = (likes.sum() + 1.0) / (labels.sum() + PSEUDO_ROWS)
        return ((likes + PSEUDO_ROWS * mean) / (labels + PSEUDO_ROWS)).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the share."""
        return f"liked {self.score(context)[track]:.0%} of the time"


class PersonalMostPlayed:
    """Tracks in the order of how often this listener played them; a baseline that beats many transformers."""

    name = "personal-most-played"

    def __init__(self) -> None:
        self._tracks = 0

    def fit(self, log: EventLog) -> None:
        """Take over the size of the catalogue; the counts are the listener's own history."""
        self._tracks = log.tracks

    def score(self, context: Context) -> NDArray[np.float32]:
        """Times the listener heard the track without disliking it."""
        played = context.history.track[context.history.label >= 0]
        return np.bincount(played, minlength=self._tracks).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the count."""
        return f"you played it {self.score(context)[track]:.0f} times"
