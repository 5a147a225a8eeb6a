"""A path by sound from one track to another: each step small, each a little nearer to the end."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.errors import PlayerError
from player.insight.neighbours import unit_vectors
from player.library.tracks import TrackRow
from player.stations.collection import Collection

CHOICE = 48
"""Tracks that are weighed for a place."""
ENDS = ("start", "end")
SAME_ARTIST = 0.3
"""What two neighbours by one artist cost, in squared steps; a usual step is a fifth to a half of that."""


@dataclass(frozen=True, slots=True)
class Step:
    """A track of the path, and its likeness to the one before: the cosine of their vectors, 1 at the start."""

    track: TrackRow
    similarity: float


def sound_path(collection: Collection, start: int, end: int, count: int, allowed: NDArray[np.bool_]) -> list[Step]:
    """The path from one track to another.

    The tracks that make the smallest detour are put in order by how far along they are, as their distances to both ends
    tell, and divided among the places, so none comes twice. Of each place's tracks the one is taken that makes the sum of
    squared steps least (Viterbi 1967), which spreads the way evenly.

    Args:
        collection: the library.
        start: a track id.
        end: another.
        count: tracks, both ends included; fewer where the library has no more.
        allowed: (n,) bool, what may be on the way.

    Raises:
        PlayerError: an end is unknown or was not analysed yet, or both are one track.
    """
    first, last = (_row(collection, track) for track in (start, end))
    if first == last:
        raise PlayerError("A path needs two different tracks.")
    vectors = unit_vectors(collection)
    from_start, to_end = (1.0 - vectors @ vectors[row] for row in (first, last))
    rows = np.flatnonzero(allowed & collection.playable & collection.vectors.present)
    rows = rows[(rows != first) & (rows != last)]
    detour = (from_start + to_end)[rows]
    near = rows[np.argsort(detour, kind="stable")[: CHOICE * (count - 2)]]
    along = from_start[near] / np.maximum((from_start + to_end)[near], np.finfo(np.float32).eps)
    between = np.array_split(near[np.argsort(along, kind="stable")], count - 2) if count > len(ENDS) else []
    layers = [np.array([first]), *(layer for layer in between if len(layer)), np.array([last])]
    chosen = _cheapest(vectors, collection.catalogue.artist, layers)
    likeness = [1.0, *(float(vectors[a] @ vectors[b]) for a, b in itertools.pairwise(chosen))]
    return [Step(collection.rows[row], value) for row, value in zip(chosen, likeness, strict=True)]


def _row(collection: Collection, track: int) -> int:
    row = collection.index.get(track)
    if row is None:
        raise PlayerError(f"There is no track {track}; `player tracks` lists them.")
    if not collection.vectors.present[row]:
        title = collection.rows[row].title
        raise PlayerError(f"“{title}” was not analysed yet, so what it sounds like is unknown; run `player embed`.")
    return row


def _cheapest(vectors: NDArray[np.float32], artist: NDArray[np.int64], layers: list[NDArray[np.int64]]) -> list[int]:
    """One row of each layer, so that the steps cost least."""
    costs, came_from = np.zeros(len(layers[0])), list[NDArray[np.int64]]()
    for before, here in itertools.pairwise(layers):
        steps = (1.0 - vectors[before] @ vectors[here].T).astype(np.float64) ** 2
        alike = (artist[before][:, None] == artist[here]) & (artist[here] >= 0)
        total = costs[:, None] + steps + SAME_ARTIST * alike
        came_from.append(total.argmin(axis=0))
        costs = total.min(axis=0)
    place, chosen = int(costs.argmin()), list[int]()
    for layer, back in zip(reversed(layers), [*reversed(came_from), None], strict=True):
        chosen.append(int(layer[place]))
        place = place if back is None else int(back[place])
    return chosen[::-1]
