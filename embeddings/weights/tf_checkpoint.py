"""Reads TensorFlow 1 checkpoints ("tensor bundles") without TensorFlow.

A checkpoint is two files. The *index* is an LevelDB table (doc/table_format.md of LevelDB): blocks of prefix-compressed
keys, here the variables' names, whose values are ``BundleEntryProto`` messages (tensorflow/core/protobuf/
tensor_bundle.proto) saying type, shape, offset and size. The *data* are those bytes, little-endian. Both come from
outside, so every length is checked against what is there, and nothing read is ever executed or unpickled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError

TABLE_MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
"""Two block handles padded to 40 bytes, and the magic number."""
BLOCK_TRAILER_BYTES = 5
"""Compression type and masked CRC-32C after each block."""
NOT_COMPRESSED = 0
CRC_MASK_DELTA = 0xA282EAD8
CASTAGNOLI_REVERSED = 0x82F63B78

DT_FLOAT = 1
"""``DataType.DT_FLOAT`` of tensorflow/core/framework/types.proto."""

FLOAT_BYTES = 4
MAX_DIMENSIONS = 8
"""Of a variable; convolution kernels have 4."""

MAX_KEY_BYTES = 4096
"""Of a variable's name: each may repeat most of the one before, so long ones could take many times the file's memory."""

WORD_BYTES = 4
"""A restart point, and their count, at the end of a block."""
MAX_VARINT_BYTES = 10
"""64 bits at 7 a byte."""
VARINT_MORE = 0x80
"""Set in every byte of a varint but the last."""
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
"""Wire types of protocol buffers."""

ENTRY_DTYPE, ENTRY_SHAPE, ENTRY_SHARD, ENTRY_OFFSET, ENTRY_SIZE = 1, 2, 3, 4, 5
"""Field numbers of ``BundleEntryProto``."""
SHAPE_DIMENSION, DIMENSION_SIZE = 2, 1
"""Field numbers of ``TensorShapeProto`` and of its ``Dim``."""


def read_checkpoint(index: bytes, data: bytes) -> dict[str, NDArray[np.float32]]:
    """All float32 variables of a checkpoint in one shard, by name; variables of other types are left out.

    Raises:
        EmbeddingError: the bytes are not such a checkpoint, or are damaged.
    """
    try:
        return _variables(index, data)
    except (_DamageError, UnicodeDecodeError) as error:
        raise EmbeddingError(f"the checkpoint is damaged: {error}") from error


def _variables(index: bytes, data: bytes) -> dict[str, NDArray[np.float32]]:
    # The empty key is the header; the names sort after it.
    entries = [(name.decode("utf-8"), _parse_entry(value)) for name, value in _table_items(index) if name]
    if sum(entry.size for _, entry in entries) > len(data):
        raise _DamageError("its variables are larger than its data")
    return {name: _tensor(entry, data) for name, entry in entries if entry.dtype == DT_FLOAT}


class _DamageError(Exception):
    """Damage, as a clause."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A variable: its place in the data file, type and shape."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def _tensor(entry: _Entry, data: bytes) -> NDArray[np.float32]:
    count = prod(entry.shape)
    if entry.shard != 0:
        raise _DamageError("a variable lies in a second data file, which is not supported")
    if count == 0 or len(entry.shape) > MAX_DIMENSIONS:
        raise _DamageError("a variable is empty or has too many dimensions")
    if entry.size != FLOAT_BYTES * count or entry.offset + entry.size > len(data):
        raise _DamageError("a variable reaches beyond the data")
    values = np.frombuffer(data, dtype="<f4", count=count, offset=entry.offset)
    return values.reshape(entry.shape).astype(np.float32)


# --- LevelDB table -----------------------------------------------------------------------------------------------


class _Handle(NamedTuple):
    """A block's place in the table."""

    offset: int
    size: int


