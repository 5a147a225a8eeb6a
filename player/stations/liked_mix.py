"""The mix of genres, eras and tags that a listener likes on a station, as calibration wants it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from player.stations.collection import UNKNOWN, Collection, codes
from player.stations.stations import genres_of
from recommender.models.station_scorer import HeadLabels
from recommender.ranking.variety import Mix, aspect_of_likes

YEARS_AN_ERA = 10
FIRST_YEAR = 1900
"""Earlier years, and those to come, are typing errors more often than not: their era is not known."""
LAST_YEAR = 2100
ROWS_AT_A_TIME = 8192
"""Rows whose tags are compared at once: a large library is never copied whole."""


@dataclass(frozen=True, eq=False)
class _Library:
    """A collection as a key of a cache: the same only as itself."""

    collection: Collection

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Library) and other.collection is self.collection

    def __hash__(self) -> int:
        return id(self.collection)


def liked_mix(collection: Collection, labels: HeadLabels) -> Mix | None:
    """The wanted mix; none before anything was liked.

    Args:
        collection: the library.
        labels: what was liked and disliked, weighed for this station, as the running update sees it.
    """
    likes = labels.label > 0
    if not likes.any():
        return None
    tracks, weights = labels.track[likes], labels.weight[likes]
    aspects = (aspect_of_likes(kinds, tracks, weights) for kinds in _kinds(_Library(collection)))
    return Mix(tuple(aspect for aspect in aspects if aspect is not None))


@lru_cache(maxsize=1)
def _kinds(library: _Library) -> tuple[NDArray[np.int64], ...]:
    """For genre, era and tag, (n,) each track's kind, ``UNKNOWN`` where it is not known."""
    rows = library.collection.rows
    genre = codes(next(iter(genres_of(row)), "") for row in rows)
    era = np.array([_era(row.year) for row in rows], np.int64)
    return genre, era, np.concatenate([np.empty(0, np.int64), *_strongest_tags(library.collection)])


def _era(year: int | None) -> int:
    known = year is not None and FIRST_YEAR <= year < LAST_YEAR
    return (year - FIRST_YEAR) // YEARS_AN_ERA if year is not None and known else UNKNOWN


def _strongest_tags(collection: Collection) -> Iterator[NDArray[np.int64]]:
    """The tag that marks each track most, above the library's mean."""
    tags = collection.vectors.tags
    if not tags.shape[1]:
        yield np.full(len(collection), UNKNOWN, np.int64)
        return
    above_mean = np.exp(-collection.tag_levels)
    for first in range(0, len(tags), ROWS_AT_A_TIME):
        lift = tags[first : first + ROWS_AT_A_TIME] * above_mean
        unknown = np.flatnonzero(~np.isfinite(lift).all(axis=1))
        strongest = np.argmax(lift, axis=1).astype(np.int64)
        strongest[unknown] = UNKNOWN
        yield strongest
