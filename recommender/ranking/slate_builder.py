"""Fills one place of a queue after the other, keeping what each still has to know about the places before.

Several placers may share one queue, each with scores of its own: what one places, the others are told by
:meth:`Placer.place`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.gumbel import KeyedNoise, Race
from recommender.ranking.rules import Eligibility, Gate, RuleName
from recommender.ranking.slate_types import KEPT_UTILITIES, UNKNOWN, Commitment, RankedTrack, Request, TrackTable
from recommender.ranking.variety import MixGain, Variety, largest_gain, variety_gain

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
MOST_GATHERED = 1 / 8
"""Share of the library from which on one product over all its rows is quicker than gathering those asked for."""


class PlaceGains:
    """The gains at one place after the other.

    Args:
        catalogue: n tracks.
        request: what is ranked.
    """

    def __init__(self, catalogue: TrackTable, request: Request) -> None:
        self._catalogue = catalogue
        self._recent = request.recent
        self._settings = request.settings
        self._mix = request.mix if request.settings.calibration > 0 else None
        self._cosines = _Cosines(catalogue.vectors, request.settings.window)
        self._penalties = [
            _Fading(catalogue.artist, self._settings.artist_penalty),
            _Fading(catalogue.album, self._settings.album_penalty),
        ]
        self._window: list[int] = []
        self._mix_gain: MixGain | None = None
        self._all: Doubles | None = None

    def move_to(self, queued: Sequence[int]) -> None:
        """Turn to the place after ``queued`` (track indices, in order)."""
        before = [*self._recent, *queued]
        self._all = None
        self._window = before[-self._settings.window :] if self._settings.window else []
        self._mix_gain = None if self._mix is None else MixGain(self._mix, before)
        for penalty in self._penalties:
            penalty.move_to(self._window, self._settings.window)

    @property
    def largest(self) -> float:
        """What no track gains more than at this place, in logits."""
        by_variety = 0.0
        if self._varies:
            largest = largest_gain(self._settings.variety, self._catalogue.vectors[self._window])
            by_variety = self._settings.diversity * largest
        return by_variety + (self._settings.calibration * self._mix_gain.largest if self._mix_gain else 0.0)

    def of(self, tracks: NDArray[np.int64]) -> Doubles:
        """(k,) logits of these tracks."""
        if len(tracks) > MOST_GATHERED * len(self._catalogue):
            return self.of_all()[tracks]
        vectors = self._catalogue.vectors
        window = list(dict.fromkeys(self._window))
        return self._sum(tracks, window, vectors[window] @ vectors[tracks].T if self._varies else None)

    def of_all(self) -> Doubles:
        """(n,) logits of all tracks; computed once for a place."""
        if self._all is None:
            cosines = self._cosines.to(self._window) if self._varies else None
            self._all = self._sum(slice(None), self._cosines.window, cosines)
        return self._all

    @property
    def _varies(self) -> bool:
        settings = self._settings
        return bool(self._window) and settings.diversity > 0 and settings.variety is not Variety.NONE

    def _sum(self, tracks: NDArray[np.int64] | slice, window: Sequence[int], cosines: Floats | None) -> Doubles:
        """The gains, from the cosines (w, k) of the tracks of the window to these tracks."""
        gains = -sum(penalty.of(tracks) for penalty in self._penalties)
        assert isinstance(gains, np.ndarray)
        if cosines is not None:
            before = self._catalogue.vectors[list(window)]
            gains += self._settings.diversity * variety_gain(self._settings.variety, cosines, before @ before.T)
        if self._mix_gain is not None:
            gains += self._settings.calibration * self._mix_gain.of(tracks)
        return gains


class _Cosines:
    """Cosines of the window's tracks to all; each row is kept while its track stays in the window.

    Args:
        vectors: (n, d) of all tracks.
        length: how many tracks a window has at most.
    """

    def __init__(self, vectors: Floats, length: int) -> None:
        self._vectors = vectors
        self._rows: Floats = np.empty((0, len(vectors)), np.float32)
        self._length = length
        self.window: list[int] = []
        """The track of each row."""

    def to(self, window: Sequence[int]) -> Floats:
        """(w, n) one row for each different track of a window."""
        wanted = list(dict.fromkeys(window))
        new = [track for track in wanted if track not in self.window]
        free = [row for row, track in enumerate(self.window) if track not in wanted]
        if len(new) < len(free) or len(self.window) + len(new) - len(free) > len(self._rows):
            return self._anew(wanted)
        rows = [*free, *range(len(self.window), len(self.window) + len(new) - len(free))]
        for row, track in zip(rows, new, strict=True):
            np.dot(self._vectors, self._vectors[track], out=self._rows[row])
            self.window[row : row + 1] = [track]
        return self._rows[: len(self.window)]

    def _anew(self, window: list[int]) -> Floats:
        if not len(self._rows):
            self._rows = np.empty((self._length, len(self._vectors)), np.float32)
        self.window = window
        rows = self._rows[: len(window)]
        # All at once is several times faster than one by one.
        return np.matmul(self._vectors[window], self._vectors.T, out=rows)


class _Fading:
    """penalty · (1 − places since / window), summed over the window's tracks of the same code."""

    def __init__(self, codes: NDArray[np.int64], penalty: float) -> None:
        self._codes = codes
        self._penalty = penalty
        self._by_code = np.zeros(codes.max(initial=0) + 2)  # UNKNOWN, as index −1, is the spare last entry
        self._touched: list[int] = []

    def move_to(self, window: Sequence[int], length: int) -> None:
        """Turn to the place after the tracks of ``window``, which has room for ``length``."""
        self._by_code[self._touched] = 0.0
        self._touched = [int(self._codes[track]) for track in window]
        for places_since, code in enumerate(reversed(self._touched)):
            self._by_code[code] += self._penalty * (1.0 - places_since / length)
        self._by_code[UNKNOWN] = 0.0

    def of(self, tracks: NDArray[np.int64] | slice) -> Doubles:
        """(k,) what these tracks lose."""
        return self._by_code[self._codes[tracks]]


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

    def __init__(self, catalogue: TrackTable, request: Request, queued: Sequence[int] = ()) -> None:
        self._catalogue = catalogue
        self._request = request
        spacing = request.settings.spacing
        self._gate = Gate(
            request.candidates,
            request.rules,
            catalogue.artist,
            spacing,
            catalogue.album,
            catalogue.guests,
            catalogue.versions,
        )
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
