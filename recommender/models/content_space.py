"""Content space: a library's vectors made comparable, and how close every track sounds to a station's seeds.

Front-end vectors have dimensions of very different scale that move together. They are standardised over the
library, reduced by principal components (Jolliffe 2002) and scaled to length 1, so that a dot product is a cosine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MAX_DIMENSIONS = 64
"""Principal components kept at most; RESEARCH's speed figures are for 64."""
ROWS_AT_A_TIME = 8192
"""Rows standardised at once: a large library is never copied whole."""
SMALLEST_SPREAD = 1e-6
"""A dimension or column that spreads less than this is constant, and says nothing."""
MAX_PROTOTYPES = 64
"""A seed of many tracks is represented by this many of them."""
NEAREST = 3
"""A track is as close to a seed as its mean cosine to this many of the seed's prototypes: enough not to hang on one
odd track, few enough that each side of a many-sided seed counts."""
CORE_SHARE = 0.02
"""The share of the library that counts as a seed's core when several seeds are brought to one level…"""
MIN_CORE = 5
"""…but at least so many tracks."""
SAMPLING_SEED = 20240607
"""Prototypes are drawn by this fixed seed: the same station sounds the same tomorrow."""
PROBABILITY_FLOOR = 1e-4
"""Tag probabilities are clipped this far from 0 and 1 before their logit is taken."""


class VectorSource(IntEnum):
    """Where a row of the content space comes from."""

    OWN = 0
    ARTIST = 1
    GENRE = 2
    LIBRARY = 3


@dataclass(frozen=True, slots=True)
class Projection:
    """From front-end vectors (D) to content space (d): standardise, rotate, scale to length 1.

    Attributes:
        mean, spread: (D,) over the library's vectors.
        components: (D, d) orthonormal columns, by falling variance.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    components: NDArray[np.float32]

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, d) rows of length 1 (0 for a vector at the library's mean) for (n, D) finite vectors."""
        rows = np.empty((len(vectors), self.components.shape[1]), np.float32)
        for batch in _batches(len(vectors)):
            rows[batch] = ((vectors[batch] - self.mean) / self.spread) @ self.components
        return _unit(rows)


@dataclass(frozen=True, slots=True)
class ContentSpace:
    """A library in content space.

    Attributes:
        vectors: (n, d) float32 rows of length 1; 0 for a track of which nothing is known.
        source: (n,) int8 of :class:`VectorSource`: the track's own vector, or whose mean stands in for it.
        projection: how the rows were made; good for tracks that came later.
    """

    vectors: NDArray[np.float32]
    source: NDArray[np.int8]
    projection: Projection

    @classmethod
    def fit(
        cls,
        vectors: NDArray[np.float32],
        artist: NDArray[np.int64],
        genre: NDArray[np.int64],
        dimensions: int = MAX_DIMENSIONS,
    ) -> "ContentSpace":
        """Fit the space to a library.

        A track without a vector gets the direction of its artist's mean, else of its genre's, else the library's mean,
        which is the origin: neither near nor far from anything.

        Args:
            vectors: (n, D) float32; rows that are not all finite are tracks without a vector.
            artist: (n,) integer codes, negative where unknown.
            genre: (n,) likewise.
            dimensions: d at most; fewer come of fewer tracks or dimensions.

        Raises:
            ValueError: the codes do not have n rows.
        """
        if len(artist) != len(vectors) or len(genre) != len(vectors):
            raise ValueError(f"artist and genre must have {len(vectors)} rows, as vectors has")
        own = np.asarray(np.isfinite(vectors).all(axis=1), np.bool_)
        indices = np.flatnonzero(own)
        batches = [indices[rows] for rows in _batches(len(indices))]
        projection = _fit_projection(vectors, batches, dimensions)
        rows = np.zeros((len(vectors), projection.components.shape[1]), np.float32)
        for batch in batches:
            rows[batch] = projection(vectors[batch])
        source = np.where(own, VectorSource.OWN, VectorSource.LIBRARY).astype(np.int8)
        for codes, stand_in in ((artist, VectorSource.ARTIST), (genre, VectorSource.GENRE)):
            _stand_in(rows, own, source, codes, stand_in)
        return cls(rows, source, projection)

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class TrackSeed:
    """Tracks a station is to sound like: one track, or all of an artist, album or genre; ``tracks`` (k,) indices."""

    tracks: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TagSeed:
    """A tag such as "mellow": ``probabilities`` (n,) of it for every track, NaN where unknown."""

    probabilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LibrarySeed:
    """Everything: speaks for no track more than for another."""


