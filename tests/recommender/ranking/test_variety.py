import numpy as np
import pytest

from recommender.ranking.variety import LARGEST_GAIN, Variety, largest_gain, variety_gain


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
