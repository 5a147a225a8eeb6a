"""Which tracks sound like nothing else in the library: spoken words, noise, silence, test tones – or the one odd record.

The vectors of music lie near a plane of few dimensions; what the front-end never learned to place sticks out of it. Every
track is measured against a plane fitted without it. `docs/research/map.md` says what this finds and what it cannot.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.errors import PlayerError
from player.library.tracks import TrackRow
from player.stations.collection import Collection

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
            f"{len(rows)} tracks were listened to, and {FEWEST} are needed to know what is unusual among them; "
            "add music with `player scan` and run `player embed`."
        )
    strange = strangeness(collection.vectors.vectors[rows])
    found = [
        Outlier(collection.rows[rows[place]], float(strange[place])) for place in np.flatnonzero(strange >= at_least)
    ]
    return sorted(found, key=lambda outlier: (-outlier.strangeness, outlier.track.id))


def strangeness(vectors: NDArray[np.float32], components: int = COMPONENTS) -> NDArray[np.float64]:
    """How far each vector sticks out of the plane that the others lie near.

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
