"""Does a model belong to this library? Track ids are small numbers that every library has; what they sound like is not.

A model keeps the ids and content vectors of some tracks of the library it was trained on. A library in which those ids are
missing, or mean other sounds, is another one, and to it the model's memories of tracks would be about strangers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TRACK_IDS, VECTORS = "library.track_ids", "library.vectors"
SAMPLE = 32
"""Tracks kept of a library: a chance likeness of half of them is out of the question, and they take a few kilobytes."""
ALIKE = 0.99
"""Cosine, about the library's mean, from which two vectors are of one recording: another machine's rounding leaves .999."""
ENOUGH = 0.5
"""Share of the tracks that must be found and be the same: files are exchanged for better ones, but not half of them."""


@dataclass(frozen=True, slots=True)
class Library:
    """What tells a library from another.

    Attributes:
        track_ids: (n,) int64.
        vectors: (n, dim) float32 content vectors, NaN rows for tracks without one.
    """

    track_ids: NDArray[np.int64]
    vectors: NDArray[np.float32]


def sample(library: Library) -> dict[str, NDArray[np.generic]]:
    """The arrays that a model keeps of its library: some tracks with a vector, evenly spread."""
    known = np.flatnonzero(np.isfinite(library.vectors).all(axis=1))
    chosen = known[np.unique(np.linspace(0, len(known) - 1, SAMPLE).astype(np.int64))] if len(known) else known
    return {
        TRACK_IDS: library.track_ids[chosen].astype(np.int64),
        VECTORS: library.vectors[chosen].astype(np.float32),
    }


def belongs(arrays: Mapping[str, NDArray[np.generic]], library: Library) -> bool:
    """Whether a model with these arrays was trained on this library, as it was then or as it has become since."""
    ids, vectors = np.asarray(arrays[TRACK_IDS], np.int64), np.asarray(arrays[VECTORS], np.float64)
    place = {int(library.track_ids[row]): int(row) for row in np.flatnonzero(np.isin(library.track_ids, ids))}
    rows = np.array([place.get(int(track), -1) for track in ids], np.int64)
    there = np.flatnonzero(rows >= 0)
    own = library.vectors[rows[there]].astype(np.float64)
    there, own = there[np.isfinite(own).all(axis=1)], own[np.isfinite(own).all(axis=1)]
    if not len(ids):
        return True  # a library without a single vector shows nothing either way
    mean = vectors.mean(axis=0)
    same = _cosine(vectors[there] - mean, own - mean) >= ALIKE
    return bool(np.count_nonzero(same) >= ENOUGH * len(ids))


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) of rows; 1 for equal rows, also where both are 0."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    equal = np.isclose(one, other).all(axis=1)
    return np.where(equal, 1.0, np.sum(one * other, axis=1) / np.where(lengths > 0, lengths, 1.0))
