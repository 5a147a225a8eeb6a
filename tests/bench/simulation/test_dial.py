"""The dial and the kinds of variety in the closed loop: a few plays each, enough to see which way they move."""

import numpy as np
import pytest

from bench.simulation import Plan, simulate
from bench.simulation.policies import untrained
from bench.simulation.world import clustered_world
from recommender.ranking.variety import Variety

pytestmark = pytest.mark.slow

PLAYS = 120


@pytest.fixture(scope="module")
def world():
    return clustered_world(tracks=400, seed=0)


def run(world, **plan):
    return simulate(world, untrained, Plan(plays=PLAYS, check_every=PLAYS, seeded=True, **plan), seed=1)


def test_towards_discover_the_loop_plays_more_different_tracks_and_artists(world):
    ends = [run(world, dial=position) for position in (0, 50, 100)]
    assert len(set(ends[0].track)) < len(set(ends[1].track)) <= len(set(ends[2].track))
    ginis = [end.checks[-1].diversity.gini for end in ends]
    assert ginis[0] > ginis[1]
    assert ginis[0] > ginis[2]


def test_in_the_middle_of_the_dial_the_loop_is_as_without_one(world):
    assert np.array_equal(run(world).track, run(world, dial=50).track)


@pytest.mark.parametrize("variety", [Variety.MMR, Variety.DPP])
def test_variety_puts_the_plays_further_apart_than_none(world, variety):
    def distance(kind):
        return run(world, variety=kind, diversity=4.0, breadth=1.0).checks[-1].diversity.intra_list_distance

    assert distance(variety) > distance(Variety.NONE)


def test_calibration_to_kinds_runs_on_the_likes_so_far(world):
    kinds = tuple((np.arange(400) // 100).tolist())
    plain, calibrated = run(world, kinds=kinds), run(world, kinds=kinds, calibration=50.0)
    assert np.array_equal(plain.track, run(world).track)
    assert not np.array_equal(plain.track, calibrated.track)
