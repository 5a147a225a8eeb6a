import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded
from embeddings.store import pool, vector_from_bytes, vector_to_bytes

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


def test_pool_is_the_mean_over_windows():
    pooled = pool(Embedded(np.array([[1, 5], [3, 7]], np.float32), np.array([[0.25], [0.75]], np.float32)))
    np.testing.assert_array_equal(pooled.vector, [2, 6])
    np.testing.assert_array_equal(pooled.tags, [0.5])


@pytest.mark.parametrize(
    ("windows", "reason"), [(np.empty((0, 2)), "no windows"), ([[np.nan, 1]], "no finite numbers")]
)
def test_pool_never_gives_nan(windows, reason):
    with pytest.raises(EmbeddingError, match=reason):
        pool(Embedded(np.array(windows, np.float32), np.zeros((len(windows), 1), np.float32)))
