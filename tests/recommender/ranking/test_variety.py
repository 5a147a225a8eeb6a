import numpy as np
import pytest

from recommender.ranking.rank import Request, Settings, TrackTable, rank
from recommender.ranking.rules import Spacing
from recommender.ranking.variety import (
    FULL_EVIDENCE,
    LARGEST_GAIN,
    PLACES,
    Aspect,
    Mix,
    MixGain,
    Variety,
    aspect_of_likes,
    largest_gain,
    variety_gain,
)


def unit_rows(count, dimensions, seed):
    rows = np.random.default_rng(seed).standard_normal((count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def gain(kind, before, tracks):
    return variety_gain(kind, before @ tracks.T, before @ before.T)


@pytest.mark.parametrize("kind", [Variety.MMR, Variety.DPP])
def test_a_copy_of_the_track_before_gains_nothing_and_one_at_right_angles_gains_one(kind):
    before = np.array([[1, 0, 0]], np.float32)
    tracks = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0]], np.float32)
    copy, right, opposite = gain(kind, before, tracks)
    assert copy == pytest.approx(0, abs=1e-5)
    assert right == pytest.approx(1, abs=1e-5)
    assert opposite == pytest.approx(LARGEST_GAIN[kind], abs=1e-5)


@pytest.mark.parametrize("kind", Variety)
def test_no_gain_exceeds_the_largest(kind):
    for seed in range(20):
        before = unit_rows(1 + seed % 10, 3, seed)
        found = gain(kind, before, unit_rows(2000, 3, seed + 100))
        assert found.max() <= largest_gain(kind, before) <= LARGEST_GAIN[kind]
        assert np.isfinite(found).all()


@pytest.mark.parametrize("kind", Variety)
def test_before_the_first_track_there_is_nothing_to_gain(kind):
    none = np.empty((0, 4), np.float32)
    assert not gain(kind, none, unit_rows(5, 4, 0)).any()


def test_copies_before_a_track_leave_the_dpp_finite():
    same = np.tile(unit_rows(1, 3, 0), (10, 1))
    assert np.isfinite(gain(Variety.DPP, same, np.concatenate([same, unit_rows(5, 3, 1)]))).all()


def test_a_dpp_sees_that_a_track_lies_between_two_others_where_mmr_sees_the_nearer_one_alone():
    before = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    between = np.array([[1, 1, 0]], np.float32) / np.float32(np.sqrt(2))
    beside = np.array([[1, 0, 1]], np.float32) / np.float32(np.sqrt(2))  # as near to the nearest, far from the other
    tracks = np.concatenate([between, beside])
    assert gain(Variety.MMR, before, tracks)[0] == pytest.approx(gain(Variety.MMR, before, tracks)[1])
    assert gain(Variety.DPP, before, tracks)[0] < gain(Variety.DPP, before, tracks)[1]


def test_the_gains_of_a_dpp_sum_to_the_log_determinant_of_the_list():
    tracks = unit_rows(6, 4, 3).astype(np.float64)
    kernel = (1 + tracks @ tracks.T) / 2
    np.fill_diagonal(kernel, 1.05)
    copy, right = np.log(1.05 - 1 / 1.05), np.log(1.05 - 0.25 / 1.05)
    total = np.log(1.05)  # the first track's own entry: nothing is before it
    for place in range(1, 6):
        scaled = gain(Variety.DPP, tracks[:place].astype(np.float32), tracks[place : place + 1].astype(np.float32))[0]
        total += scaled * (right - copy) + copy
    assert total == pytest.approx(np.linalg.slogdet(kernel)[1], abs=1e-4)


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


def test_no_gain_of_calibration_exceeds_the_largest():
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
    catalogue = TrackTable(np.arange(count), vectors, np.arange(count), np.arange(count))
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
    catalogue = TrackTable(np.arange(2), np.zeros((2, 2), np.float32), np.arange(2), np.arange(2))
    request = Request(np.zeros(2), np.ones(2, np.bool_), mix=Mix((aspect([0, 0, 1], [0.5, 0.5]),)))
    with pytest.raises(ValueError, match="an aspect of the mix has 3 rows, the catalogue 2"):
        rank(catalogue, request)
