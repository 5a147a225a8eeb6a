"""Metrics of what a recommender puts before people: how evenly, how widely, how much alike, how little known."""

import numpy as np
from numpy.typing import NDArray

from recommender.ranking import diversity

Counts = NDArray[np.floating] | NDArray[np.integer]


def gini(counts: Counts) -> float | None:
    """Gini coefficient of exposures, zeros included (see :func:`recommender.ranking.diversity.gini`).

    Returns:
        None when there is nothing to share out (no entry, or all are zero).
    """
    return None if float(np.sum(counts)) <= 0.0 else diversity.gini(np.asarray(counts, np.float64))


def coverage(counts: Counts) -> float | None:
    """Share of the catalogue that was exposed at least once; None for an empty catalogue."""
    return float(np.count_nonzero(counts) / len(counts)) if len(counts) else None


def entropy(counts: Counts) -> float | None:
    """Shannon entropy of the exposures in bits; None when there are none."""
    return None if float(np.sum(counts)) <= 0.0 else diversity.entropy(np.asarray(counts, np.float64))


def unit_vectors(content: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (n, d) scaled to length 1; a row with NaN, of an unknown sound, and a row of zeros become zeros."""
    known = np.where(np.isfinite(content).all(axis=1, keepdims=True), content, 0.0).astype(np.float32)
    length = np.linalg.norm(known, axis=1, keepdims=True)
    return (known / np.where(length > 0.0, length, 1.0)).astype(np.float32)


def intra_list_distance(units: NDArray[np.float32], tracks: NDArray[np.int64]) -> float | None:
    """Mean cosine distance over the pairs of a list, tracks of unknown sound left out (Ziegler et al. 2005).

    Args:
        units: (n, d) as :func:`unit_vectors` gives them.
        tracks: (k,) the list.

    Returns:
        0…2, or None with fewer than two tracks of known sound.
    """
    vectors = units[tracks]
    vectors = vectors[np.any(vectors != 0.0, axis=1)]
    return diversity.intra_list_distance(vectors) if len(vectors) > 1 else None


def self_information(counts: NDArray[np.integer]) -> NDArray[np.float64]:
    """Bits (n,) of meeting each track among the rows of training: −log2 of its share, one row added to each track.

    Added so that a track nobody has heard is rare, not infinitely so (Vargas & Castells 2011 for the measure).
    """
    return -np.log2((counts + 1.0) / (counts.sum() + len(counts))) if len(counts) else np.empty(0)


def novelty(information: NDArray[np.float64], tracks: NDArray[np.int64]) -> float | None:
    """Mean bits of a list (k,) of tracks, by :func:`self_information`; None for an empty list."""
    return float(information[tracks].mean()) if len(tracks) else None


def artist_spread(artist: NDArray[np.int64], tracks: NDArray[np.int64]) -> float | None:
    """Distinct artists of a list (k,) over its length: 1 = all different; None for an empty list.

    Args:
        artist: (n,) codes; tracks with a negative code count as one artist, as beside the queue.
        tracks: (k,) the list.
    """
    return len(np.unique(np.maximum(artist[tracks], -1))) / len(tracks) if len(tracks) else None