Seed = TrackSeed | TagSeed | LibrarySeed


def seed_similarity(
    space: ContentSpace, seeds: Sequence[Seed], leanings: Sequence[tuple[Seed, float]] = ()
) -> NDArray[np.float32]:
    """How close every track is to the nearest of a station's seeds, and which way the station leans beside them.

    Args:
        space: n tracks.
        seeds: any mix; a track near one of them is near the station, as a station of two genres is to play both.
        leanings: what it is to have more or less of, each with what one standard deviation of closeness to it adds.

    Returns:
        (n,) float32, mean 0, one unit = one standard deviation over the library (before it leans); zeros when the seeds
        prefer nothing (no seeds, the whole library, a single track).

    Raises:
        ValueError: a seed names a track outside the space, or its probabilities do not have n rows.
    """
    total = np.zeros(len(space))
    if seeds and len(space):
        total += _standardise(seed_columns(space, seeds).max(axis=0))
    for seed, weight in leanings:
        total += weight * _standardise(_closeness(space, seed))
    return total.astype(np.float32)


def seed_columns(space: ContentSpace, seeds: Sequence[Seed]) -> NDArray[np.float64]:
    """How close every track is to each seed, the seeds brought to one level.

    A column is scaled so that the median track has 0 and the seed's core (its closest ``CORE_SHARE`` of the library, at
    least ``MIN_CORE`` tracks) 1 on average. Several columns are then given the same distribution, their mean one
    (quantile normalisation, Bolstad et al. 2003), so that each seed's k closest tracks stand as high as any other's:
    otherwise a tight genre would drown a broad one.

    Args:
        space: n tracks.
        seeds: s seeds.

    Returns:
        (s, n) float64; the argmax over s names the seed a track is closest to.

    Raises:
        ValueError: as :func:`seed_similarity`.
    """
    if not seeds:
        return np.empty((0, len(space)))
    columns = np.stack([_level(_closeness(space, seed)) for seed in seeds])
    telling = columns.any(axis=1)
    if telling.any():
        columns[telling] = _same_distribution(columns[telling])
    return columns


def _closeness(space: ContentSpace, seed: Seed) -> NDArray[np.float64]:
    """(n,) closeness to one seed, on any scale."""
    match seed:
        case TrackSeed(tracks):
            return _track_closeness(space, np.unique(tracks))
        case TagSeed(probabilities):
            return _tag_closeness(probabilities, len(space))
        case LibrarySeed():
            return np.zeros(len(space))


def _track_closeness(space: ContentSpace, members: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) mean cosine to the nearest prototypes; each member counts itself among its nearest, sampled or not."""
    if len(members) and (members[0] < 0 or members[-1] >= len(space)):
        raise ValueError(f"seeds must hold track indices in 0…{len(space) - 1}")
    prototypes = _prototypes(space, members)
    if not len(prototypes):
        return np.zeros(len(space))
    cosines = space.vectors @ space.vectors[prototypes].T  # (n, p)
    cosines[prototypes, np.arange(len(prototypes))] = -1.0  # itself, set below for all members alike
    nearest = min(NEAREST, len(prototypes))
    best = np.sort(np.partition(cosines, len(prototypes) - nearest, axis=1)[:, -nearest:], axis=1)[:, ::-1]
    best[members, 1:] = best[members, :-1]
    best[members, 0] = 1.0
    return best.mean(axis=1, dtype=np.float64)


def _prototypes(space: ContentSpace, members: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most ``MAX_PROTOTYPES`` members to represent all; those with vectors of their own where there are any."""
    own = members[space.source[members] == VectorSource.OWN]
    pool = own if len(own) else members
    if len(pool) <= MAX_PROTOTYPES:
        return pool
    return np.sort(np.random.default_rng(SAMPLING_SEED).choice(pool, MAX_PROTOTYPES, replace=False))


