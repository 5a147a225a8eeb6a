"""Seeded bootstrap (Efron 1979) over listeners or, for a single listener, over blocks of their listening.

Events of one listener and one evening hang together, so whole units are redrawn, never single events.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Enough that a 95 % bound moves by less than its own third digit."""
CONFIDENCE = 0.95
SESSION_GAP = 30 * 60.0
"""Seconds of silence that end a listening session, the usual cut for streaming logs."""
FEWEST_UNITS = 5
"""Below this many units a resample is hardly different from the sample."""
BLOCK_ROWS = 5
"""Rows of a block when there are too few sessions (feedback given in one go, or an import without pauses)."""
CHUNK_CELLS = 2_000_000
"""Counts held at a time while listeners are redrawn: 16 MB, whatever the number of listeners."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its bootstrap bounds; no bounds when there was too little to redraw."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one recommender is ahead of another in the same resamples.

    Attributes:
        mean: of the first minus of the second, in the measure's own direction.
        low, high: its interval; None when there was too little to redraw.
        probability_better: share of resamples in which the first is the better one, a tie counting half; None likewise.
    """

    mean: float
    low: float | None
    high: float | None
    probability_better: float | None


def resampling_units(listener: NDArray[np.int64], time: NDArray[np.float64]) -> NDArray[np.int64]:
    """What is redrawn as a whole: listeners when there are enough, else sessions, else short runs of rows.

    Args:
        listener: (G,) of each row.
        time: (G,) seconds, never decreasing.

    Returns:
        (G,) unit of each row, from 0.
    """
    rows = len(listener)
    if rows == 0:
        return np.empty(0, np.int64)
    listeners, by_listener = np.unique(listener, return_inverse=True)
    if len(listeners) >= FEWEST_UNITS:
        return by_listener.astype(np.int64)
    sessions = np.concatenate([[0], np.cumsum(np.diff(time) > SESSION_GAP)])
    units = np.unique(np.stack([by_listener, sessions]), axis=1, return_inverse=True)[1].reshape(-1)
    if units.max() + 1 >= FEWEST_UNITS:
        return units.astype(np.int64)
    return np.arange(rows, dtype=np.int64) // BLOCK_ROWS


def sessions_of(time: NDArray[np.float64]) -> NDArray[np.int64]:
    """(G,) the session of each row of one listener, from 0 in the order of time.

    Args:
        time: (G,) seconds, in any order.
    """
    order = np.argsort(time, kind="stable")
    sessions = np.zeros(len(time), np.int64)
    sessions[order[1:]] = np.cumsum(np.diff(time[order]) > SESSION_GAP)
    return sessions


def resample_counts(units: NDArray[np.int64], resamples: int, seed: int) -> NDArray[np.float32] | None:
    """How often each row occurs in each resample.

    Args:
        units: (G,) unit of each row, from 0.
        resamples: how many, B.
        seed: the same seed gives the same resamples, which is what pairs two models.

    Returns:
        (B, G) float32 counts, or None when there are fewer than two units.
    """
    count = int(units.max()) + 1 if len(units) else 0
    if count < 2:  # noqa: PLR2004 - one unit can only be redrawn as itself
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=resamples)
    return drawn[:, units].astype(np.float32)


def draws(units: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each of ``units`` occurs in each resample, a chunk of resamples at a time.

    Args:
        units: how many are redrawn.
        resamples: how many, B in all.
        seed: the same seed gives the same draws, however they are cut into chunks.

    Yields:
        (b, units) counts; b adds up to B.
    """
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK_CELLS // max(1, units))
    for done in range(0, resamples, chunk):
        size = min(chunk, resamples - done)
        yield rng.multinomial(units, np.full(units, 1.0 / units), size=size).astype(np.float64)


def resampled_means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Means (B, K) over redrawn units of the columns of ``values`` (units, K), NaN cells left out; NaN where none is left."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    means: list[NDArray[np.float64]] = []
    for counts in draws(len(values), resamples, seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append((counts @ filled) / (counts @ known))
    return np.concatenate(means) if means else np.empty((0, values.shape[1]))


def interval(estimate: float, resampled: NDArray[np.floating] | None) -> Interval:
    """The percentile interval of resampled estimates; NaN among them (a resample without a pair) is left out."""
    known = resampled[np.isfinite(resampled)] if resampled is not None else np.empty(0)
    if len(known) == 0:
        return Interval(estimate, None, None)
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return Interval(estimate, float(low), float(high))


def difference_of_resamples(
    model: float,
    rival: float,
    model_resamples: NDArray[np.floating] | None,
    rival_resamples: NDArray[np.floating] | None,
    sign: float = 1.0,
) -> Difference:
    """The difference of two figures from the same resamples of both.

    Args:
        model: the one figure.
        rival: the other.
        model_resamples: (B,) the one in each draw, or None.
        rival_resamples: (B,) the other in the same draws, or None.
        sign: +1 when the larger figure is the better, -1 when the smaller is.
    """
    mean = model - rival
    if model_resamples is None or rival_resamples is None:
        return Difference(mean, None, None, None)
    gaps = model_resamples - rival_resamples
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) == 0:
        return Difference(mean, None, None, None)
    bounds = interval(mean, gaps)
    return Difference(mean, bounds.low, bounds.high, float(np.mean(0.5 + 0.5 * np.sign(sign * gaps))))
