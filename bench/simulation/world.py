"""Catalogues to simulate listening on: real vectors, synthetic ones made like real ones, and ones out of nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.models import model_scorer as scoring
from recommender.models.content_space import ContentSpace, TrackSeed, seed_similarity
from recommender.models.model_card import FrontEndId
from recommender.ranking import rank as ranking

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

STATION = 0
"""Index of the one station that is listened to."""
NOWHERE = 1
"""Index that stands for no station; nothing happens there."""
TRACKS_AN_ARTIST = 15
"""As in a library of some 5,000 tracks: one album and a bit of every artist."""
TRACKS_AN_ALBUM = 10
GENRES = 12
GENRE_SPREAD, ARTIST_SPREAD, TRACK_SPREAD = 1.0, 0.7, 0.7
"""Standard deviations of genres, of artists about their genre and of tracks about their artist. Two tracks of one artist
are then on average at a cosine of .75, as likely neighbours in a real library are (.78 for a track's three nearest
of 240)."""
FEWEST_TO_COPY = 2
"""Tracks an artist needs before they show how far one artist's tracks lie apart."""


@dataclass(frozen=True, slots=True)
class World:
    """Tracks as ranking and learning know them.

    Attributes:
        vectors: (n, D) float32 front-end vectors, all finite.
        frontend: where they come from.
        space: the content space fitted to them.
        ranking: ids, artists and albums.
    """

    vectors: Floats
    frontend: FrontEndId
    space: ContentSpace
    ranking: ranking.TrackTable

    @classmethod
    def of(cls, vectors: Floats, artist: Codes, album: Codes, frontend: FrontEndId) -> "World":
        """The world of these tracks.

        Args:
            vectors: (n, D) float32, finite.
            artist: (n,) codes from 0.
            album: (n,) codes from 0.
            frontend: where the vectors come from.

        Raises:
            ValueError: a vector is not finite, or the columns do not belong together.
        """
        if not np.isfinite(vectors).all():
            raise ValueError("every simulated track needs a finite vector")
        space = ContentSpace.fit(vectors, artist, np.full(len(vectors), -1, np.int64))
        ids = np.arange(len(vectors), dtype=np.int64)
        return cls(vectors, frontend, space, ranking.TrackTable(ids, space.vectors, artist, album))

    def __len__(self) -> int:
        return len(self.vectors)

    def likeness(self, seeds: Sequence[int]) -> Floats:
        """(n,) likeness to these tracks, in library standard deviations; zeros without any."""
        return seed_similarity(self.space, [TrackSeed(np.array(seeds, np.int64))] if seeds else [])

    def catalogue(self, seeds: Sequence[int]) -> scoring.Catalogue:
        """What is scored on a station of these seed tracks; without any it is a station of the whole library."""
        likeness = np.stack([self.likeness(seeds), np.zeros(len(self), np.float32)])
        return scoring.Catalogue(
            track_ids=self.ranking.ids,
            station_ids=np.array([STATION + 1, NOWHERE - 1], np.int64),
            vectors=self.vectors,
            frontend=self.frontend,
            seed_similarity=likeness,
            space=self.space,
            everywhere=NOWHERE,
            artist=np.asarray(self.ranking.artist, np.int64),
            album=np.asarray(self.ranking.album, np.int64),
        )


def world_like(world: World, tracks: int, seed: int) -> World:
    """A larger world that sounds like a real one: a smoothed bootstrap (Silverman & Young 1987) of its vectors.

    An artist's centre lies at a random place between two real tracks; the artist's tracks stray from it as real tracks
    stray from their artist's mean.

    Args:
        world: a real one, in which some artist has several tracks.
        tracks: how many.
        seed: of the draw.

    Raises:
        ValueError: no artist has two tracks.
    """
    rng = np.random.default_rng(seed)
    strays = _strays(world)
    artist, album = _artists_and_albums(tracks)
    pairs = rng.integers(len(world), size=(artist[-1] + 1, 2))
    share = rng.random((len(pairs), 1), dtype=np.float32)
    centres = share * world.vectors[pairs[:, 0]] + (1.0 - share) * world.vectors[pairs[:, 1]]
    vectors = centres[artist] + strays[rng.integers(len(strays), size=tracks)]
    return World.of(vectors.astype(np.float32), artist, album, world.frontend)


def clustered_world(tracks: int, seed: int, dimension: int = 32) -> World:
    """A world out of nothing: genres, artists about them, tracks about those, all Gaussian.

    Args:
        tracks: how many.
        seed: of the draw.
        dimension: of the vectors.
    """
    rng = np.random.default_rng(seed)
    artist, album = _artists_and_albums(tracks)
    genres = GENRE_SPREAD * rng.standard_normal((GENRES, dimension))
    artists = genres[rng.integers(GENRES, size=artist[-1] + 1)]
    artists += ARTIST_SPREAD * rng.standard_normal(artists.shape)
    vectors = artists[artist] + TRACK_SPREAD * rng.standard_normal((tracks, dimension))
    return World.of(vectors.astype(np.float32), artist, album, FrontEndId("simulation", "1", dimension))


def _artists_and_albums(tracks: int) -> tuple[Codes, Codes]:
    """(tracks,) codes; the last artist may have fewer tracks, and so may an artist's second album."""
    number = np.arange(tracks, dtype=np.int64)
    artist = number // TRACKS_AN_ARTIST
    album = 2 * artist + (number % TRACKS_AN_ARTIST >= TRACKS_AN_ALBUM)
    return artist, album


def _strays(world: World) -> Floats:
    """(m, D) how tracks differ from their artist's mean, scaled up for that mean being their own."""
    found: list[Floats] = []
    for code in np.unique(world.ranking.artist):
        members = world.vectors[world.ranking.artist == code]
        if len(members) >= FEWEST_TO_COPY:
            unbiased = np.float32(np.sqrt(len(members) / (len(members) - 1)))
            found.append((members - members.mean(axis=0)) * unbiased)
    if not found:
        raise ValueError("no artist has two tracks, so nothing shows how far one artist's tracks lie apart")
    return np.concatenate(found)
