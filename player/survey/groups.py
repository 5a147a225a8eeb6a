"""Groups that the survey is balanced over: the library's genres, or, where those say little, clusters of what sounds alike."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from player.library.tracks import TrackRow
from player.stations.collection import Collection
from player.stations.stations import genres_of
from recommender.models.content_space import VectorSource

MOST_GROUPS = 12
"""Genres or clusters with a turn of their own; in 30 answers each has two or three. The paper had five genres."""
OTHER_GENRES = "other genres"
NO_GENRE = "no genre"
UNHEARD = "not analysed yet"
TAGGED_SHARE = 0.5
"""With fewer tracks tagged, genres say little about the library."""
DOMINANT_SHARE = 0.8
"""With more tracks in one genre, genres divide nothing."""
TRACKS_A_CLUSTER = 5
"""At least so many on average: clusters of one or two tracks are no sides of a taste."""
FITTED_ROWS = 4000
"""Rows that clusters are fitted to; the rest joins the nearest. More would move the centres little, and take longer."""
STEPS = 25
"""Of Lloyd's algorithm at most; it has usually settled before."""
STARTS = 4
"""The best of so many is taken: each ends where it can only get worse nearby, and now and then that is a bad place."""
CLUSTER_SEED = 20221

_AND = re.compile(r"\s*&\s*|['’]?\bn['’]")  # drum & bass, drum'n'bass
_BETWEEN = re.compile(r"[\W_]+")

Vectors = NDArray[np.float32]


def normalised(genre: str) -> str:
    """A genre's name as it is compared: without case, accents' forms, hyphens and kinds of "and".

    >>> normalised("Hip-Hop") == normalised("hip hop")
    True
    """
    folded = unicodedata.normalize("NFKC", genre).casefold()
    return _BETWEEN.sub(" ", _AND.sub(" and ", folded)).strip()


def listened_vectors(collection: Collection, rows: Sequence[TrackRow]) -> Vectors:
    """(n, d) the content vectors of these tracks of a collection; NaN for those that have none of their own."""
    places = np.array([collection.index[row.id] for row in rows], np.int64)
    own = collection.space.source[places] == VectorSource.OWN
    return np.where(own[:, np.newaxis], collection.space.vectors[places], np.float32("nan")).astype(np.float32)


def group_tracks(rows: Sequence[TrackRow], vectors: Callable[[], Vectors]) -> tuple[str, ...]:
    """The group of each track.

    Genres, where at least half of the tracks have one and none holds more than four fifths of the library; else clusters of
    the vectors; else, where there is no vector either, genres as they are.

    Args:
        rows: the tracks.
        vectors: gives (n, d) of them, NaN rows for those not listened to yet; called only when genres will not do.
    """
    genres = [normalised(next(iter(genres_of(row)), "")) for row in rows]
    sizes = Counter(genre for genre in genres if genre)
    tagged, largest = sum(sizes.values()), max(sizes.values(), default=0)
    if tagged < TAGGED_SHARE * len(rows) or largest > DOMINANT_SHARE * len(rows):
        found = vectors()
        known = np.asarray(np.isfinite(found).all(axis=1), np.bool_)
        if not found.shape[1]:
            known[:] = False
        if known.any():
            return _by_cluster(found, known)
    return _by_genre(genres, sizes)


def _by_genre(genres: Sequence[str], sizes: Counter[str]) -> tuple[str, ...]:
    """The largest genres; the many small ones take turns as one, or rare things would be most of what is asked."""
    own = {genre for genre, _ in sorted(sizes.items(), key=lambda size: (-size[1], size[0]))[:MOST_GROUPS]}
    return tuple(NO_GENRE if not genre else genre if genre in own else OTHER_GENRES for genre in genres)


def _by_cluster(vectors: Vectors, known: NDArray[np.bool_]) -> tuple[str, ...]:
    rows = np.flatnonzero(known)
    count = max(1, min(MOST_GROUPS, len(rows) // TRACKS_A_CLUSTER))
    groups = np.full(len(vectors), UNHEARD, dtype=object)
    for row, cluster in zip(rows, clusters(vectors[rows], count), strict=True):
        groups[row] = f"cluster {cluster + 1}"
    return tuple(groups)


def clusters(vectors: Vectors, count: int) -> NDArray[np.int64]:
    """(n,) the cluster of each of (n, d) finite vectors, 0 to at most ``count`` − 1: k-means (Lloyd 1982).

    It starts from centres that lie apart (k-means++, Arthur & Vassilvitskii 2007), drawn by a fixed seed: the same vectors
    give the same clusters.
    """
    rng = np.random.default_rng(CLUSTER_SEED)
    fitted = vectors if len(vectors) <= FITTED_ROWS else vectors[rng.choice(len(vectors), FITTED_ROWS, replace=False)]
    found = [_settled(fitted, _first_centres(fitted, count, rng)) for _ in range(STARTS)]
    best = min(found, key=lambda centres: float(_squared_distances(fitted, centres).min(axis=1).sum()))
    return _squared_distances(vectors, best).argmin(axis=1)


def _settled(vectors: Vectors, centres: Vectors) -> Vectors:
    """The centres after as many steps as change anything; one that nobody is nearest to is given up."""
    for _ in range(STEPS):
        nearest = _squared_distances(vectors, centres).argmin(axis=1)
        moved = np.array([vectors[nearest == k].mean(axis=0) for k in range(len(centres)) if (nearest == k).any()])
        if moved.shape == centres.shape and np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _first_centres(vectors: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """(at most ``count``, d) rows, each drawn by its squared distance from those before; fewer where rows are the same."""
    centres = vectors[[int(rng.integers(len(vectors)))]]
    while len(centres) < count:
        away = _squared_distances(vectors, centres).min(axis=1).astype(np.float64)
        total = float(away.sum())
        if total <= 0:
            break
        centres = np.concatenate([centres, vectors[[int(rng.choice(len(vectors), p=away / total))]]])
    return centres


def _squared_distances(vectors: Vectors, centres: Vectors) -> Vectors:
    """(n, k)."""
    squares = np.einsum("nd,nd->n", vectors, vectors)[:, np.newaxis] + np.einsum("kd,kd->k", centres, centres)
    return np.maximum(squares - 2 * vectors @ centres.T, 0)
