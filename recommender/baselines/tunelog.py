"""TuneLog-like points: how much of a track was played decides what a listen is worth.

After the default signals of TuneLog, a companion of a music server; written anew from its rules.
"""

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog, Outcome
from recommender.interfaces import Context

IGNORED_BELOW, SKIP_BELOW, PARTIAL_BELOW = 0.1, 0.3, 0.8
"""Played shares at which a listen stops being an accident, a skip, a partial listen."""
SKIP, PARTIAL, POSITIVE, REPEAT = -2.0, 1.0, 2.0, 3.0
PLAYS = (Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.SKIP_LATE, Outcome.LEFT)
"""Outcomes that end a play, for which a known share decides."""
_WORTH_BY_OUTCOME = {
    Outcome.FINISH: POSITIVE,
    Outcome.THUMB_UP: POSITIVE,
    Outcome.REPLAY: REPEAT,
    Outcome.SKIP_LATE: PARTIAL,
    Outcome.SKIP_EARLY: SKIP,
    Outcome.THUMB_DOWN: SKIP,
    Outcome.NEVER: SKIP,
}
"""What a row is worth where no share is known, or where it is no play; TuneLog itself has neither thumbs nor hand
picks, so a thumb counts as a full listen or a skip, and what is missing here counts nothing."""


def points_of(history: EventLog) -> NDArray[np.float64]:
    """Points (N,) of each row."""
    table = np.zeros(len(Outcome))
    for outcome, worth in _WORTH_BY_OUTCOME.items():
        table[outcome] = worth
    share = history.share
    by_share = np.select(
        [share < IGNORED_BELOW, share < SKIP_BELOW, share < PARTIAL_BELOW, share >= PARTIAL_BELOW],
        [0.0, SKIP, PARTIAL, POSITIVE],
    )
    measured = np.isfinite(share) & np.isin(history.outcome, PLAYS)
    return np.where(measured, by_share, table[history.outcome])


class TuneLogPoints:
    """Tracks in the order of the points that the listener's own plays gave them."""

    name = "tunelog"

    def __init__(self) -> None:
        self._tracks = 0

    def fit(self, log: EventLog) -> None:
        """Take over the size of the catalogue; the points are the listener's own history."""
        self._tracks = log.tracks

    def score(self, context: Context) -> NDArray[np.float32]:
        """Sum of points (tracks,); 0 for a track never played."""
        history = context.history
        return np.bincount(history.track, points_of(history), minlength=self._tracks).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the points and from how many rows."""
        rows = int(np.count_nonzero(context.history.track == track))
        return f"{self.score(context)[track]:+.0f} points from {rows} events of yours"
