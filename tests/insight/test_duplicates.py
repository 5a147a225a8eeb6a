"""Near-duplicates against a slow comparison of all pairs; what they are worth on music is in test_real_sounds.py."""

import itertools

import numpy as np
import pytest
from sqlalchemy import update

from player.insight import duplicates
from player.insight.duplicates import SAME_LENGTH, near_duplicates
from player.library.vectors import store_embedding
from player.stations.collection import load_collection
from player.storage.models import Track
from tests.support.library import CARD


def give(home, track, vector):
    with home.database.session() as session:
        data = None if vector is None else vector.astype("<f4").tobytes()
        error = None if data else "it is damaged"
        store_embedding(session, track, CARD.name, CARD.version, vector=data, tags=None, error=error)


@pytest.mark.parametrize("block", [3, 7, 2048])
def test_the_pairs_are_those_of_a_slow_search(demo, monkeypatch, block):
    monkeypatch.setattr(duplicates, "BLOCK_ROWS", block)
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
