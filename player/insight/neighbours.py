"""Likeness of sound: the tracks most like one, pairs that are probably one recording, and tracks that are like nothing else.

The vectors of music lie near a plane of few dimensions; what the front-end never learned to place – spoken words, noise,
silence, a test tone, or the one odd record – sticks out of it. `docs/research/map.md` says what this finds and what it cannot.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.errors import PlayerError
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
COMPONENTS = 20
"""Dimensions of the plane; of 20 and 40 it lists more of 14 sounds that are no music put among 240 tracks."""
FOLDS = 5
FEWEST = 60
"""Tracks with a vector; with fewer, a fold has hardly more tracks than the plane has dimensions."""
STRANGE = 2.5
"""Robust standard deviations above the median from which on a track is told; of 240 tracks of music 5 or 6 are."""
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation × this = standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class SimilarTrack:
    """A track and how much it sounds like the one asked about: the cosine of their vectors, 1 for the same sound."""

    track: TrackRow
    similarity: float


def similar_tracks(collection: Collection, track_id: int, count: int) -> list[SimilarTrack]:
    """The playable tracks that sound most like a track, most alike first, without itself.

    The front-end's own vectors are compared: on the 240 tracks of the development library their nearest neighbours
    share the genre more often than those in the standardised and reduced content space.

    Raises:
        PlayerError: the track is unknown or was not embedded.
    """
    row = collection.index.get(track_id)
    if row is None:
        raise PlayerError(f"There is no track {track_id}; `player tracks` lists them.")
    if not collection.vectors.present[row]:
        title = collection.rows[row].title
        raise PlayerError(f"“{title}” was not analysed yet, so what it sounds like is unknown; run `player embed`.")
    vectors = unit_vectors(collection)
    cosines = vectors @ vectors[row]
    open_rows = collection.playable & collection.vectors.present
    open_rows[row] = False
    candidates = np.flatnonzero(open_rows)
    best = candidates[np.argsort(-cosines[candidates], kind="stable")[:count]]
    return [SimilarTrack(collection.rows[place], float(cosines[place])) for place in best]


def unit_vectors(collection: Collection) -> NDArray[np.float32]:
    """(n, d) the front-end's own vectors at length 1; zeros where there is none."""
    vectors = np.nan_to_num(collection.vectors.vectors)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).eps)


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
    pairs = [
        Pair(collection.rows[rows[first]], collection.rows[rows[second]], similarity)
        for first, second, similarity in _close(unit_vectors(collection)[rows], at_least)
    ]
    pairs = [pair for pair in pairs if abs(pair.a.duration - pair.b.duration) <= seconds_apart]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.a.id, pair.b.id))


def _close(unit: NDArray[np.float32], at_least: float) -> Iterator[tuple[int, int, float]]:
    for start in range(0, len(unit), BLOCK_ROWS):
        cosines = np.minimum(unit[start : start + BLOCK_ROWS] @ unit[start:].T, 1.0)
        firsts, seconds = np.nonzero(np.triu(cosines >= at_least, k=1))
        for first, second in zip(firsts, seconds, strict=True):
            yield start + int(first), start + int(second), float(cosines[first, second])


@dataclass(frozen=True, slots=True)
class Outlier:
    """A track and how strange it is: robust standard deviations above the library's median."""

    track: TrackRow
    strangeness: float


def outliers(collection: Collection, at_least: float = STRANGE) -> list[Outlier]:
    """The playable tracks that sound unlike the library, strangest first.

    Raises:
        PlayerError: too few tracks have a vector.
    """
    rows = np.flatnonzero(collection.playable & collection.vectors.present)
    if len(rows) < FEWEST:
        raise PlayerError(
            f"{len(rows)} tracks were analysed, and {FEWEST} are needed to know what is unusual among them; "
            "add music with `player scan` and run `player embed`."
        )
    strange = strangeness(collection.vectors.vectors[rows])
    found = [
        Outlier(collection.rows[rows[place]], float(strange[place])) for place in np.flatnonzero(strange >= at_least)
    ]
    return sorted(found, key=lambda outlier: (-outlier.strangeness, outlier.track.id))


def strangeness(vectors: NDArray[np.float32], components: int = COMPONENTS) -> NDArray[np.float64]:
    """Distance of each vector from the plane that the others lie near.

    The distance from the first ``components`` principal components of the other folds, as its logarithm's robust z-score.

    Args:
        vectors: (n, dimension) finite, n at least ``FEWEST``.
        components: dimensions of the plane.

    Returns:
        (n,) z-scores; zeros where all distances are the same.
    """
    distances = np.empty(len(vectors), np.float64)
    # Neighbouring rows are of one album, and every fold takes its share of it.
    fold = np.arange(len(vectors)) % FOLDS
    for number in range(FOLDS):
        out = fold == number
        distances[out] = _distances(vectors[~out].astype(np.float64), vectors[out].astype(np.float64), components)
    return robust_scores(distances)


def robust_scores(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms' distances from their median, in standard deviations as the median deviation tells them."""
    logs = np.log(np.maximum(distances, np.finfo(np.float32).tiny))
    away = logs - np.median(logs)
    spread = MAD_TO_SIGMA * float(np.median(np.abs(away)))
    return away / spread if spread > 0 else np.zeros(len(distances))


def _distances(fitted: NDArray[np.float64], measured: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    mean = fitted.mean(axis=0)
    centred = fitted - mean
    _, axes = np.linalg.eigh(centred.T @ centred)
    plane = axes[:, ::-1][:, :components]
    away = measured - mean
    return np.linalg.norm(away - (away @ plane) @ plane.T, axis=1)