def _tag_closeness(probabilities: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """(n,) standardised logit of a tag's probability; 0, the mean, where it is unknown."""
    if len(probabilities) != count:
        raise ValueError(f"a tag seed must have {count} probabilities, not {len(probabilities)}")
    known = np.isfinite(probabilities)
    clipped = np.clip(probabilities[known].astype(np.float64), PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    closeness = np.zeros(count)
    closeness[known] = _standardise(np.log(clipped / (1.0 - clipped)))
    return closeness


def _level(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The column with its median at 0 and the mean of its core at 1; zeros when it is constant."""
    count = len(column)
    if count == 0 or np.ptp(column) < SMALLEST_SPREAD:
        return np.zeros(count)
    core = min(count, max(MIN_CORE, round(CORE_SHARE * count)))
    middle = float(np.median(column))
    height = float(np.partition(column, count - core)[-core:].mean()) - middle
    if height < SMALLEST_SPREAD:  # so few tracks that the core is the library
        height = float(np.ptp(column))
    return (column - middle) / height


def _same_distribution(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(s, n) columns with their order kept and the k-th largest value of each replaced by the mean k-th largest."""
    order = np.argsort(columns, axis=1, kind="stable")
    levelled = np.empty_like(columns)
    np.put_along_axis(levelled, order, np.sort(columns, axis=1).mean(axis=0, keepdims=True), axis=1)
    return levelled


def _standardise(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The column with mean 0 and standard deviation 1; zeros when it is constant or empty."""
    if len(column) == 0 or column.std() < SMALLEST_SPREAD:
        return np.zeros(len(column))
    return (column - column.mean()) / column.std()


def _fit_projection(vectors: NDArray[np.float32], batches: list[NDArray[np.int64]], dimensions: int) -> Projection:
    """Mean, spread and principal components of the rows in ``batches``; the components' signs are fixed."""
    width = vectors.shape[1]
    rows = sum(len(batch) for batch in batches)
    count = max(1, rows)
    mean = sum((vectors[b].sum(axis=0, dtype=np.float64) for b in batches), np.zeros(width)) / count
    variance = sum((((vectors[b] - mean) ** 2).sum(axis=0) for b in batches), np.zeros(width)) / count
    spread = np.sqrt(variance)
    # A dimension that is constant up to float32 rounding would otherwise become pure noise of spread 1.
    spread[spread < SMALLEST_SPREAD * np.maximum(1.0, np.abs(mean))] = np.inf
    covariance = np.zeros((width, width))
    for batch in batches:
        scaled = (vectors[batch] - mean) / spread
        covariance += scaled.T @ scaled
    components = _principal(covariance / count, min(dimensions, max(1, rows - 1)))
    return Projection(mean.astype(np.float32), spread.astype(np.float32), components)


def _principal(covariance: NDArray[np.float64], dimensions: int) -> NDArray[np.float32]:
    """(D, d) eigenvectors of the largest eigenvalues, their largest entry positive."""
    _, eigenvectors = np.linalg.eigh(covariance)
    components = eigenvectors[:, ::-1][:, :dimensions]
    if components.size:
        largest = np.abs(components).argmax(axis=0)
        components = components * np.sign(components[largest, np.arange(components.shape[1])])
    return components.astype(np.float32)


def _stand_in(
    rows: NDArray[np.float32],
    own: NDArray[np.bool_],
    source: NDArray[np.int8],
    codes: NDArray[np.int64],
    stand_in: VectorSource,
) -> None:
    """Fill the rows that have nothing yet from the mean of the tracks with vectors that share their code."""
    lacking = (source == VectorSource.LIBRARY) & (codes >= 0)
    if not lacking.any():
        return
    wanted = np.unique(codes[lacking])
    donors = np.flatnonzero(own & np.isin(codes, wanted))
    sums = np.zeros((len(wanted), rows.shape[1]), np.float32)
    np.add.at(sums, np.searchsorted(wanted, codes[donors]), rows[donors])
    means = _unit(sums)
    filled = np.flatnonzero(lacking)
    stand_ins = means[np.searchsorted(wanted, codes[filled])]
    found = stand_ins.any(axis=1)
    rows[filled[found]] = stand_ins[found]
    source[filled[found]] = stand_in


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; rows of (nearly) no length become exactly 0."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(lengths < SMALLEST_SPREAD, 0.0, rows / np.maximum(lengths, SMALLEST_SPREAD)).astype(np.float32)


def _batches(count: int) -> Iterator[slice]:
    """Slices that cover ``count`` rows."""
    for start in range(0, count, ROWS_AT_A_TIME):
        yield slice(start, start + ROWS_AT_A_TIME)
