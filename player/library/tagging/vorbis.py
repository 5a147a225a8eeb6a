"""Vorbis comments (xiph.org/vorbis/doc/v-comment.html), in FLAC's metadata and in the second packet of Ogg streams."""

import base64
import struct
from collections.abc import Iterator
from typing import BinaryIO

from player.library.containers import ogg
from player.library.containers.base import read_at
from player.library.containers.flac import parse_streaminfo
from player.library.tagging.blocks import (
    FRONT_COVER,
    LARGEST_PICTURE,
    LARGEST_TEXT,
    MOST_ITEMS,
    EmbeddedPicture,
    TagBlock,
    decode_guess,
)
from player.library.tagging.cue_sheets import text_of_block

_STREAMINFO, _COMMENTS, _CUE_SHEET, _PICTURE = 0, 4, 5, 6
"""Types of FLAC's metadata blocks (RFC 9639, 8.1)."""
_MOST_BLOCKS = 128
_SLACK_BYTES = 64 * 1024
_CODED_PICTURE = b"METADATA_BLOCK_PICTURE="
_COVER = b"COVERART="
_PREFIXES = (b"\x03vorbis", b"OpusTags", b"Speex")
_LARGEST_PACKET = 2 * LARGEST_PICTURE


def read_flac(file: BinaryIO, start: int, *, pictures: bool) -> TagBlock:
    """The comments, pictures and cue sheet of the FLAC stream whose marker lies at ``start``; a sheet in the comments has titles."""
    block, rate, sheet = TagBlock("vorbis"), 0, ""
    offset = start + 4
    for _ in range(_MOST_BLOCKS):
        header = read_at(file, offset, 4)
        length = int.from_bytes(header[1:], "big")
        kind = header[0] & 0x7F if header else -1
        if kind == _COMMENTS:
            # Some programs write a length that is too short; the comments say themselves where they end.
            length = max(length, read_comments(block, file.read(max(length, _SLACK_BYTES)), pictures=pictures))
        elif kind == _STREAMINFO:
            rate, *_ = parse_streaminfo(file.read(length))
        elif kind == _CUE_SHEET and rate:
            sheet = text_of_block(file.read(min(length, LARGEST_TEXT)), rate)
        elif kind == _PICTURE:
            block.pictures.append(_parse_picture(file.read(min(length, LARGEST_PICTURE)) if pictures else b""))
        offset += 4 + length
        if not header or header[0] & 0x80:
            break
    if sheet:
        block.add("CUESHEET", sheet)
    return block


def read_ogg(file: BinaryIO, start: int, *, pictures: bool) -> TagBlock:
    """The comments of the first stream that has any; the second packet of each is looked at."""
    block = TagBlock("vorbis")
    packets: dict[int, bytearray] = {}
    done: set[int] = set()
    for count, page in enumerate(ogg.pages(file, start)):
        if page.serial in done or count > ogg.MOST_HEADER_PAGES:
            break
        body = read_at(file, page.body, page.end - page.body)
        if page.first:
            packets[page.serial] = bytearray()
            continue
        if page.serial not in packets:
            continue
        length, whole = _first_packet(page.lacing)
        packets[page.serial] += body[:length]
        if whole or len(packets[page.serial]) > _LARGEST_PACKET:
            done.add(page.serial)
            packet = bytes(packets[page.serial])
            prefix = next((prefix for prefix in _PREFIXES if packet.startswith(prefix)), None)
            # Ogg FLAC puts a block's header in front, Speex nothing at all.
            skip = len(prefix) if prefix in _PREFIXES[:2] else 4 if packet[:1] in {b"\x04", b"\x84"} else 0
            read_comments(block, packet[skip:], pictures=pictures)
            if block.values:
                break
    return block


def _first_packet(lacing: bytes) -> tuple[int, bool]:
    """Bytes of a page that belong to the packet it begins with or goes on with, and whether it ends there."""
    length = 0
    for segment in lacing:
        length += segment
        if segment < 255:  # noqa: PLR2004 - a segment below 255 ends its packet
            return length, True
    return length, False


def read_comments(block: TagBlock, data: bytes, *, pictures: bool) -> int:
    """Put the comments in ``data`` into ``block``, as far as they are whole; returns how many bytes they take."""
    length = 0
    for comment, end in _comments(data):
        length = end
        upper = comment[: len(_CODED_PICTURE)].upper()
        if upper == _CODED_PICTURE:
            block.pictures.append(
                _decode_picture(comment[len(_CODED_PICTURE) :]) if pictures else EmbeddedPicture(FRONT_COVER)
            )
        elif upper.startswith(_COVER):
            block.pictures.append(EmbeddedPicture(FRONT_COVER, _base64(comment[len(_COVER) :]) if pictures else b""))
        else:
            name, equals, value = comment[:LARGEST_TEXT].partition(b"=")
            if equals:
                block.add(name.decode("ascii", "replace"), decode_guess(value))
    return length


def _comments(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Comments, and where each ends."""
    if len(data) < 8:  # noqa: PLR2004 - two lengths
        return
    offset = 4 + int.from_bytes(data[:4], "little")
    count = int.from_bytes(data[offset : offset + 4], "little")
    offset += 4
    for _ in range(min(count, MOST_ITEMS)):
        length = int.from_bytes(data[offset : offset + 4], "little")
        if offset + 4 + length > len(data):
            return
        yield data[offset + 4 : offset + 4 + length], offset + 4 + length
        offset += 4 + length


def _decode_picture(coded: bytes) -> EmbeddedPicture:
    return _parse_picture(_base64(coded))


def _base64(coded: bytes) -> bytes:
    try:
        return base64.b64decode(coded)
    except ValueError:
        return b""


def _parse_picture(data: bytes) -> EmbeddedPicture:
    """FLAC's picture block: type, MIME type, description, four numbers, the picture."""
    try:
        kind, mime = struct.unpack_from(">II", data)
        (description,) = struct.unpack_from(">I", data, 8 + mime)
        start = 8 + mime + 4 + description + 16
        (length,) = struct.unpack_from(">I", data, start)
    except struct.error:
        return EmbeddedPicture(FRONT_COVER)
    return EmbeddedPicture(int(kind), data[start + 4 : start + 4 + length])
