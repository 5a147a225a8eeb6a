"""Tags around raw audio frames: ID3v2 in front; ID3v1, APEv2, Lyrics3 and a trailing ID3v2.4 behind."""

import struct
from typing import BinaryIO

from player.library.containers.base import Span, read_at

_ID3V1_BYTES = 128
_ID3V1_EXTENDED_BYTES = 227
_ID3V2_HEADER_BYTES = 10
_APE_FOOTER_BYTES = 32
_APE_HAS_HEADER = 1 << 31
_LYRICS_FOOTER_BYTES = 15
"""Six digits of size, then ``LYRICS200``."""
_TAIL_BYTES = _ID3V1_EXTENDED_BYTES + _ID3V1_BYTES


def untagged(file: BinaryIO, size: int) -> Span:
    """The range of a file of ``size`` bytes that remains when the tags at both ends are taken off."""
    start = 0
    while start < size:
        tag = _id3v2_length(read_at(file, start, _ID3V2_HEADER_BYTES), b"ID3")
        if not tag:
            break
        start += tag
    end = size
    while end > start:
        tag = _trailer_length(file, start, end)
        if not tag:
            break
        end = max(start, end - tag)
    return Span(min(start, size), max(0, end - start))


def _id3v2_length(header: bytes, magic: bytes) -> int:
    """The length of a whole ID3v2 tag from its 10-byte header or footer; 0 when it is none (ID3v2.4, 3.1 and 3.4)."""
    if len(header) < _ID3V2_HEADER_BYTES or not header.startswith(magic) or max(header[6:10]) > 0x7F:  # noqa: PLR2004 - syncsafe
        return 0
    length = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
    has_footer = header[5] & 0x10 or magic == b"3DI"
    return _ID3V2_HEADER_BYTES + length + (_ID3V2_HEADER_BYTES if has_footer else 0)


def _trailer_length(file: BinaryIO, start: int, end: int) -> int:
    """The length of the tag that ends at ``end``, or 0."""
    tail = read_at(file, max(start, end - _TAIL_BYTES), min(_TAIL_BYTES, end - start))
    if tail[-_ID3V1_BYTES:].startswith(b"TAG") and len(tail) >= _ID3V1_BYTES:
        extended = tail[-_TAIL_BYTES:].startswith(b"TAG+") and len(tail) == _TAIL_BYTES
        return _TAIL_BYTES if extended else _ID3V1_BYTES
    footer = tail[-_APE_FOOTER_BYTES:]
    if footer.startswith(b"APETAGEX") and len(footer) == _APE_FOOTER_BYTES:
        length, _items, flags = struct.unpack_from("<III", footer, 12)
        return int(length) + (_APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)
    digits = tail[-_LYRICS_FOOTER_BYTES:-9]
    if tail.endswith(b"LYRICS200") and digits.isdigit():
        return _LYRICS_FOOTER_BYTES + int(digits)
    return _id3v2_length(tail[-_ID3V2_HEADER_BYTES:], b"3DI")