def _table_items(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value of a LevelDB table, in key order."""
    if len(table) < FOOTER_BYTES or int.from_bytes(table[-8:], "little") != TABLE_MAGIC:
        raise _DamageError("its index is no LevelDB table")
    footer = table[-FOOTER_BYTES:]
    _, position = _read_handle(footer, 0)  # the meta index, unused by TensorFlow
    root, _ = _read_handle(footer, position)
    for _, handle in _block_items(_block(table, root)):
        yield from _block_items(_block(table, _read_handle(handle, 0)[0]))


def _read_handle(buffer: bytes, position: int) -> tuple[_Handle, int]:
    offset, position = _read_varint(buffer, position)
    size, position = _read_varint(buffer, position)
    return _Handle(offset, size), position


def _block(table: bytes, handle: _Handle) -> bytes:
    """One block's contents, its checksum verified."""
    end = handle.offset + handle.size
    if end + BLOCK_TRAILER_BYTES > len(table):
        raise _DamageError("a block of its index reaches beyond the file")
    if table[end] != NOT_COMPRESSED:
        raise _DamageError("its index is compressed, which is not supported")
    stored = int.from_bytes(table[end + 1 : end + BLOCK_TRAILER_BYTES], "little")
    if stored != _masked_crc32c(table[handle.offset : end + 1]):
        raise _DamageError("a checksum of its index does not match")
    return table[handle.offset : end]


def _block_items(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block: each key shares a prefix with the one before."""
    if len(block) < WORD_BYTES:
        raise _DamageError("a block of its index is too short")
    restarts = int.from_bytes(block[-WORD_BYTES:], "little")
    end = len(block) - WORD_BYTES * (restarts + 1)
    if end < 0:
        raise _DamageError("a block of its index has more restart points than bytes")
    key, position = b"", 0
    while position < end:
        shared, position = _read_varint(block, position)
        fresh, position = _read_varint(block, position)
        length, position = _read_varint(block, position)
        if shared > len(key) or position + fresh + length > end or shared + fresh > MAX_KEY_BYTES:
            raise _DamageError("an entry of its index reaches beyond its block or has an endless name")
        key = key[:shared] + block[position : position + fresh]
        position += fresh
        yield key, block[position : position + length]
        position += length


# --- Protocol buffers --------------------------------------------------------------------------------------------


def _parse_entry(message: bytes) -> _Entry:
    """A ``BundleEntryProto``; fields not named above are passed over, absent numbers are 0."""
    numbers: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    for field, value in _fields(message):
        if isinstance(value, int):
            numbers[field] = value
        elif field == ENTRY_SHAPE:
            shape = _parse_shape(value)
    return _Entry(
        dtype=numbers.get(ENTRY_DTYPE, 0),
        shape=shape,
        shard=numbers.get(ENTRY_SHARD, 0),
        offset=numbers.get(ENTRY_OFFSET, 0),
        size=numbers.get(ENTRY_SIZE, 0),
    )


def _parse_shape(message: bytes) -> tuple[int, ...]:
    """A ``TensorShapeProto``: one ``Dim`` message per dimension."""
    dimensions = [value for field, value in _fields(message) if field == SHAPE_DIMENSION and isinstance(value, bytes)]
    return tuple(_parse_dimension(dimension) for dimension in dimensions)


def _parse_dimension(message: bytes) -> int:
    sizes = [value for field, value in _fields(message) if field == DIMENSION_SIZE and isinstance(value, int)]
    return sizes[-1] if sizes else 0


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol-buffer message, by number."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        field, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _read_varint(message, position)
            yield field, value
            continue
        if wire_type == LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
        elif wire_type in (FIXED32, FIXED64):
            length = 4 if wire_type == FIXED32 else 8
        else:
            raise _DamageError("a variable's description is no protocol buffer")
        if position + length > len(message):
            raise _DamageError("a variable's description ends too early")
        yield field, message[position : position + length]
        position += length


def _read_varint(buffer: bytes, position: int) -> tuple[int, int]:
    """An unsigned number of 7 bits a byte, lowest first, and the position after it."""
    value = 0
    for count in range(MAX_VARINT_BYTES):
        if position + count >= len(buffer):
            break
        byte = buffer[position + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < VARINT_MORE:
            return value, position + count + 1
    raise _DamageError("a number in its index has no end")


# --- CRC-32C -----------------------------------------------------------------------------------------------------


def _crc_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (CASTAGNOLI_REVERSED if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _crc_table()


def _masked_crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), rotated and offset as LevelDB stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + CRC_MASK_DELTA) & 0xFFFFFFFF
