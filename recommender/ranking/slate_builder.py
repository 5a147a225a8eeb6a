"""Fills one place of a queue after the other, keeping what each still has to know about the places before.

Several placers may share one queue, each with scores of its own: what one places, the others are told by
:meth:`Placer.place`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.gumbel_noise import KeyedNoise
from recommender.ranking.gumbel_race import Race
from recommender.ranking.rules import Eligibility, Gate, RuleName
from recommender.ranking.slate_gains import PlaceGains
from recommender.ranking.slate_types import KEPT_UTILITIES, Catalogue, Commitment, RankedTrack, Request

RIVALS = 1000
"""The best-scored tracks against which a chosen one is explained; choice and propensity look at every track."""


@dataclass(frozen=True, slots=True)
class View:
    """A place before it is filled.

    Attributes:
        mask: (n,) bool, who is eligible.
        count: how many are.
        utilities: (n,) scores and gains, −inf where not eligible.
        extra: (n,) utility − score.
        relaxed: rules that had to give way.
    """

    mask: NDArray[np.bool_]
    count: int
    utilities: NDArray[np.float64]
    extra: NDArray[np.float64]
    relaxed: tuple[RuleName, ...]


class Placer:
    """One way of choosing, over a queue as it grows.

    Args:
        catalogue: n tracks.
        request: what is ranked; see ``ranking.rank``, which also checks it.
        queued: track indices that have places already.
    """

    def __init__(self, catalogue: Catalogue, request: Request, queued: Sequence[int] = ()) -> None:
        self._catalogue = catalogue
        self._request = request
        spacing = request.settings.spacing
        self._gate = Gate(request.candidates, request.rules, catalogue.artist, spacing, catalogue.album)
        self._gains = PlaceGains(catalogue, request)
        self._queued: list[int] = list(queued)
        self._here: Eligibility | None = None

    @property
    def queued(self) -> tuple[int, ...]:
        """The tracks that have places, in order."""
        return tuple(self._queued)

    def admitted_pins(self) -> tuple[int, ...]:
        """The request's pinned tracks that may stay, each once, at most as many as there are places."""
        once = dict.fromkeys(self._request.pinned)
        return tuple(track for track in once if self._gate.admits(track))[: self._request.places]

    def pin(self, track: int) -> RankedTrack:
        """Give the next place to a track without a choice."""
        row = RankedTrack(self._slot, len(self._queued) + 1, track, pinned=True, score=self._score(track))
        self.place(track)
        return row

    def place(self, track: int) -> None:
        """Give the next place to this track, whoever chose it."""
        self._queued.append(track)
        self._here = None

    def peek(self) -> RankedTrack | None:
        """What utility and noise choose for the next place, without giving it; None when nobody is eligible."""
        here = self._turn_here()
        if not here.mask.any():
            return None
        track = self._race.winner(self._slot, here.mask, self._gains)
        extra = float(self._gains.of(np.array([track], np.int64))[0])
        rivals = self._rivals[here.mask[self._rivals]]
        extras = self._gains.of(rivals)
        utilities = self._request.scores[rivals] + extras
        utility = self._score(track) + extra
        return RankedTrack(
            slot=self._slot,
            rank=len(self._queued) + 1,
            track=track,
            pinned=False,
            score=self._score(track),
            utility=utility,
            diversity_lead=extra - float(extras.mean()) if len(rivals) else 0.0,
            given_up=max(0.0, float(utilities.max(initial=utility)) - utility),
            utility_rank=int(np.count_nonzero(utilities[rivals != track] > utility)) + 1,
            eligible_count=int(np.count_nonzero(here.mask)),
            relaxed=here.relaxed,
        )

    def view(self) -> View:
        """The next place: who is eligible, and their utilities given the places before."""
        here = self._turn_here()
        extra = self._gains.of_all()
        utilities = np.where(here.mask, self._request.scores + extra, -np.inf)
        return View(here.mask, int(np.count_nonzero(here.mask)), utilities, extra, here.relaxed)

    def commitment(self, row: RankedTrack) -> Commitment:
        """What to log about a row that :meth:`peek` gave for the place that is next: the exact softmax over all eligible."""
        return _commitment(self.view(), row, self._request.settings.temperature)

    def shortfall(self) -> str:
        """Why no further place could be filled."""
        return self._gate.shortfall(self._queued)

    @property
    def _slot(self) -> int:
        return self._request.first_slot + len(self._queued)

    def _score(self, track: int) -> float:
        return float(self._request.scores[track])

    @cached_property
    def _race(self) -> Race:
        noise = KeyedNoise(self._request.noise_seed, self._catalogue.ids)
        return Race(noise, self._request.scores, self._request.settings.temperature, self._gate.ever_open)

    @cached_property
    def _rivals(self) -> NDArray[np.int64]:
        return _best(self._request.scores, self._gate.ever_open)

    def _turn_here(self) -> Eligibility:
        """Who may take the next place; the gains are turned to it."""
        if self._here is None:
            self._here = self._gate.eligible(self._request.recent, self._queued)
            self._gains.move_to(self._queued)
        return self._here


def _best(scores: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Indices of the ``RIVALS`` best scores of a mask (n,), in no order."""
    tracks = np.flatnonzero(among)
    if len(tracks) <= RIVALS:
        return tracks
    return tracks[np.argpartition(scores[tracks], len(tracks) - RIVALS)[-RIVALS:]]


def _commitment(view: View, row: RankedTrack, temperature: float) -> Commitment:
    """The exact softmax of a place, and its best utilities."""
    scaled = view.utilities / temperature
    top = scaled.max()
    log_partition = float(top + np.log(np.exp(scaled - top).sum()))
    kept = min(KEPT_UTILITIES, view.count)
    best = np.argpartition(-view.utilities, kept - 1)[:kept]
    best = best[np.argsort(-view.utilities[best], kind="stable")]
    return Commitment(
        slot=row.slot,
        rank=row.rank,
        track=row.track,
        score=row.score,
        utility=row.utility,
        propensity=float(np.exp(scaled[row.track] - log_partition)),
        log_partition=log_partition,
        temperature=temperature,
        eligible_count=view.count,
        tracks=best.astype(np.int64),
        utilities=view.utilities[best].astype(np.float32),
    )
