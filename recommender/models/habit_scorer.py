"""The habit model served in numpy: what the listener's plays so far say of every track, beside the other columns of the blend."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog, Outcome
from recommender.habits.features import FEATURES, Habits, walk
from recommender.habits.linear import TERMS, Linear, Scaling
from recommender.habits.models import HabitMaterial, fit_player
from recommender.habits.plays import PlayedTracks, Plays, sessions_of

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Arrays = Mapping[str, NDArray[np.generic]]
MEAN, SCALE, WEIGHTS = "habit.mean", "habit.scale", "habit.weights"
SHAPES = {MEAN: (len(FEATURES),), SCALE: (len(FEATURES),), WEIGHTS: (len(TERMS),)}
_NO_PLAYS = (Outcome.CHOSEN, Outcome.PADDING)
_AMBIGUOUS = (Outcome.LEFT, Outcome.SKIP_LATE)
"""Ends of a play of which the share that was heard says whether it was a skip."""
SKIPPED_SHARE = 0.5


def plays_of(history: EventLog, catalogue: PlayedTracks) -> Plays:
    """One listener's log as plays: thumbs are verdicts like the ends of plays; what was left after its half is neither."""
    log = history.where(~np.isin(history.outcome, _NO_PLAYS))
    late = np.isin(log.outcome, _AMBIGUOUS) & ~(log.share < SKIPPED_SHARE)
    verdict = np.where(late, 0, np.sign(log.label)).astype(np.int8)
    share = np.where(np.isnan(log.share), np.where(verdict > 0, 1.0, np.where(verdict < 0, 0.0, 0.5)), log.share)
    count = len(log)
    return Plays(
        catalogue,
        log.track,
        log.time,
        np.zeros(count),
        share.astype(np.float64),
        verdict,
        np.full(count, -1, np.int8),
        sessions_of(log.time, np.zeros(count)),
    )


def train_habits(history: EventLog, catalogue: PlayedTracks) -> dict[str, NDArray[np.generic]]:
    """Fit the model on a listener's log; the arrays that :class:`HabitScorer` reads."""
    plays = plays_of(history, catalogue)
    fitted = fit_player(HabitMaterial(plays, walk(plays), np.ones(len(plays), np.bool_)))
    parts = (fitted.scaling.mean, fitted.scaling.scale, fitted.weights)
    return {name: part.astype(np.float64) for name, part in zip((MEAN, SCALE, WEIGHTS), parts, strict=True)}


class HabitScorer:
    """Scores every track by the listener's habits in the state after a history.

    Args:
        arrays: of a model, with those of :func:`train_habits`.
        catalogue: artists and albums of all tracks.
    """

    def __init__(self, arrays: Arrays, catalogue: PlayedTracks) -> None:
        mean, scale, weights = (np.asarray(arrays[name], np.float64) for name in (MEAN, SCALE, WEIGHTS))
        self._linear = Linear(Scaling(mean, scale), weights)
        self._catalogue = catalogue
        self._seen: EventLog | None = None
        self._habits = Habits(catalogue)
        self._scores = np.empty(0, np.float32)
        self._scored_at = -np.inf

    def scores(self, history: EventLog, now: float) -> Floats:
        """Scores (n,) at a moment; tracks of which nothing is known share one.

        In a library of more than :data:`SCORED_AT_ONCE` tracks a play has only those scored anew that it touches: those of its
        artist and album, and those that go with what was heard last. All others are :data:`REFRESHED_SECONDS` old at most, in
        which times, fading rates and the listener's level, which is the prior of every rate, hardly move.
        """
        before = self._habits.touching()
        played = self._follow(history)
        few = len(self._catalogue) <= SCORED_AT_ONCE
        if played is None or (few and len(played)) or not 0 <= now - self._scored_at <= REFRESHED_SECONDS:
            self._scores, self._scored_at = self._all(now), now
        elif len(played):
            touched = self._touched(np.union1d(played, before))
            self._scores = self._scores.copy()
            self._scores[touched] = self._linear.score(self._habits.features(touched, now))
        return self._scores

    def _all(self, now: float) -> Floats:
        known = self._habits.known()
        rows, fresh = np.flatnonzero(known), np.flatnonzero(~known)[:1]
        found = self._linear.score(self._habits.features(np.concatenate([rows, fresh]), now))
        out = np.full(len(known), found[-1] if len(found) else 0.0, np.float32)
        out[rows] = found[: len(rows)]
        return out

    def _touched(self, played: Indices) -> Indices:
        """Tracks whose features a play of these has moved."""
        own = self._catalogue
        near = np.isin(own.artist, own.artist[played]) | np.isin(own.album, own.album[played])
        near[self._habits.touching()] = True
        return np.flatnonzero(near)

    def _follow(self, history: EventLog) -> Indices | None:
        """Bring the state up to a history: by its new rows, whose tracks are given; anew, where it does not go on from the last."""
        seen, self._seen = self._seen, history
        if seen is None or len(history) < len(seen) or not _same(seen, history.first(len(seen))):
            self._habits = Habits.of(plays_of(history, self._catalogue))
            return None
        plays = plays_of(history.where(np.arange(len(history)) >= len(seen)), self._catalogue)
        session = plays.session + self._habits.session_at(float(plays.ended[0])) if len(plays) else plays.session
        columns = (plays.track, plays.ended, plays.share, plays.verdict, plays.chosen, session)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            self._habits.add(*row)
        return plays.track


REFRESHED_SECONDS = 600.0
SCORED_AT_ONCE = 1000
"""Tracks that take some 12 ms together (100,000 take 1.2 s)."""


def _same(one: EventLog, other: EventLog) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("track", "time", "label", "outcome")
    )
