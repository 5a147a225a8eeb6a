"""The orders the library can be listed in, and rows sorted once per order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from player.library.tracks import TrackRow

_Key: TypeAlias = "tuple[str | int | float, ...]"
_NO_YEAR = 10_000
"""Tracks without a year come last."""


class Order(NamedTuple):
    """One way to sort."""

    name: str
    key: Callable[[TrackRow], _Key]


def _as_it_is(_track: TrackRow) -> _Key:
    return ()


def _by_title(track: TrackRow) -> _Key:
    return (track.title.casefold(),)


def _by_album(track: TrackRow) -> _Key:
    return (track.album.casefold(),)


def _by_year(track: TrackRow) -> _Key:
    return (track.year or _NO_YEAR,)


def _by_length(track: TrackRow) -> _Key:
    return (track.duration,)


ORDERS = (
    Order("artist", _as_it_is),
    Order("title", _by_title),
    Order("album", _by_album),
    Order("year", _by_year),
    Order("length", _by_length),
)
"""The catalogue comes by artist, album and track number; sorts are stable, so each order keeps that within equals."""


class SortedCatalogue:
    """A catalogue with its sorted orders, each made when first asked for."""

    def __init__(self, tracks: Sequence[TrackRow]) -> None:
        self.tracks = tracks
        self._sorted: dict[int, list[int]] = {}
        self._ranks: dict[int, list[int]] = {}

    def all(self, order: int) -> list[int]:
        """Indices of all tracks, sorted."""
        if order not in self._sorted:
            keys = [ORDERS[order].key(track) for track in self.tracks]
            self._sorted[order] = sorted(range(len(keys)), key=keys.__getitem__)
        return self._sorted[order]

    def some(self, indices: Sequence[int], order: int) -> list[int]:
        """The given indices, sorted; those beyond the catalogue are left out."""
        if order not in self._ranks:
            ranks = [0] * len(self.tracks)
            for rank, index in enumerate(self.all(order)):
                ranks[index] = rank
            self._ranks[order] = ranks
        known = (index for index in indices if index < len(self.tracks))
        return sorted(known, key=self._ranks[order].__getitem__)
