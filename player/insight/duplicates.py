"""Which tracks are probably the same recording twice."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.library.tracks import TrackRow
from player.stations.collection import Collection

ANY_LENGTH = math.inf
SAME_LENGTH = 2.0
"""Seconds by which two rips of one recording differ at most: lead-in, silence at the end, an encoder's padding."""
SAME_SOUND = 0.98
"""Cosine from which on two tracks pass for one recording. Measured on 240 tracks: of 28,680 pairs two reach it, and one of those
is the same song twice; of 12 tracks whose first 5 s were cut off all do. `docs/research/map.md` has the table."""
BLOCK_ROWS = 2048
"""Rows compared with all others at a time: 100,000 tracks need 0.8 GB at once."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tracks and the cosine of their vectors."""

    a: TrackRow
    b: TrackRow
    similarity: float


def near_duplicates(
    collection: Collection, at_least: float = SAME_SOUND, seconds_apart: float = ANY_LENGTH
) -> list[Pair]:
    """The pairs of playable tracks whose vectors have a cosine of ``at_least``, most alike first.

    Args:
        collection: the library.
        at_least: cosine, up to 1.
        seconds_apart: by how much their lengths may differ.
    """
    rows = np.flatnonzero(collection.playable & collection.vectors.present)
    vectors = collection.vectors.vectors[rows]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A vector of zeros has no direction and is like nothing.
    unit = vectors / np.where(lengths > 0, lengths, np.inf).astype(np.float32)
    pairs = [
        Pair(collection.rows[rows[first]], collection.rows[rows[second]], similarity)
        for first, second, similarity in _close(unit, at_least)
    ]
    pairs = [pair for pair in pairs if abs(pair.a.duration - pair.b.duration) <= seconds_apart]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.a.id, pair.b.id))


def _close(unit: NDArray[np.float32], at_least: float) -> Iterator[tuple[int, int, float]]:
    for start in range(0, len(unit), BLOCK_ROWS):
        cosines = np.minimum(unit[start : start + BLOCK_ROWS] @ unit[start:].T, 1.0)
        firsts, seconds = np.nonzero(np.triu(cosines >= at_least, k=1))
        for first, second in zip(firsts, seconds, strict=True):
            yield start + int(first), start + int(second), float(cosines[first, second])
