"""Baselines that count: how often a track was liked by all or heard by this listener, how lately, and nothing at all."""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.habits.plays import each_its_own
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


class OwnHistory:
    """A baseline that knows a listener's history alone: a fit tells it the size of the catalogue and nothing else."""

    def __init__(self) -> None:
        self._tracks = 0

    def fit(self, log: EventLog) -> None:
        """Take over the size of the catalogue; everything else is the listener's own history."""
        self._tracks = log.tracks


class PersonalMostPlayed(OwnHistory):
    """Tracks in the order of how often this listener played them; a baseline that beats many transformers."""

    name = "personal-most-played"

    def score(self, context: Context) -> NDArray[np.float32]:
        """Times the listener heard the track without disliking it."""
        played = context.history.track[context.history.label >= 0]
        return np.bincount(played, minlength=self._tracks).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the count."""
        return f"you played it {self.score(context)[track]:.0f} times"


class ArtistRate(OwnHistory):
    """Tracks in the order of how much of their artist this listener liked, shrunk towards the listener's mean share."""

    name = "artists"

    def __init__(self, artist: NDArray[np.int64]) -> None:
        """Tracks by artists of these (tracks,) codes; a track of a negative one stands for itself."""
        super().__init__()
        self._artist = each_its_own(artist, len(artist))

    def score(self, context: Context) -> NDArray[np.float32]:
        """Share of likes among the labels of the artist's tracks, 0…1."""
        artist, label = self._artist[context.history.track], context.history.label
        size = int(self._artist.max(initial=-1)) + 1
        likes, labels = (np.bincount(artist[rows], minlength=size) for rows in (label > 0, label != 0))
        mean = (likes.sum() + 1.0) / (labels.sum() + PSEUDO_ROWS)
        return ((likes + PSEUDO_ROWS * mean) / (labels + PSEUDO_ROWS))[self._artist].astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the share."""
        return f"you liked {self.score(context)[track]:.0%} of what you heard of the artist"


class RandomOrder(OwnHistory):
    """A fresh random order in every situation; the same situation gives the same order."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self._seed = seed

    def score(self, context: Context) -> NDArray[np.float32]:
        """Uniform noise keyed by listener, station and how much was heard."""
        key = (self._seed, context.listener, context.station + 1, len(context.history))
        return np.random.default_rng(key).random(self._tracks, dtype=np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the draw."""
        return f"drawn at random ({self.score(context)[track]:.2f})"


DECAY = 0.5
"""d of the activation: the value that ACT-R and the work on music relistening use throughout."""
LEAST_SECONDS = 1.0
"""A moment ago counts as a second ago, so that nothing is divided by no time."""


class BaseLevelActivation(OwnHistory):
    """Tracks in the order of how present their past listens are: log Σ (seconds since)^-d.

    A dislike is heard too, but it reinforces nothing: negative rows are left out. Source: Anderson & Schooler 1991,
    as the base-level component of PISA (Tran et al., RecSys 2024), where it stands for what will be heard again.
    """

    name = "act-r"

    def score(self, context: Context) -> NDArray[np.float32]:
        """Activation (tracks,), mapped by log(1 + ·) so that a track never heard has 0; the order is that of log Σ."""
        kept = context.history.label >= 0
        ago = np.maximum(context.time - context.history.time[kept], LEAST_SECONDS)
        presence = np.bincount(context.history.track[kept], ago**-DECAY, minlength=self._tracks)
        return np.log1p(presence).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State how often and how long ago."""
        heard = context.history.time[(context.history.track == track) & (context.history.label >= 0)]
        if len(heard) == 0:
            return "activation 0: not heard without disliking it"
        hours = max(0.0, context.time - float(heard[-1])) / 3600.0
        return f"activation {self.score(context)[track]:.3g}: heard {len(heard)} times, last {hours:.1f} hours ago"
