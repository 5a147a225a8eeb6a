"""What the places before a place do to every track's utility: variety and calibration gain, same artist and album lose."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.calibration import MixGain
from recommender.ranking.slate_types import UNKNOWN, Catalogue, Request
from recommender.ranking.variety import Variety, largest_gain, variety_gain

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

    def __init__(self, catalogue: Catalogue, request: Request) -> None:
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
