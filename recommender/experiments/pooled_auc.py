"""The AUC of all test rows in one list, whoever they are of: what rating-prediction papers report.

It rewards a model for knowing which listeners are generous, which orders nothing within a listener, so it stands beside
the mean over listeners and never in its place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import FEWEST_UNITS, draws
from recommender.evaluation.query_states import MOST_ROWS, State, States
from recommender.evaluation.splits import Split
from recommender.interfaces import Recommender

Floats = NDArray[np.float64]

RESAMPLES = 200
"""Each one passes over all test rows; a bound moves by about a tenth of the interval's width between seeds."""
CHUNK_CELLS = 2_000_000
"""Counts held at a time: 16 MB."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """The figure, and itself in each resample (B,) of listeners, NaN where it has none; None with too few listeners."""

    estimate: float
    resampled: Floats | None


def pooled_auc(
    recommender: Recommender, split: Split, listeners: int, most_listeners: int | None, seed: int
) -> Pooled | None:
    """AUC over all judged test rows, each scored in its listener's frozen state; None without both labels.

    Args:
        recommender: fitted on the past of the split.
        split: what is past and what is test.
        listeners: of the whole set; the draws are over all of them, so that they are the same for every split.
        most_listeners: size of the sample that is visited, or None for all.
        seed: of the sample and the draws.
    """
    scores: list[Floats] = []
    labels: list[NDArray[np.int8]] = []
    people: list[NDArray[np.int64]] = []
    for own in States(split, State.FROZEN, most_listeners, MOST_ROWS, seed):
        for context, places in zip(own.contexts, own.predicted, strict=True):
            scores.append(recommender.score(context)[own.track[places]].astype(np.float64))
            labels.append(own.label[places])
            people.append(np.full(len(places), own.listener))
    if not scores:
        return None
    score, liked, who = np.concatenate(scores), np.concatenate(labels) > 0, np.concatenate(people)
    if liked.all() or not liked.any():
        return None
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    rows = _Rows(liked[order], who[order], starts)
    estimate = float(rows.auc(np.ones((1, listeners)))[0])
    if len(np.unique(who)) < FEWEST_UNITS:
        return Pooled(estimate, None)
    chunk = max(1, CHUNK_CELLS // len(score))
    drawn = [
        rows.auc(counts[start : start + chunk])
        for counts in draws(listeners, RESAMPLES, seed)
        for start in range(0, len(counts), chunk)
    ]
    return Pooled(estimate, np.concatenate(drawn))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows by rising score: liked or not, whose, and where each run of equal scores begins."""

    liked: NDArray[np.bool_]
    who: NDArray[np.int64]
    starts: NDArray[np.int64]

    def auc(self, counts: Floats) -> Floats:
        """(B,) with the rows of each listener counting ``counts`` (B, listeners) times; a tie is worth half."""
        weight = counts[:, self.who]
        liked = np.add.reduceat(weight * self.liked, self.starts, axis=1)
        disliked = np.add.reduceat(weight * ~self.liked, self.starts, axis=1)
        below = np.cumsum(disliked, axis=1) - disliked
        won = (liked * (below + 0.5 * disliked)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return won / (liked.sum(axis=1) * disliked.sum(axis=1))
