"""How varied a station is: what was played of late, and what it will be after the queue.

All figures are defined for every input, also for none: a report never holds NaN.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RECENT_PLAYS = 100
"""How many last plays a report looks at; a fixed number, as the Gini index falls with the number of plays alone."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What a station may play.

    Attributes:
        vectors: (n, d) float32 rows of length 1 or 0, as ``ContentSpace.vectors``, for the whole catalogue.
        artist: (n,) int64 codes from 0; all tracks with a negative code count as one artist.
        eligible: (n,) bool, the tracks the station may play.
    """

    vectors: NDArray[np.float32]
    artist: NDArray[np.int64]
    eligible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DiversityReport:
    """The figures beside the queue, over the last plays.

    Attributes:
        gini: of plays per artist over the station's eligible artists, zeros included; 0 = all alike, towards 1 = one
            artist has all.
        artist_entropy: bits, of the plays' artists.
        artist_evenness: that entropy as a share of the largest possible (every eligible artist alike), 0…1.
        intra_list_distance: mean cosine distance over all pairs of plays, 0…2.
        coverage: share of the eligible tracks that are among the plays.
        never_played: share of the eligible tracks that have not been played at all, ever.
        repeat_rate: share of the plays whose track had been played before.
    """

    gini: float
    artist_entropy: float
    artist_evenness: float
    intra_list_distance: float
    coverage: float
    never_played: float
    repeat_rate: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Diversity ``now``, and as it will be ``after`` the queue has been played."""

    now: DiversityReport
    after: DiversityReport


def outlook(pool: Pool, plays: NDArray[np.int64], queue: NDArray[np.int64], recent: int = RECENT_PLAYS) -> Outlook:
    """The reports for the last plays, and for the last plays once the queue is played.

    Args:
        pool: what the station may play.
        plays: (m,) track indices of all the station's plays, oldest first.
        queue: (q,) track indices to come.
        recent: how many last plays count.
    """
    return Outlook(report(pool, plays, recent), report(pool, np.concatenate([plays, queue]), recent))


def report(pool: Pool, plays: NDArray[np.int64], recent: int = RECENT_PLAYS) -> DiversityReport:
    """The report for the last ``recent`` of ``plays``.

    Args:
        pool: what the station may play.
        plays: (m,) track indices of all the station's plays, oldest first.
        recent: how many last plays count, at least 1.
    """
    plays = plays.astype(np.int64)
    last = plays[-recent:]
    counts = plays_per_artist(pool, last)
    bits = entropy(counts)
    return DiversityReport(
        gini=gini(counts),
        artist_entropy=bits,
        artist_evenness=_evenness(bits, len(counts), len(last)),
        intra_list_distance=intra_list_distance(pool.vectors[last]),
        coverage=coverage(pool.eligible, last),
        never_played=1.0 - coverage(pool.eligible, plays) if pool.eligible.any() else 0.0,
        repeat_rate=repeat_rate(plays, recent),
    )


def plays_per_artist(pool: Pool, plays: NDArray[np.int64]) -> NDArray[np.int64]:
    """(a,) plays of each of the station's eligible artists, zeros included; plays of other artists do not count."""
    codes = np.maximum(pool.artist, -1) + 1
    size = int(codes.max(initial=0)) + 1
    eligible = np.bincount(codes[pool.eligible], minlength=size) > 0
    return np.bincount(codes[plays], minlength=size)[eligible]


def gini(counts: NDArray[np.integer] | NDArray[np.floating]) -> float:
    """The Gini index of (a,) counts: half the mean difference of two of them, over their mean.

    Σ (2i − a − 1)·xᵢ / (a·Σ x) over the counts in rising order, i from 1 (Gini 1912; Brown's form).

    Returns:
        0 (all alike) to 1 − 1/a (one has all); 0.0 for no counts, and when all are zero.
    """
    total = float(counts.sum())
    if total == 0:
        return 0.0
    size = len(counts)
    places = 2.0 * np.arange(1, size + 1) - size - 1
    return max(0.0, float(places @ np.sort(counts)) / (size * total))


def entropy(counts: NDArray[np.integer] | NDArray[np.floating]) -> float:
    """Shannon's entropy of (a,) counts taken as shares, in bits; 0.0 when all are zero."""
    total = float(counts.sum())
    if total == 0:
        return 0.0
    shares = counts[counts > 0] / total
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def _evenness(bits: float, artists: int, plays: int) -> float:
    """Entropy as a share of its largest value: 0.0 without plays, 1.0 when there is but one artist to play."""
    if plays == 0 or artists == 0:
        return 0.0
    if artists == 1:
        return 1.0
    return min(1.0, bits / float(np.log2(artists)))


def intra_list_distance(vectors: NDArray[np.float32]) -> float:
    """Mean cosine distance over all pairs of rows (Ziegler et al. 2005).

    Args:
        vectors: (m, d) rows of length 1; a row of 0 is at distance 1 from every other.

    Returns:
        0…2; 0.0 for fewer than two rows.
    """
    count = len(vectors)
    if count < 2:  # noqa: PLR2004 - a pair
        return 0.0
    rows = vectors.astype(np.float64)
    total = rows.sum(axis=0)
    cosines = float(total @ total - (rows * rows).sum()) / (count * (count - 1))
    return min(2.0, max(0.0, 1.0 - cosines))


def coverage(eligible: NDArray[np.bool_], plays: NDArray[np.int64]) -> float:
    """Share of the eligible tracks (mask over the catalogue) that are among the plays; 0.0 when none is eligible."""
    total = int(np.count_nonzero(eligible))
    if total == 0:
        return 0.0
    played = np.zeros(len(eligible), np.bool_)
    played[plays] = True
    return int(np.count_nonzero(eligible & played)) / total


def repeat_rate(plays: NDArray[np.int64], recent: int) -> float:
    """Share of the last ``recent`` plays whose track had been played before; 0.0 without plays.

    Args:
        plays: (m,) track indices, oldest first.
        recent: how many last plays count, at least 1.
    """
    if len(plays) == 0:
        return 0.0
    earlier, last = plays[:-recent], plays[-recent:]
    tracks, first = np.unique(last, return_index=True)
    new = np.zeros(len(last), np.bool_)
    new[first] = ~np.isin(tracks, earlier)
    return float(1.0 - new.mean())
