import numpy as np
import pytest

from recommender.ranking.calibration import FULL_EVIDENCE, PLACES, Aspect, Mix, MixGain, aspect_of_likes
from recommender.ranking.rank import Catalogue, Request, Settings, rank
from recommender.ranking.rules import Spacing


def aspect(kinds, wanted, evidence=1.0):
    return Aspect(np.array(kinds), np.array(wanted, np.float64), evidence)


def gains(mix, before, count):
    return MixGain(mix, before).of(np.arange(count))


def test_the_wanted_shares_are_those_of_the_likes_by_weight():
    codes = np.array([0, 0, 1, 2, -1])
    found = aspect_of_likes(codes, np.array([0, 1, 2, 4]), np.array([1.0, 1.0, 2.0, 9.0]))
    assert found.wanted.tolist() == [0.5, 0.5, 0.0]
    assert found.evidence == pytest.approx(4 / (4 + FULL_EVIDENCE))


def test_nothing_is_wanted_while_no_liked_track_is_known():
    assert aspect_of_likes(np.array([-1, 0]), np.array([0, 0]), np.ones(2)) is None
    assert aspect_of_likes(np.array([0, 0]), np.array([], np.int64), np.empty(0)) is None


def test_the_kind_that_is_missing_gains_most_and_what_nobody_wants_gains_nothing():
    found = gains(Mix((aspect([0, 1, 2], [0.5, 0.5, 0.0]),)), [0, 0, 0], 3)
    assert found[1] > found[0] > 0
    assert found[2] == 0


def test_a_track_whose_kind_is_not_known_gains_what_a_wanted_one_does_on_average():
    found = gains(Mix((aspect([0, 1, -1], [0.25, 0.75]),)), [0], 3)
    assert found[2] == pytest.approx(0.25 * found[0] + 0.75 * found[1])


def test_only_the_last_places_count():
    mix = Mix((aspect([0, 1], [0.5, 0.5]),))
    long_ago = [0] * 50 + [1] * PLACES
    assert np.array_equal(gains(mix, long_ago, 2), gains(mix, [1] * PLACES, 2))


def test_no_gain_exceeds_the_largest():
    rng = np.random.default_rng(0)
    for _ in range(50):
        mix = Mix(tuple(aspect(rng.integers(-1, 4, 30), rng.dirichlet(np.ones(4)), rng.random()) for _ in range(3)))
        gain = MixGain(mix, rng.integers(0, 30, rng.integers(0, 30)).tolist())
        assert gain.of(np.arange(30)).max() <= gain.largest + 1e-12


def queue_shares(calibration):
    """The share of each of two kinds in a long queue whose scores prefer the first, mildly."""
    count = 400
    rng = np.random.default_rng(3)
    kinds = np.arange(count) % 2
    vectors = np.zeros((count, 2), np.float32)
    catalogue = Catalogue(np.arange(count), vectors, np.arange(count), np.arange(count))
    request = Request(
        scores=rng.standard_normal(count) + 2.0 * (kinds == 0),
        candidates=np.ones(count, np.bool_),
        places=40,
        mix=Mix((Aspect(kinds, np.array([0.5, 0.5]), 1.0),)),
        settings=Settings(temperature=0.5, calibration=calibration, spacing=Spacing(0, 0, 0)),
    )
    return np.bincount(kinds[list(rank(catalogue, request).tracks)], minlength=2) / 40


def test_a_stronger_calibration_brings_the_queue_nearer_to_the_wanted_mix():
    without, some, strong = (queue_shares(strength)[1] for strength in (0.0, 10.0, 300.0))
    assert without < some < strong
    assert strong == pytest.approx(0.5, abs=0.1)


def test_an_aspect_of_another_catalogue_is_refused():
    catalogue = Catalogue(np.arange(2), np.zeros((2, 2), np.float32), np.arange(2), np.arange(2))
    request = Request(np.zeros(2), np.ones(2, np.bool_), mix=Mix((aspect([0, 0, 1], [0.5, 0.5]),)))
    with pytest.raises(ValueError, match="an aspect of the mix has 3 rows, the catalogue 2"):
        rank(catalogue, request)
