"""How well a score tells plays that were heard out from those that were skipped: within a session first, then over all plays.

Skips come in bursts, so over all plays whoever knows how the last few ended looks clever. Within a session – listening without
half an hour of silence – that advantage is gone, and what is left is which track to play next.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from recommender.habits.plays import Plays

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

AUC, AUC_SESSION, AUC_FIRST, AUC_REPEAT = "auc", "auc_session", "auc_first", "auc_repeat"
METRICS = (AUC_SESSION, AUC, AUC_FIRST, AUC_REPEAT)
RESAMPLES = 1000
BOUNDS = (2.5, 97.5)
FEWEST_REDRAWN = 2


@dataclass(frozen=True, slots=True)
class HabitFigure:
    """A measured figure: its mean, and 95 % of its bootstrap; NaN where there are no pairs, None without an interval."""

    mean: float
    low: float | None = None
    high: float | None = None


def pair_auc(score: Floats, verdict: NDArray[np.int8]) -> float:
    """Share of the pairs of a + and a − play that the score orders rightly, ties counting half; NaN without pairs."""
    judged = verdict != 0
    liked = verdict[judged] > 0
    up, down = int(np.count_nonzero(liked)), int(np.count_nonzero(~liked))
    if not up or not down:
        return np.nan
    return float((rankdata(score[judged])[liked].sum() - up * (up + 1) / 2) / (up * down))


def session_aucs(score: Floats, verdict: NDArray[np.int8], session: NDArray[np.int64]) -> Floats:
    """The pair AUC of every session that has a pair, in their order; each session counts alike."""
    judged = np.flatnonzero(verdict != 0)
    ends = np.flatnonzero(np.diff(session[judged])) + 1
    found = np.array([pair_auc(score[rows], verdict[rows]) for rows in np.split(judged, ends) if len(rows)])
    return found[np.isfinite(found)] if len(found) else found


def measures(score: Floats, plays: Plays, rows: Bools, first: Bools, seed: int = 0) -> Mapping[str, HabitFigure]:
    """Every metric of :data:`METRICS` of one score on some plays.

    Args:
        score: (N,) of all plays.
        plays: of one listener.
        rows: (N,) which plays are measured on.
        first: (N,) which are the first of their track.
        seed: of the bootstrap over sessions.
    """
    verdict, session = plays.verdict, plays.session
    kinds = {AUC_SESSION: rows, AUC_FIRST: rows & first, AUC_REPEAT: rows & ~first}
    found = {
        metric: _of_sessions(session_aucs(score[kept], verdict[kept], session[kept]), seed)
        for metric, kept in kinds.items()
    }
    return {**found, AUC: HabitFigure(pair_auc(score[rows], verdict[rows]))}


def _of_sessions(values: Floats, seed: int) -> HabitFigure:
    """The mean over sessions, with its interval over resampled sessions."""
    if not len(values):
        return HabitFigure(np.nan)
    return HabitFigure(float(values.mean()), *bounds(values, lambda drawn: drawn.mean(axis=1), seed))


def bounds(values: Floats, statistic: Callable[[Floats], Floats], seed: int = 0) -> tuple[float | None, float | None]:
    """95 % of a statistic of the rows of (B, n) resamples of the values; none where one value cannot be redrawn."""
    if len(values) < FEWEST_REDRAWN:
        return None, None
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(statistic(values[drawn]), BOUNDS).tolist()
    return low, high
