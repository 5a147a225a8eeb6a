import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.sequence.windows import (
    NO_TARGET,
    by_listener_and_station,
    following_positives,
    joined,
    last_row_before,
    padded,
    windows,
)


def random_log(make_log, seed, rows=40):
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 25, size=rows))
    label = rng.choice([-1, 1], size=rows)
    return make_log(
        list(
            zip(
                rng.integers(3, size=rows),
                rng.integers(2, size=rows),
                rng.integers(9, size=rows),
                time,
                label,
                strict=True,
            )
        ),
        tracks=9,
    )


@pytest.mark.slow
@given(seed=st.integers(0, 500))
def test_last_rows_equal_a_search_through_the_log(make_log, seed):
    log = random_log(make_log, seed)
    for row in range(len(log)):
        same = [other for other in range(len(log)) if log.listener[other] == log.listener[row]]
        earlier = [other for other in same if log.time[other] < log.time[row]]
        assert last_row_before(log)[row] == (earlier[-1] if earlier else NO_TARGET)


@given(seed=st.integers(0, 500), length=st.integers(1, 50))
def test_windows_hold_every_row_once_in_order_and_never_mix_listeners(make_log, seed, length):
    log = random_log(make_log, seed)
    parts = list(windows(log, length, np.random.default_rng(seed)))
    assert sorted(row for part in parts for row in part) == list(range(len(log)))
    for part in parts:
        assert 0 < len(part) <= length
        assert np.all(np.diff(part) > 0)
        assert len(np.unique(log.listener[part])) == 1


def test_windows_are_cut_elsewhere_in_another_epoch(make_log):
    log = make_log([(0, 0, 0, t, 1) for t in range(100)], tracks=1)
    rng = np.random.default_rng(0)
    cuts = {tuple(len(part) for part in windows(log, 16, rng)) for _ in range(20)}
    assert len(cuts) > 5


def test_padding_lies_behind_the_rows():
    rows, real = padded([np.array([4, 5, 6]), np.array([9])], length=10)
    assert rows.tolist() == [[4, 5, 6], [9, 0, 0]]
    assert real.tolist() == [[True, True, True], [True, False, False]]


def test_joining_sorts_by_time_and_tells_whose_rows_are_whose(make_log):
    first, second = make_log([(0, 0, 1, 0, 1), (0, 0, 2, 9, 1)], 5), make_log([(1, 0, 3, 4, 1)], 5)
    both, later = joined(first, second)
    assert both.track.tolist() == [1, 3, 2]
    assert later.tolist() == [False, True, False]


@given(seed=st.integers(0, 500))
def test_groups_hold_the_given_rows_of_one_listener_and_station(make_log, seed):
    log = random_log(make_log, seed)
    rows = np.flatnonzero(log.label > 0)
    groups = by_listener_and_station(log, rows)
    assert sorted(row for group in groups for row in group) == rows.tolist()
    keys = [{(int(log.listener[row]), int(log.station[row])) for row in group} for group in groups]
    assert all(len(key) == 1 for key in keys)
    assert len(set.union(*keys)) == len(keys) if keys else True


def test_every_positive_but_a_listeners_first_row_is_a_target_also_within_one_moment(make_log):
    rng = np.random.default_rng(5)
    rows = [(int(rng.integers(3)), 0, int(rng.integers(9)), t // 4, int(rng.choice([-1, 1]))) for t in range(80)]
    log = make_log(rows, tracks=9)
    target = following_positives(log)
    for row in range(80):
        later = [i for i in range(row + 1, 80) if log.listener[i] == log.listener[row] and log.label[i] > 0]
        assert target[row] == (later[0] if later else NO_TARGET)
    firsts = [np.flatnonzero(log.listener == who)[0] for who in range(3)]
    assert set(np.flatnonzero(log.label > 0)) - set(firsts) == set(target[target != NO_TARGET])
