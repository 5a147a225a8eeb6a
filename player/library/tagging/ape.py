"""APEv2 (wiki.hydrogenaud.io): the tag of Monkey's Audio, WavPack and Musepack, also found behind MP3."""

import struct
from typing import BinaryIO

from player.library.containers.base import APE_FOOTER_BYTES, ByteRange, read_at
from player.library.tagging.blocks import (
    FRONT_COVER,
    LARGEST_PICTURE,
    LARGEST_TEXT,
    MOST_ITEMS,
    EmbeddedPicture,
    TagBlock,
    decode_guess,
)

_LONGEST_KEY = 255
_KIND = 6
"""The bits of an item's flags that tell text (0) from bytes (2) and links (4)."""
_BINARY = 2


def read_ape(file: BinaryIO, place: ByteRange, *, pictures: bool) -> TagBlock:
    """The tag at ``place``, which ends with its footer."""
    block = TagBlock("ape")
    length, items = struct.unpack_from("<II", read_at(file, place.end - APE_FOOTER_BYTES, APE_FOOTER_BYTES), 12)
    offset, end = max(place.start, place.end - length), place.end - APE_FOOTER_BYTES
    for _ in range(min(items, MOST_ITEMS)):
        head = read_at(file, offset, 8 + _LONGEST_KEY + 1)
        key, nul, _ = head[8:].partition(b"\0")
        if offset >= end or not nul:
            break
        size, flags = struct.unpack_from("<II", head)
        offset += 8 + len(key) + 1
        name = key.decode("latin-1")
        if flags & _KIND == _BINARY:
            if name.upper().startswith("COVER ART"):
                data = read_at(file, offset, min(size, LARGEST_PICTURE)) if pictures else b""
                block.pictures.append(EmbeddedPicture(_cover_kind(name), data.partition(b"\0")[2]))
        elif flags & _KIND == 0:
            values = read_at(file, offset, min(size, LARGEST_TEXT, end - offset)).split(b"\0")
            block.add(name, *(decode_guess(value) for value in values))
        offset += size
    return block


def _cover_kind(name: str) -> int:
    return FRONT_COVER if "FRONT" in name.upper() else 0
