"""Ratings of other players, written anew from their rules: IMMS and TuneLog.

IMMS, the Intelligent Multimedia Management System (M. Grigoriev, 2001-2009), rated tracks by skips alone: every ending moves a
track's rating by an amount that depends on what came before it. It has no thumbs and does not know how much of a track was
played. In TuneLog, a companion of a music server, that share decides what a listen is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.counts import OwnHistory
from recommender.baselines.feedback import totals
from recommender.events import EventLog, Outcome
from recommender.interfaces import Context

FIRST_SKIP, NEXT_SKIP = -6.0, -4.0
"""A skip after a track that was finished, and one in a run of skips (the listener is looking for something)."""
FIRST_FINISH, NEXT_FINISH, CHOSEN_FINISH = 5.0, 1.0, 7.0
"""Finished after a skip, finished as the one before (perhaps nobody is listening), finished after it was chosen."""
CHOSEN_SKIP, LEFT = 1.0, -1.0
"""Chosen and then skipped; left because another track was chosen. Neither says much."""
UNSURE, PRESENT = 1.0, 2.0
"""Added to the size of a clear movement: 1 while it is not known whether anybody is at the keyboard, 2 when somebody
is, which only an explicit answer proves here."""
POINTS_PER_TRIAL = 10.0
"""Points that weigh as much as one trial of the Wilson bound: about the strongest single ending (9)."""
PRIOR_TRIALS, PRIOR_LIKES = 2.0, 1.0
"""IMMS starts every track at one of two."""
DEVIATIONS = 1.96
"""Of the Wilson bound: 95 %."""
SKIPS = (Outcome.SKIP_EARLY, Outcome.SKIP_LATE)
FINISHES = (Outcome.FINISH, Outcome.REPLAY)


@dataclass(frozen=True, slots=True)
class Rating:
    """Evidence on every track of one listener, (tracks,) each: ``trials`` and how many of them speak for the track."""

    likes: NDArray[np.float64]
    trials: NDArray[np.float64]

    @property
    def upper(self) -> NDArray[np.float64]:
        """Upper end of the Wilson interval of the share of likes: little evidence is given the benefit of the doubt."""
        share, z2 = self.likes / self.trials, DEVIATIONS**2
        centre = share + z2 / (2.0 * self.trials)
        half = DEVIATIONS * np.sqrt(share * (1.0 - share) / self.trials + z2 / (4.0 * self.trials**2))
        return (centre + half) / (1.0 + z2 / self.trials)


def movements(history: EventLog) -> NDArray[np.float64]:
    """Points (N,) by which each row of one listener's history moves its track; 0 for a row that moves nothing."""
    outcome, track = history.outcome, history.track
    finished, skipped = np.isin(outcome, FINISHES), np.isin(outcome, SKIPS)
    ending, chosen = _last_before(finished | skipped), _last_before(outcome == Outcome.CHOSEN)
    after_skip = (ending >= 0) & skipped[ending]
    # A choice is about the next track that ends.
    picked = (chosen > ending) & (track[chosen] == track)
    points = np.array([_ASIDE.get(Outcome(value), 0.0) for value in range(len(Outcome))])[outcome]
    size = np.where(after_skip, FIRST_FINISH, NEXT_FINISH)
    size[picked | (outcome == Outcome.REPLAY)] = CHOSEN_FINISH
    points[finished] = size[finished] + UNSURE
    clear = np.where(after_skip, NEXT_SKIP, FIRST_SKIP) - UNSURE
    points[skipped] = np.where(picked, CHOSEN_SKIP, clear)[skipped]
    return points


def _last_before(marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row the last marked row before it, or -1."""
    if len(marked) == 0:
        return np.empty(0, np.int64)
    last = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
    return np.concatenate([[-1], last[:-1]])


_ASIDE = {
    Outcome.LEFT: LEFT,
    Outcome.THUMB_UP: CHOSEN_FINISH + PRESENT,
    Outcome.THUMB_DOWN: FIRST_SKIP - PRESENT,
    Outcome.NEVER: FIRST_SKIP - PRESENT,
}
"""Outcomes that are no ending and leave the context alone. Thumbs, which IMMS lacks, are its strongest movements."""


class ImmsRating(OwnHistory):
    """Tracks in the order of the upper Wilson bound of the listener's own IMMS-like rating."""

    name = "imms"

    def score(self, context: Context) -> NDArray[np.float32]:
        """Upper bound (tracks,) of the share of likes, 0…1."""
        return self._rating(context.history).upper.astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the points for and against, and the bound."""
        points = movements(context.history)[context.history.track == track]
        upper = self._rating(context.history).upper[track]
        return f"+{points[points > 0].sum():.0f} and -{-points[points < 0].sum():.0f} points, at best {upper:.0%} liked"

    def _rating(self, history: EventLog) -> Rating:
        trials = movements(history) / POINTS_PER_TRIAL
        likes = totals(history.track, np.maximum(trials, 0.0), self._tracks)
        total = totals(history.track, np.abs(trials), self._tracks)
        return Rating(likes + PRIOR_LIKES, total + PRIOR_TRIALS)


IGNORED_BELOW, SKIP_BELOW, PARTIAL_BELOW = 0.1, 0.3, 0.8
"""Played shares at which a listen stops being an accident, a skip, a partial listen."""
SKIP_POINTS, PARTIAL_POINTS, POSITIVE_POINTS, REPEAT_POINTS = -2.0, 1.0, 2.0, 3.0
PLAYS = (Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.SKIP_LATE, Outcome.LEFT)
"""Outcomes that end a play, for which a known share decides."""
_WORTH_BY_OUTCOME = {
    Outcome.FINISH: POSITIVE_POINTS,
    Outcome.THUMB_UP: POSITIVE_POINTS,
    Outcome.REPLAY: REPEAT_POINTS,
    Outcome.SKIP_LATE: PARTIAL_POINTS,
    Outcome.SKIP_EARLY: SKIP_POINTS,
    Outcome.THUMB_DOWN: SKIP_POINTS,
    Outcome.NEVER: SKIP_POINTS,
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
        [0.0, SKIP_POINTS, PARTIAL_POINTS, POSITIVE_POINTS],
    )
    measured = np.isfinite(share) & np.isin(history.outcome, PLAYS)
    return np.where(measured, by_share, table[history.outcome])


class TuneLogPoints(OwnHistory):
    """Tracks in the order of the points that the listener's own plays gave them."""

    name = "tunelog"

    def score(self, context: Context) -> NDArray[np.float32]:
        """Sum of points (tracks,); 0 for a track never played."""
        history = context.history
        return np.bincount(history.track, points_of(history), minlength=self._tracks).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the points and from how many rows."""
        rows = int(np.count_nonzero(context.history.track == track))
        return f"{self.score(context)[track]:+.0f} points from {rows} events of yours"
