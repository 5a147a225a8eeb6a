from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded
from embeddings.pooling import pool, vector_from_bytes, vector_to_bytes

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, max_size=30))
def test_a_vector_comes_back_from_its_bytes_bit_by_bit(values):
    vector = np.array(values, np.float32)
    back = vector_from_bytes(vector_to_bytes(vector), len(values))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, vector)


def test_bytes_are_little_endian_whatever_the_array():
    assert vector_to_bytes(np.array([1.0], ">f4")) == b"\x00\x00\x80\x3f"


@given(st.binary(max_size=40))
def test_stored_bytes_of_another_length_are_refused(stored):
    with pytest.raises(EmbeddingError, match=f"{len(stored)} bytes where 200 numbers need 800"):
        vector_from_bytes(stored, 200)


def test_stored_bytes_that_are_no_finite_numbers_are_refused():
    with pytest.raises(EmbeddingError, match="no finite numbers"):
        vector_from_bytes(b"\xff\xff\xff\xff", 1)


def test_pool_is_the_mean_and_the_deviation_over_windows():
    pooled = pool(Embedded(np.array([[1, 5], [3, 7]], np.float32), np.array([[0.25], [0.75]], np.float32)))
    np.testing.assert_array_equal(pooled.vector, [2, 6])
    np.testing.assert_array_equal(pooled.spread, [1, 1])
    np.testing.assert_array_equal(pooled.tags, [0.5])


@pytest.mark.slow
@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=8))
def test_pooling_equals_the_slow_sums(rows):
    pooled = pool(Embedded(np.array(rows, np.float32), np.empty((len(rows), 0), np.float32)))
    for column, (mean, spread) in enumerate(zip(pooled.vector, pooled.spread, strict=True)):
        values = [row[column] for row in rows]
        assert mean == pytest.approx(fmean(values), rel=1e-6, abs=1e-6)
        assert spread == pytest.approx(pstdev(values), rel=1e-6, abs=1e-3)


def test_one_window_has_no_spread():
    pooled = pool(Embedded(np.array([[1, 5]], np.float32), np.empty((1, 0), np.float32)))
    np.testing.assert_array_equal(pooled.spread, [0, 0])


@pytest.mark.parametrize(
    ("windows", "reason"), [(np.empty((0, 2)), "no windows"), ([[np.nan, 1]], "no finite numbers")]
)
def test_pool_never_gives_nan(windows, reason):
    with pytest.raises(EmbeddingError, match=reason):
        pool(Embedded(np.array(windows, np.float32), np.zeros((len(windows), 1), np.float32)))
