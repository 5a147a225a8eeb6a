"""Paths by sound over the real demo library."""

import itertools

import numpy as np
import pytest

from player.errors import PlayerError
from player.insight.neighbours import unit_vectors
from player.insight.sound_path import sound_path
from player.stations.collection import load_collection


def test_a_path_leads_from_one_end_to_the_other_by_steps_smaller_than_chance(demo):
    collection = load_collection(demo.database)
    vectors = unit_vectors(collection)
    everything = np.ones(len(collection), np.bool_)
    first, last = divmod(int((vectors @ vectors.T).argmin()), len(collection))
    ends = collection.rows[first].id, collection.rows[last].id
    steps = sound_path(collection, *ends, 8, everything)
    path = [step.track.id for step in steps]
    assert (path[0], path[-1], len(path)) == (*ends, len(set(path)))
    rows = [collection.index[track] for track in path]
    assert [step.similarity for step in steps[1:]] == pytest.approx(
        [float(vectors[a] @ vectors[b]) for a, b in itertools.pairwise(rows)]
    )
    shuffled = np.random.default_rng(1).permutation(rows[1:-1])
    by_chance = [first, *shuffled.tolist(), last]
    assert sum((1 - vectors[a] @ vectors[b]) ** 2 for a, b in itertools.pairwise(rows)) < sum(
        (1 - vectors[a] @ vectors[b]) ** 2 for a, b in itertools.pairwise(by_chance)
    )
    barred = everything.copy()
    barred[rows[3]] = False
    assert path[3] not in [step.track.id for step in sound_path(collection, *ends, 8, barred)]
    assert [step.track.id for step in sound_path(collection, *ends, 2, everything)] == list(ends)
    with pytest.raises(PlayerError, match="two different tracks"):
        sound_path(collection, ends[0], ends[0], 8, everything)
