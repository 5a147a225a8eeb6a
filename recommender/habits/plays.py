"""One listener's plays as columns: what was heard, for how long, and whether its end says something about liking.

An export states when a play *ended*. Nothing that is foretold may know how long the play at hand lasts, so the moment of
decision is the end of the play before, never the own end less the own length.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

UNTOLD = -2
"""Stands for the end of a play of which its source gives no reason."""
SESSION_GAP = 1800.0
"""Seconds of silence that end a session, as everywhere in the program and in Yambda's protocol (arXiv 2505.22238)."""
FINISHED_SHARE, SKIPPED_SHARE = 0.95, 0.5
"""Of a track's usual length: from the first on it was heard out, below the second it was skipped; between, nobody knows."""
AGREEMENT = 2.0
"""Seconds within which two longest plays of a track agree on its length: exports round, and crossfades differ."""
HEARD_OUT = 90.0
"""Seconds below which a longest play is a skip rather than a whole track: hardly any track is shorter."""
USUAL_LENGTH = 210.0
"""Seconds, of a track that was never heard out by someone who never heard any out."""


@dataclass(frozen=True, slots=True)
class PlayedTracks:
    """The tracks of a listener's plays.

    Attributes:
        artist, album: (n,) indices from 0; a track without an album has one of its artist's own.
        names: (n,) "Artist – Title".
    """

    artist: Indices
    album: Indices
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.artist)


@dataclass(frozen=True, slots=True)
class Plays:
    """Plays in the order they ended.

    Attributes:
        catalogue: the tracks.
        track: (N,) int64 indices into it.
        ended: (N,) float64 seconds since 1970, never decreasing.
        heard: (N,) float64 seconds.
        share: (N,) float64 of the track's length, 0…1.
        verdict: (N,) int8, +1 heard out, -1 skipped before its half, 0 neither.
        chosen: (N,) int8, 1 picked by hand, 0 not, -1 where nobody says.
        session: (N,) int64, rising from 0.
    """

    catalogue: PlayedTracks
    track: Indices
    ended: Floats
    heard: Floats
    share: Floats
    verdict: NDArray[np.int8]
    chosen: NDArray[np.int8]
    session: Indices

    def __len__(self) -> int:
        return len(self.track)

    @property
    def moment(self) -> Floats:
        """(N,) when each play was decided on: when the one before ended; the first one's is its own end."""
        return np.concatenate([self.ended[:1], self.ended[:-1]])

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return int(self.session[-1]) + 1 if len(self) else 0

    @property
    def first(self) -> NDArray[np.bool_]:
        """(N,) whether the track was not heard before."""
        once = np.zeros(len(self), np.bool_)
        once[np.unique(self.track, return_index=True)[1]] = True
        return once

    def until(self, count: int) -> "Plays":
        """The first ``count`` plays."""
        names = ("track", "ended", "heard", "share", "verdict", "chosen", "session")
        return replace(self, **{name: getattr(self, name)[:count] for name in names})


def sessions_of(ended: Floats, heard: Floats) -> Indices:
    """(N,) the session of each play: a new one begins where :data:`SESSION_GAP` passed since the last end."""
    silence = (ended - heard)[1:] - ended[:-1]
    return np.concatenate([np.zeros(min(1, len(ended))), np.cumsum(silence > SESSION_GAP)]).astype(np.int64)


def usual_lengths(track: Indices, heard: Floats, tracks: int) -> Floats:
    """Seconds (n,) that each track lasts, as far as its plays tell.

    That is the longest time on which two plays agree; where no two do, the longest; and for a track that was never heard
    for as much as :data:`HEARD_OUT`, the median of the others, for then all its plays are skips.
    """
    order = np.lexsort((-heard, track))
    sorted_track, sorted_heard = track[order], heard[order]
    begins = np.searchsorted(sorted_track, np.arange(tracks))
    length = np.zeros(tracks)
    known = np.unique(track)
    length[known] = sorted_heard[begins[known]]
    agree = np.zeros(len(track), np.bool_)
    agree[:-1] = (np.diff(sorted_track) == 0) & (-np.diff(sorted_heard) < AGREEMENT) & (sorted_heard[:-1] >= HEARD_OUT)
    # Of several agreements the first in this order, which is the longest, is written last.
    found = np.flatnonzero(agree)[::-1]
    length[sorted_track[found]] = sorted_heard[found]
    whole = length >= HEARD_OUT
    length[~whole] = np.median(length[whole]) if whole.any() else USUAL_LENGTH
    return length


def verdicts(share: Floats, finished: NDArray[np.int8]) -> NDArray[np.int8]:
    """(N,) what the end of each play says.

    Args:
        share: (N,) of the track that was heard.
        finished: (N,) 1 where the source says that the track's end was reached, -1 where it says that the listener went on
            to the next, 0 for any other end, and :data:`UNTOLD` where it gives no reason, so that the share alone speaks.
    """
    by_share = np.select([share >= FINISHED_SHARE, share < SKIPPED_SHARE], [1, -1], 0)
    told = np.select([finished > 0, (finished < 0) & (share < SKIPPED_SHARE)], [1, -1], 0)
    return np.where(finished == UNTOLD, by_share, told).astype(np.int8)


def each_its_own(codes: NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    """The codes (n,) from 0, every track without one (below 0) being the only one of its kind."""
    alone = np.arange(count)
    return alone if codes is None else np.where(codes < 0, codes.max(initial=-1) + 1 + alone, codes)
