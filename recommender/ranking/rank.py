"""What plays next: rules, then place by place the best of score, variety, calibration and keyed noise.

For each place the utility of every eligible track is

    utility = score + diversity · variety gain + calibration · gain in nats − soft same-artist and same-album penalty

in logits (``variety``: MMR or DPP, and the calibration of Steck 2018), and the place goes to
argmax(utility / temperature + Gumbel noise of (seed, slot, track)). That is a draw from
softmax(utility / temperature) over the place's eligible tracks given the places before, so its propensity is known
exactly. The noise is a function of its key: the same inputs give the same queue, and a row moves only because something
changed. Everything here is pure; scores are computed elsewhere.

``slate_types`` has the values, ``rules`` who is eligible, ``slate_builder`` the gains and one place after the other, ``gumbel`` the draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.ranking.slate_builder import Placer, View
from recommender.ranking.slate_types import (
    KEPT_UTILITIES,
    UNKNOWN,
    Commitment,
    RankedTrack,
    Ranking,
    Request,
    Settings,
    TrackTable,
)

__all__ = [
    "KEPT_UTILITIES",
    "UNKNOWN",
    "Commitment",
    "Placer",
    "RankedTrack",
    "Ranking",
    "Request",
    "Settings",
    "TrackTable",
    "View",
    "commit",
    "rank",
]  # fmt: skip


def rank(catalogue: TrackTable, request: Request, commit_first: int = 0) -> Ranking:
    """Fill the places of a station's queue.

    Args:
        catalogue: n tracks.
        request: what to rank, and how.
        commit_first: how many of the chosen (not pinned) places to commit at once; others by :func:`commit`, at
            the moment they are served.

    Returns:
        The queue; the same for the same arguments. It is shorter than asked, and says why, when the rules leave too
        few tracks.

    Raises:
        ValueError: an array has the wrong length, an index lies outside the catalogue, or a score is not finite.
    """
    _check(catalogue, request)
    placer = Placer(catalogue, request)
    rows = [placer.pin(track) for track in placer.admitted_pins()]
    pins = len(rows)
    while len(rows) < request.places:
        row = placer.peek()
        if row is None:
            break
        if len(rows) - pins < commit_first:
            row = replace(row, commitment=placer.commitment(row))
        placer.place(row.track)
        rows.append(row)
    return Ranking(tuple(rows), placer.shortfall() if len(rows) < request.places else None)


def commit(catalogue: TrackTable, request: Request, ranking: Ranking, place: int) -> Commitment:
    """What to log for a place of a ranking that is being served.

    Args:
        catalogue: the one ranked.
        request: the one ranked.
        ranking: what :func:`rank` returned for them.
        place: which row, from 0.

    Returns:
        The commitment, equal to the one made by ``rank(…, commit_first=…)``.

    Raises:
        ValueError: the row is pinned, so nothing was chosen.
    """
    row = ranking.rows[place]
    if row.pinned:
        raise ValueError(f"place {row.rank} is pinned: it has no propensity")
    if row.commitment is not None:
        return row.commitment
    return Placer(catalogue, request, queued=ranking.tracks[:place]).commitment(row)


def _check(catalogue: TrackTable, request: Request) -> None:
    """Raise ValueError naming the argument that does not fit the catalogue."""
    count = len(catalogue)
    if len(request.scores) != count or len(request.candidates) != count:
        raise ValueError(f"scores and candidates must have {count} rows, one a track of the catalogue")
    for rule in request.rules:
        if len(rule.blocks) != count:
            raise ValueError(f"rule “{rule.name}” has {len(rule.blocks)} rows, the catalogue {count}")
    for aspect in () if request.mix is None else request.mix.aspects:
        if len(aspect.codes) != count:
            raise ValueError(f"an aspect of the mix has {len(aspect.codes)} rows, the catalogue {count}")
    indices = (*request.recent, *request.pinned)
    if any(not 0 <= track < count for track in indices):
        raise ValueError(f"recent and pinned must hold track indices in 0…{count - 1}")
    if not np.isfinite(request.scores).all():
        raise ValueError("scores must be finite")


@dataclass(frozen=True, slots=True)
class Move:
    """Where a row of the new order was before.

    Attributes:
        track: track index.
        places: places towards the front; negative towards the back, 0 where it stayed or is new.
        new: it was not in the old order.
    """

    track: int
    places: int
    new: bool = False

    @property
    def label(self) -> str:
        """▲3, ▼2, ●new, or empty for a row that stayed."""
        if self.new:
            return "●new"
        if self.places == 0:
            return ""
        return f"▲{self.places}" if self.places > 0 else f"▼{-self.places}"


def moves(old_order: Sequence[int], new_order: Sequence[int]) -> list[Move]:
    """One move for each row of the new order, in its order.

    Args:
        old_order: track indices of the queue before, without those that have been played or taken off since – so
            that the rows behind them, which merely close the gap, do not seem to have moved.
        new_order: track indices of the queue now.
    """
    before = {track: place for place, track in enumerate(old_order)}
    return [
        Move(track, before[track] - place) if track in before else Move(track, 0, new=True)
        for place, track in enumerate(new_order)
    ]
