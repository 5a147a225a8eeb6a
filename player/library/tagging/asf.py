"""Windows Media (ASF): the descriptions in the header object (Advanced Systems Format specification, 3.10, 3.11, 4.7, 4.8)."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from player.library.containers.base import read_at
from player.library.tagging.blocks import (
    FRONT_COVER,
    LARGEST_PICTURE,
    LARGEST_TEXT,
    MOST_ITEMS,
    EmbeddedPicture,
    TagBlock,
)

_HEADER = 30
"""GUID, size, number of objects, two reserved bytes."""
_OBJECT = 24
_LARGEST_HEADER = LARGEST_PICTURE + LARGEST_TEXT
_CONTENT = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_EXTENDED = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_METADATA = bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca")
_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
_HEADER_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_EXTENSION_SKIP = 22
_TEXT, _BYTES = 0, 1
_NUMBERS = frozenset({2, 3, 4, 5})
"""A truth value, and numbers of four, eight and two bytes."""
_CONTENT_NAMES = ("TITLE", "AUTHOR", "COPYRIGHT", "DESCRIPTION", "CONTENTRATING")


def read_asf(file: BinaryIO, start: int, *, pictures: bool) -> TagBlock:
    """The attributes of the file whose header object lies at ``start``."""
    block = TagBlock("asf")
    size = int.from_bytes(read_at(file, start, _HEADER)[16:24], "little")
    data = file.read(min(max(0, size - _HEADER), _LARGEST_HEADER))
    objects = list(_objects(data))
    inner = [found for guid, body in objects if guid == _HEADER_EXTENSION for found in _objects(body[_EXTENSION_SKIP:])]
    # The plain description first: where it has an author, it is the one that programs show.
    for kind, content in sorted([*objects, *inner], key=lambda found: found[0] != _CONTENT):
        for name, type_, value in _attributes(kind, content):
            _put(block, name, type_, value, pictures=pictures)
    # Windows Media counts WM/Track from 0; WM/TrackNumber, which counts from 1, came later.
    block.values.setdefault("TRACKNUMBER", [str(int(n) + 1) for n in block.values.pop("TRACK", []) if n.isdecimal()])
    return block


def _objects(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """GUIDs and bodies."""
    offset = 0
    while offset + _OBJECT <= len(data):
        size = int.from_bytes(data[offset + 16 : offset + 24], "little")
        if size < _OBJECT:
            return
        yield data[offset : offset + 16], data[offset + _OBJECT : offset + size]
        offset += size


def _attributes(guid: bytes, data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """(Name, type, value) of the attributes in one object, as far as they are whole."""
    try:
        if guid == _CONTENT:
            offset = 10
            for name, length in zip(_CONTENT_NAMES, struct.unpack_from("<5H", data), strict=True):
                yield name, _TEXT, data[offset : offset + length]
                offset += length
        elif guid in {_EXTENDED, _METADATA, _LIBRARY}:
            (count,) = struct.unpack_from("<H", data)
            offset = 2
            for _ in range(min(count, MOST_ITEMS)):
                name, kind, value, offset = (_extended if guid == _EXTENDED else _library)(data, offset)
                yield name, kind, value
    except struct.error:
        return


def _extended(data: bytes, offset: int) -> tuple[str, int, bytes, int]:
    (name_length,) = struct.unpack_from("<H", data, offset)
    name = _decode(data[offset + 2 : offset + 2 + name_length])
    offset += 2 + name_length
    kind, length = struct.unpack_from("<HH", data, offset)
    return name, kind, data[offset + 4 : offset + 4 + length], offset + 4 + length


def _library(data: bytes, offset: int) -> tuple[str, int, bytes, int]:
    _language, _stream, name_length, kind, length = struct.unpack_from("<HHHHI", data, offset)
    start = offset + 12 + name_length
    return _decode(data[offset + 12 : start]), kind, data[start : start + length], start + length


def _decode(data: bytes) -> str:
    return data[:LARGEST_TEXT].decode("utf-16-le", "replace").split("\0")[0]


def _put(block: TagBlock, name: str, kind: int, value: bytes, *, pictures: bool) -> None:
    if kind == _TEXT:
        if text := _decode(value):
            block.add(name.removeprefix("WM/"), text)
    elif kind in _NUMBERS:
        block.add(name.removeprefix("WM/"), str(int.from_bytes(value[:8], "little")))
    elif kind == _BYTES and name == "WM/EmbeddedPicture":
        block.pictures.append(_picture(value) if pictures else EmbeddedPicture(FRONT_COVER))


def _picture(value: bytes) -> EmbeddedPicture:
    """Type, length, MIME type, description, and the bytes."""
    if len(value) < 5:  # noqa: PLR2004 - type and length
        return EmbeddedPicture(FRONT_COVER)
    length = int.from_bytes(value[1:5], "little")
    return EmbeddedPicture(value[0], value[len(value) - length :])
