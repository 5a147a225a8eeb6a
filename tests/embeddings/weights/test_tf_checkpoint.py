import struct
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import EmbeddingError
from embeddings.networks.musicnn import DATA_MEMBER, INDEX_MEMBER
from embeddings.weights.files import read_member
from embeddings.weights.tf_checkpoint import _masked_crc32c, read_checkpoint

# A writer of checkpoints, independent of the reader but for the checksum, which has a test of its own.

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def varint(number):
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def number_field(field, value):
    return varint(field << 3) + varint(value)


def message_field(field, message):
    return varint(field << 3 | 2) + varint(len(message)) + message


@dataclass
class Entry:
    shape: tuple
    offset: int
    size: int
    dtype: int = 1
    shard: int = 0

    def message(self):
        shape = b"".join(message_field(2, number_field(1, size)) for size in self.shape)
        crc = varint(6 << 3 | 5) + b"\x01\x02\x03\x04"
        numbers = number_field(3, self.shard) + number_field(4, self.offset) + number_field(5, self.size)
        return number_field(1, self.dtype) + message_field(2, shape) + numbers + crc


def block(items):
    body, before = b"", b""
    for key, value in items:
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(len(before), len(key))
        )
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return body + struct.pack("<II", 0, 1)


def table(items, per_block=2, compression=0):
    file, index = b"", []

    def add(contents):
        nonlocal file
        handle = varint(len(file)) + varint(len(contents))
        trailer = bytes([compression])
        file += contents + trailer + struct.pack("<I", _masked_crc32c(contents + trailer))
        return handle

    for start in range(0, len(items), per_block):
        some = items[start : start + per_block]
        index.append((some[-1][0], add(block(some))))
    meta, root = add(block([])), add(block(index))
    return file + (meta + root).ljust(40, b"\0") + MAGIC


def checkpoint(arrays):
    items, data = [(b"", number_field(1, 1))], b""
    for name in sorted(arrays):
        raw = arrays[name].astype("<f4").tobytes()
        items.append((name.encode(), Entry(arrays[name].shape, len(data), len(raw)).message()))
        data += raw
    return table(items), data


def with_entry(entry):
    return table([(b"", b""), (b"x", entry.message())])


def test_variables_come_back_by_name_and_shape():
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in {"dense/kernel": (3, 4), "dense/bias": (4,), "dense_1/kernel": (4, 1, 2), "step": ()}.items()
    }
    read = read_checkpoint(*checkpoint(arrays))
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], array)


def test_variables_of_other_types_are_left_out():
    integers = with_entry(Entry((2,), 0, 16, dtype=9))
    assert read_checkpoint(integers, bytes(16)) == {}


def test_the_real_checkpoint_has_the_variables_of_musicnn(weights):
    wheel = weights.read_bytes()
    read = read_checkpoint(read_member(wheel, INDEX_MEMBER), read_member(wheel, DATA_MEMBER))
    learned = {name: array for name, array in read.items() if "Adam" not in name and "power" not in name}
    assert learned["conv2d/kernel"].shape == (7, 38, 1, 204)
    assert learned["dense/kernel"].shape == (1506, 200)
    # 787k of them are trained; the rest are the running statistics of the 11 batch normalisations.
    trained = sum(array.size for name, array in learned.items() if "moving" not in name)
    assert 780_000 < trained < 790_000
    assert (learned["batch_normalization_3/moving_variance"] > 0).all()


def test_the_checksum_is_crc_32c_masked_as_in_leveldb():
    check_value = 0xE3069283  # of "123456789", from the catalogue of CRCs
    rotated = (check_value >> 15 | check_value << 17) & 0xFFFFFFFF
    assert _masked_crc32c(b"123456789") == (rotated + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry((4,), 0, 12), "reaches beyond the data"),
        (Entry((4,), 8, 16), "reaches beyond the data"),
        (Entry((2**62, 4), 0, 16), "reaches beyond the data"),
        (Entry((4,), 2**63, 16), "reaches beyond the data"),
        (Entry((0, 2**63), 0, 0), "empty or has too many dimensions"),
        (Entry((1,) * 60 + (4,), 0, 16), "empty or has too many dimensions"),
        (Entry((4,), 0, 16, shard=1), "second data file"),
        (Entry((2**40,), 0, 2**42), "larger than its data"),
    ],
)
def test_an_entry_that_lies_about_its_variable_is_refused(entry, reason):
    with pytest.raises(EmbeddingError, match=reason):
        read_checkpoint(with_entry(entry), bytes(20))


def test_many_entries_for_the_same_bytes_cannot_fill_the_memory():
    items = [(b"", b""), *((f"{i:03}".encode(), Entry((4,), 0, 16).message()) for i in range(100))]
    with pytest.raises(EmbeddingError, match="larger than its data"):
        read_checkpoint(table(items), bytes(16))


def test_names_that_repeat_each_other_cannot_fill_the_memory():
    """Each takes a few bytes of the file, and as many in memory as the one before."""
    items = [(b"x" * 5000 + number.to_bytes(2, "big"), Entry((1,), 0, 4).message()) for number in range(50)]
    with pytest.raises(EmbeddingError, match="endless name"):
        read_checkpoint(table(items, per_block=50), bytes(200))


def test_a_compressed_index_is_refused():
    with pytest.raises(EmbeddingError, match="compressed"):
        read_checkpoint(table([(b"", b"")], compression=1), b"")


def test_a_changed_byte_of_the_index_is_noticed():
    index, data = checkpoint({"a": np.ones(4, np.float32)})
    changed = bytes([index[0], index[1] ^ 1]) + index[2:]
    with pytest.raises(EmbeddingError, match="checksum"):
        read_checkpoint(changed, data)


def read_or_refuse(index, data):
    """The variables, or None when they are refused; any other exception fails the test."""
    try:
        return read_checkpoint(index, data)
    except EmbeddingError:
        return None


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_as_an_index_are_read_or_refused(garbage):
    assert read_or_refuse(garbage, b"") is None
    assert read_or_refuse(garbage.ljust(40, b"\0") + MAGIC, bytes(64)) in (None, {})


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_an_entry_are_read_or_refused(garbage):
    read_or_refuse(table([(b"", b""), (b"x", garbage)]), bytes(64))


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_a_block_with_a_right_checksum_are_read_or_refused(garbage):
    trailer = b"\0" + struct.pack("<I", _masked_crc32c(garbage + b"\0"))
    file = garbage + trailer
    root_block = block([(b"z", varint(0) + varint(len(garbage)))])
    root = varint(len(file)) + varint(len(root_block))
    file += root_block + b"\0" + struct.pack("<I", _masked_crc32c(root_block + b"\0"))
    read_or_refuse(file + (varint(0) + varint(0) + root).ljust(40, b"\0") + MAGIC, bytes(64))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_cut_or_changed_checkpoint_is_read_or_refused(data):
    index, values = checkpoint({"kernel": np.ones((2, 3), np.float32), "kernel_2": np.ones(2, np.float32)})
    cut = data.draw(st.integers(0, len(index)))
    assert read_or_refuse(index[:cut], values) is None or cut == len(index)
    place, bit = data.draw(st.integers(0, len(index) - 1)), data.draw(st.integers(0, 7))
    read_or_refuse(index[:place] + bytes([index[place] ^ 1 << bit]) + index[place + 1 :], values)
    assert read_or_refuse(index, values[: data.draw(st.integers(0, len(values) - 1))]) is None
