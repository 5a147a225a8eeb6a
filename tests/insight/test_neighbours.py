"""Similar tracks, near-duplicates and outliers against slow searches; what they are worth on music is in test_real_sounds.py."""

import itertools

import numpy as np
import pytest
from sqlalchemy import update

from player.errors import PlayerError
from player.insight import neighbours
from player.insight.neighbours import (
    COMPONENTS,
    FEWEST,
    FOLDS,
    MAD_TO_SIGMA,
    SAME_LENGTH,
    STRANGE,
    near_duplicates,
    outliers,
    similar_tracks,
    strangeness,
)
from player.library.vectors import store_embedding
from player.stations.collection import load_collection
from player.storage.models import Track
from tests.support.library import CARD, copy_home, make_demo_library


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("similar") / "data"
    make_demo_library(folder)
    return folder


@pytest.fixture
def home(template, tmp_path):
    home = copy_home(template, tmp_path / "data")
    yield home
    home.close()


def test_the_nearest_come_first_and_are_those_of_a_slow_search(home):
    collection = load_collection(home.database)
    track = home.track_ids[4]
    row = collection.index[track]
    found = similar_tracks(collection, track, 5)
    vectors = [vector.astype(float) for vector in collection.vectors.vectors]
    cosines = {
        collection.rows[other].id: np.dot(vectors[row], vectors[other])
        / np.sqrt(np.dot(vectors[row], vectors[row]) * np.dot(vectors[other], vectors[other]))
        for other in range(len(vectors))
        if other != row
    }
    expected = sorted(cosines, key=lambda key: -cosines[key])[:5]
    assert [item.track.id for item in found] == expected
    assert [item.similarity for item in found] == pytest.approx([cosines[key] for key in expected], abs=1e-5)


def test_a_track_without_a_vector_is_not_alike_and_cannot_be_asked_about(home):
    silent = home.track_ids[0]
    with home.database.session() as session:
        store_embedding(session, silent, CARD.name, CARD.version, vector=None, tags=None, error="it is damaged")
    collection = load_collection(home.database)
    assert silent not in {item.track.id for item in similar_tracks(collection, home.track_ids[1], 100)}
    with pytest.raises(PlayerError, match="player embed"):
        similar_tracks(collection, silent, 5)


def test_an_unknown_track_is_said_so(home):
    with pytest.raises(PlayerError, match="no track 99999"):
        similar_tracks(load_collection(home.database), 99999, 5)


def give(home, track, vector):
    with home.database.session() as session:
        data = None if vector is None else vector.astype("<f4").tobytes()
        error = None if data else "it is damaged"
        store_embedding(session, track, CARD.name, CARD.version, vector=data, tags=None, error=error)


@pytest.mark.parametrize("block", [3, 7, 2048])
def test_the_pairs_are_those_of_a_slow_search(demo, monkeypatch, block):
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", block)
    collection = load_collection(demo.database)
    unit = [vector.astype(float) / np.linalg.norm(vector.astype(float)) for vector in collection.vectors.vectors]
    ids = [row.id for row in collection.rows]
    slow = {
        (ids[a], ids[b]): float(unit[a] @ unit[b])
        for a, b in itertools.combinations(range(len(ids)), 2)
        if unit[a] @ unit[b] >= 0.5
    }
    found = near_duplicates(collection, 0.5)
    assert slow
    assert {(pair.a.id, pair.b.id) for pair in found} == set(slow)
    assert [pair.similarity for pair in found] == pytest.approx(sorted(slow.values(), reverse=True), abs=1e-5)


def test_the_same_vector_twice_is_a_pair_whatever_its_length_and_nothing_else_is(demo):
    first, second, zero, other_zero, unheard, *_ = demo.track_ids
    vector = np.random.default_rng(5).standard_normal(CARD.dimension)
    give(demo, first, vector)
    give(demo, second, 3 * vector)
    give(demo, zero, np.zeros(CARD.dimension))
    give(demo, other_zero, np.zeros(CARD.dimension))
    give(demo, unheard, None)
    (pair,) = near_duplicates(load_collection(demo.database))
    assert {pair.a.id, pair.b.id} == {first, second}
    assert pair.similarity == pytest.approx(1.0)


def test_asked_for_the_same_length_edits_are_left_out(demo):
    edit, full, copy = demo.rows[:3]
    vector = np.random.default_rng(5).standard_normal(CARD.dimension)
    for row in (edit, full, copy):
        give(demo, row.id, vector)
    with demo.database.session() as session:
        shorter = full.duration - 1.5 * SAME_LENGTH
        session.execute(update(Track).where(Track.id == edit.id).values(duration=shorter))
    collection = load_collection(demo.database)
    assert len(near_duplicates(collection)) == 3
    (pair,) = near_duplicates(collection, seconds_apart=SAME_LENGTH)
    assert {pair.a.id, pair.b.id} == {full.id, copy.id}


DIMENSION = 60


def near_a_plane(count: int, rng) -> np.ndarray:
    plane = rng.standard_normal((10, DIMENSION))
    return rng.standard_normal((count, 10)) @ plane + 0.1 * rng.standard_normal((count, DIMENSION))


def test_what_leaves_the_plane_of_the_others_is_strange_and_nothing_else_as_much():
    rng = np.random.default_rng(0)
    vectors = near_a_plane(200, rng)
    vectors[[3, 77]] += rng.standard_normal((2, DIMENSION))
    strange = strangeness(vectors.astype(np.float32))
    assert set(np.argsort(-strange)[:2]) == {3, 77}
    assert strange[[3, 77]].min() > 2 * STRANGE
    assert np.median(strange) == pytest.approx(0)


def test_the_measure_is_that_of_a_slow_least_squares_fit():
    vectors = near_a_plane(FEWEST, np.random.default_rng(1))
    distances = []
    for row, vector in enumerate(vectors):
        others = vectors[[other for other in range(len(vectors)) if other % FOLDS != row % FOLDS]]
        mean = others.mean(axis=0)
        axes = np.linalg.svd(others - mean)[2][:COMPONENTS]
        fit = np.linalg.lstsq(axes.T, vector - mean, rcond=None)[0]
        distances.append(np.log(np.linalg.norm(vector - mean - axes.T @ fit)))
    away = np.array(distances) - np.median(distances)
    assert strangeness(vectors) == pytest.approx(away / (MAD_TO_SIGMA * np.median(abs(away))), abs=1e-6)


def test_where_all_is_the_same_nothing_is_strange():
    assert not strangeness(np.ones((FEWEST, DIMENSION), np.float32)).any()


def test_a_small_library_is_told_how_many_tracks_are_needed(demo):
    with pytest.raises(PlayerError, match=f"24 tracks were analysed, and {FEWEST} are needed"):
        outliers(load_collection(demo.database))
