"""Catalogues to simulate on."""

import numpy as np
import pytest

from bench.simulation.world import NOWHERE, STATION, TRACKS_AN_ARTIST, World, clustered_world, world_like


def _mean_cosines(world):
    """(within artists, between artists) mean cosine in content space."""
    cosines = world.space.vectors @ world.space.vectors.T
    same = world.ranking.artist[:, None] == world.ranking.artist[None, :]
    apart = ~np.eye(len(world), dtype=bool)
    return cosines[same & apart].mean(), cosines[~same].mean()


def test_tracks_of_one_artist_sound_alike_in_a_world_out_of_nothing():
    within, between = _mean_cosines(clustered_world(600, seed=0))
    assert within > 0.6
    assert abs(between) < 0.1


def test_a_world_made_like_another_sounds_like_it():
    real = clustered_world(600, seed=0)
    made = world_like(real, 900, seed=1)
    assert len(made) == 900
    assert made.frontend == real.frontend
    assert np.allclose(made.vectors.mean(axis=0), real.vectors.mean(axis=0), atol=0.35)
    assert _mean_cosines(made)[0] == pytest.approx(_mean_cosines(real)[0], abs=0.15)


def test_a_world_is_the_same_for_the_same_seed_only():
    real = clustered_world(300, seed=0)
    assert np.array_equal(world_like(real, 200, seed=1).vectors, world_like(real, 200, seed=1).vectors)
    assert not np.array_equal(world_like(real, 200, seed=1).vectors, world_like(real, 200, seed=2).vectors)


def test_every_artist_but_the_last_has_the_same_number_of_tracks_and_albums_have_one_artist():
    world = clustered_world(100, seed=0)
    assert np.bincount(world.ranking.artist)[:-1].tolist() == [TRACKS_AN_ARTIST] * (100 // TRACKS_AN_ARTIST)
    for album in np.unique(world.ranking.album):
        assert len(np.unique(world.ranking.artist[world.ranking.album == album])) == 1


def test_a_seeded_station_is_near_its_seed_and_a_station_of_everything_near_nothing():
    world = clustered_world(300, seed=0)
    seeded, whole = world.catalogue([5]), world.catalogue([])
    assert int(seeded.similarity(STATION).argmax()) == 5
    assert not whole.similarity(STATION).any()
    assert not seeded.similarity(NOWHERE).any()


def test_a_track_without_a_finite_vector_is_refused():
    world = clustered_world(30, seed=0)
    broken = world.vectors.copy()
    broken[3, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        World.of(broken, world.ranking.artist, world.ranking.album, world.frontend)


def test_a_world_in_which_every_artist_has_one_track_cannot_be_copied():
    world = clustered_world(30, seed=0)
    alone = World.of(world.vectors, np.arange(30), np.arange(30), world.frontend)
    with pytest.raises(ValueError, match="no artist has two tracks"):
        world_like(alone, 50, seed=0)
