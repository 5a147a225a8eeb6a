"""Recency and frequency as human memory weighs them: the base-level activation of ACT-R."""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.interfaces import Context

DECAY = 0.5
"""d of the activation: the value that ACT-R and the work on music relistening use throughout."""
LEAST_SECONDS = 1.0
"""A moment ago counts as a second ago, so that nothing is divided by no time."""


class BaseLevelActivation:
    """Tracks in the order of how present their past listens are: log Σ (seconds since)^-d.

    A dislike is heard too, but it reinforces nothing: negative rows are left out. Source: Anderson & Schooler 1991,
    as the base-level component of PISA (Tran et al., RecSys 2024), where it stands for what will be heard again.
    """

    name = "act-r"

    def __init__(self) -> None:
        self._tracks = 0

    def fit(self, log: EventLog) -> None:
        """Take over the size of the catalogue; the listens are the listener's own history."""
        self._tracks = log.tracks

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
