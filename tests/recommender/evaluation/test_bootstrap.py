import numpy as np
import pytest

from recommender.evaluation import bootstrap


def test_listeners_are_redrawn_when_there_are_enough():
    units = bootstrap.resampling_units(np.array([3, 1, 3, 7, 8, 9]), np.arange(6.0))
    assert units.tolist() == [1, 0, 1, 2, 3, 4]


def test_one_listener_is_redrawn_by_session():
    time = np.repeat(np.arange(6) * 7200.0, 3) + np.tile([0.0, 60.0, 120.0], 6)
    units = bootstrap.resampling_units(np.zeros(18, np.int64), time)
    assert units.tolist() == np.repeat(np.arange(6), 3).tolist()


def test_feedback_given_in_one_go_is_redrawn_in_short_runs():
    units = bootstrap.resampling_units(np.zeros(12, np.int64), np.zeros(12))
    assert units.tolist() == [0] * 5 + [1] * 5 + [2] * 2


def test_rows_of_a_unit_are_drawn_together_and_every_resample_has_as_many_units():
    units = np.array([0, 0, 1, 2, 2, 2])
    counts = bootstrap.resample_counts(units, 200, seed=1)
    assert np.array_equal(counts[:, 0], counts[:, 1])
    assert np.array_equal(counts[:, 3], counts[:, 5])
    assert np.all(counts[:, [0, 2, 3]].sum(axis=1) == 3)
    assert np.array_equal(counts, bootstrap.resample_counts(units, 200, seed=1))
    assert not np.array_equal(counts, bootstrap.resample_counts(units, 200, seed=2))


@pytest.mark.parametrize("units", [[], [0, 0, 0]])
def test_less_than_two_units_give_no_resamples(units):
    assert bootstrap.resample_counts(np.array(units, np.int64), 10, seed=0) is None


@pytest.mark.slow
def test_the_interval_of_a_mean_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        sample = rng.normal(size=40)
        counts = bootstrap.resample_counts(np.arange(40), 400, seed=trial)
        bounds = bootstrap.interval(float(sample.mean()), counts @ sample / 40)
        covered += bounds.low <= 0.0 <= bounds.high
    assert 0.88 <= covered / 200 <= 0.99


def test_resamples_that_say_nothing_are_left_out_and_none_gives_no_bounds():
    bounds = bootstrap.interval(0.5, np.array([0.4, np.nan, 0.6]))
    assert 0.4 <= bounds.low < bounds.high <= 0.6
    assert bootstrap.interval(0.5, None) == bootstrap.Interval(0.5, None, None)
    assert bootstrap.interval(0.5, np.array([np.nan])).low is None


def test_draws_in_chunks_are_the_draws_at_once(monkeypatch):
    whole = np.concatenate(list(bootstrap.draws(30, 50, seed=3)))
    monkeypatch.setattr(bootstrap, "CHUNK_CELLS", 7 * 30)
    chunks = list(bootstrap.draws(30, 50, seed=3))
    assert [len(chunk) for chunk in chunks] == [7] * 7 + [1]
    assert np.array_equal(np.concatenate(chunks), whole)
    assert np.all(whole.sum(axis=1) == 30)


def test_resampled_means_leave_out_what_a_unit_lacks():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [4.0, 8.0]])
    means = bootstrap.resampled_means(values, 40, seed=0)
    counts = np.concatenate(list(bootstrap.draws(3, 40, seed=0)))
    for mean, count in zip(means, counts, strict=True):
        assert mean[0] == pytest.approx(np.repeat([1.0, 2.0, 4.0], count.astype(int)).mean())
        assert mean[1] == 8.0 if count[2] else np.isnan(mean[1])
