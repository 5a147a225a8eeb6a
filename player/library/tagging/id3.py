"""ID3: version 2.2, 2.3 and 2.4 in front (or behind, or in a chunk), version 1 in the last 128 bytes (id3.org)."""

import io
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from player.library.containers.base import ByteRange, read_at
from player.library.tagging.blocks import (
    FRONT_COVER,
    LARGEST_PICTURE,
    LARGEST_TEXT,
    MOST_ITEMS,
    EmbeddedPicture,
    TagBlock,
    decode_guess,
)
from player.library.tagging.genres import GENRES

_HEADER_BYTES = 10
_LARGEST_UNSYNCHRONISED = 64 << 20
"""Such a tag is undone in memory as a whole."""
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_V24 = 4
_WIDE = frozenset({1, 2})
"""The text encodings of two bytes a letter."""
_LETTERS = 0x20
"""From here on the byte that names the encoding was left out, and is the text's first."""
_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9 \0]")
"""A frame's name; some programs write the three letters of version 2.2 into a tag of version 2.3."""
_NUMBERED = re.compile(r"\((\d{1,3}|RX|CR)\)")
_IN_MS = 2
_V1_BYTES = 128


def read_id3v2(file: BinaryIO, place: ByteRange, *, pictures: bool) -> TagBlock:
    """The tag at ``place``; what is damaged in it ends it."""
    block = TagBlock("id3v2")
    header = read_at(file, place.start, _HEADER_BYTES)
    version, flags = header[3], header[5]
    start, end = place.start + _HEADER_BYTES, min(place.end, place.start + _HEADER_BYTES + _syncsafe(header[6:10]))
    if flags & _UNSYNCHRONISED and version < _V24:
        body = read_at(file, start, min(end - start, _LARGEST_UNSYNCHRONISED))
        file = io.BytesIO(body.replace(b"\xff\x00", b"\xff"))
        start, end = 0, file.getbuffer().nbytes
    if flags & _EXTENDED and version > 2:  # noqa: PLR2004 - in 2.2 this bit meant a compression never defined
        length = read_at(file, start, 4)
        start += _syncsafe(length) if version == _V24 else 4 + int.from_bytes(length, "big")
    whole = bool(flags & _UNSYNCHRONISED)
    frames = list(_frames(file, start, end, version, whole=whole, pictures=pictures))
    sample = b" ".join(body[1:] for name, body in frames if name[0] == "T" and body[0] == 0)
    reader = _Reader(block, version, sample)
    for name, body in frames:
        with suppress(IndexError):  # cut short
            reader.take(name, body)
    return block


def _syncsafe(data: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=False))


def _frames(
    file: BinaryIO, start: int, end: int, version: int, *, whole: bool, pictures: bool
) -> Iterator[tuple[str, bytes]]:
    """Names and bodies of the frames; a picture's body only where it is asked for, else one byte of it."""
    header_bytes = 6 if version == 2 else _HEADER_BYTES  # noqa: PLR2004 - the oldest version
    for _ in range(MOST_ITEMS):
        header = read_at(file, start, header_bytes)
        if len(header) < header_bytes or not _NAME.match(header + b"\0" if version == 2 else header):  # noqa: PLR2004
            return
        name = header[: 3 if version == 2 else 4].rstrip(b" \0").decode("ascii")  # noqa: PLR2004
        length = int.from_bytes(header[3:6] if version == 2 else header[4:8], "big")  # noqa: PLR2004
        if version == _V24:
            length = _length_v24(file, start, end, header)
        start += header_bytes
        length = min(length, end - start)  # a damaged length takes the rest, in which a text ends with a NUL
        is_picture = name in {"APIC", "PIC"}
        wanted = LARGEST_PICTURE if pictures else 1
        body = read_at(file, start, min(length, wanted if is_picture else LARGEST_TEXT))
        start += length
        body = _undone(body, header[9], whole=whole) if version == _V24 else _uncompressed(body, header, version)
        if body:
            yield name, body


def _length_v24(file: BinaryIO, start: int, end: int, header: bytes) -> int:
    """A frame's length: seven bits a byte, unless it leads to a frame only when read as iTunes once wrote it, with eight."""
    syncsafe, plain = _syncsafe(header[4:8]), int.from_bytes(header[4:8], "big")
    if syncsafe == plain:
        return plain
    for length in (syncsafe, plain):
        after = start + _HEADER_BYTES + length
        if after == end or (after < end and (not any(read_at(file, after, 4)) or _NAME.match(read_at(file, after, 4)))):
            return length
    return syncsafe


def _undone(body: bytes, flags: int, *, whole: bool) -> bytes:
    """A frame of version 2.4 without what its flags say was done to it; nothing where it is encrypted."""
    if flags & 0x04:
        return b""
    body = body[(1 if flags & 0x40 else 0) + (4 if flags & 0x01 else 0) :]
    if flags & 0x02 or (whole and not flags & 0x08):
        body = body.replace(b"\xff\x00", b"\xff")
    return _inflate(body) if flags & 0x08 else body


def _uncompressed(body: bytes, header: bytes, version: int) -> bytes:
    """As :func:`_undone`, for version 2.3; version 2.2 has no flags."""
    flags = header[9] if version == 3 else 0  # noqa: PLR2004 - the version with these flags
    if flags & 0x40:
        return b""
    body = body[(4 if flags & 0x80 else 0) + (1 if flags & 0x20 else 0) :]
    return _inflate(body) if flags & 0x80 else body


def _inflate(body: bytes) -> bytes:
    """Decompressed, no more than the largest text: a picture that is compressed once more is not worth a bomb."""
    try:
        return zlib.decompressobj().decompress(body, LARGEST_TEXT)
    except zlib.error:
        return b""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Frames become values of a block.

    Attributes:
        block: what they are put into.
        version: of the tag.
        sample: all bytes of it that claim to be Latin-1, which tell what they really are.
    """

    block: TagBlock
    version: int
    sample: bytes

    def take(self, name: str, body: bytes) -> None:
        """Put one frame into the block."""
        if name in {"TXXX", "TXX"}:
            description, *values = self._strings(body[0], body[1:])
            self.block.add(description, *(values if self.version == _V24 else values[:1]))
        elif name[0] == "T" or name in {"MVNM", "MVIN", "GRP1"}:
            strings = self._strings(body[0], body[1:])
            # Before version 2.4 a NUL ends the text; what follows is padding or left over.
            values = [text for text in strings if text] if self.version == _V24 else strings[:1]
            self.block.add(name, *(plain_genres(values) if name in {"TCON", "TCO"} else values))
        elif name in {"USLT", "ULT"}:
            self.block.add("USLT", *self._strings(body[0], body[4:])[1:2])
        elif name in {"SYLT", "SLT"}:
            self.block.add("SYLT", self._synced(body))
        elif name in {"UFID", "UFI"}:
            owner, _, identifier = body.partition(b"\0")
            self.block.add(f"UFID {owner.decode('latin-1')}", identifier.decode("latin-1"))
        elif name in {"POPM", "POP"}:
            writer, _, rest = body.partition(b"\0")
            self.block.values.setdefault("POPM", []).append(f"{rest[0]} {writer.decode('latin-1')}")
        elif name in {"APIC", "PIC"}:
            self.block.pictures.append(_picture(name, body))

    def _strings(self, encoding: int, data: bytes) -> list[str]:
        """The strings between NULs."""
        if encoding >= _LETTERS:
            encoding, data = 0, bytes([encoding]) + data
        if encoding not in _WIDE:
            return [self._decoded(encoding, piece) for piece in data.split(b"\0")]
        pieces = _wide_pieces(data)
        order = "utf-16-be" if encoding == 2 or pieces[0][:2] == b"\xfe\xff" else "utf-16-le"  # noqa: PLR2004 - big-endian
        return [piece.decode(order, "ignore").lstrip("\ufeff") for piece in pieces]

    def _decoded(self, encoding: int, piece: bytes) -> str:
        return decode_guess(piece, self.sample) if encoding == 0 else piece.decode("utf-8", "replace")

    def _synced(self, body: bytes) -> str:
        """Lyrics with times as lines of an .lrc file; times that count frames of sound are left out."""
        encoding, unit = body[0], body[4]
        wide = encoding in _WIDE
        _description, rest = _first_string(body[6:], wide=wide)
        lines: list[str] = []
        while rest and len(lines) < MOST_ITEMS:
            text, rest = _first_string(rest, wide=wide)
            ms, rest = int.from_bytes(rest[:4], "big"), rest[4:]
            words = self._strings(encoding, text)[0].strip()
            lines.append(f"[{ms // 60_000:02}:{ms % 60_000 / 1000:05.2f}]{words}" if unit == _IN_MS else words)
        return "\n".join(lines)


def _wide_pieces(data: bytes) -> list[bytes]:
    """UTF-16 text cut at its NULs."""
    pieces: list[bytes] = []
    while data:
        piece, data = _first_string(data, wide=True)
        pieces.append(piece)
    return pieces or [b""]


def _first_string(data: bytes, *, wide: bool) -> tuple[bytes, bytes]:
    """The bytes before the first NUL, and those after it."""
    if not wide:
        text, _, rest = data.partition(b"\0")
        return text, rest
    end = data.find(b"\0\0")
    while end > 0 and end % 2:  # a NUL of two bytes begins at an even place
        end = data.find(b"\0\0", end + 1)
    return (data, b"") if end < 0 else (data[:end], data[end + 2 :])


def _picture(name: str, body: bytes) -> EmbeddedPicture:
    """The picture of an APIC frame (or PIC, whose format has three letters)."""
    if len(body) < 2:  # noqa: PLR2004 - only its presence was asked for
        return EmbeddedPicture(FRONT_COVER)
    if name == "PIC":
        kind, rest = body[4], body[5:]
    else:
        _mime, _, rest = body[1:].partition(b"\0")
        kind, rest = rest[0], rest[1:]
    return EmbeddedPicture(kind, _first_string(rest, wide=body[0] in _WIDE)[1])


_V1_FIELDS = (("TIT2", 3, 33), ("TPE1", 33, 63), ("TALB", 63, 93), ("TYER", 93, 97))


def read_id3v1(file: BinaryIO, place: ByteRange) -> TagBlock:
    """The 128 bytes at the end of ``place``: texts of 30 bytes, the year, and in version 1.1 the track number."""
    block = TagBlock("id3v1")
    data = read_at(file, place.end - _V1_BYTES, _V1_BYTES)
    sample = b" ".join(data[start:end].split(b"\0")[0] for _name, start, end in _V1_FIELDS)
    for name, start, end in _V1_FIELDS:
        if text := data[start:end].split(b"\0")[0].rstrip():
            block.add(name, decode_guess(text, sample))
    if data[125] == 0 and data[126]:
        block.add("TRCK", str(data[126]))
    block.add("TCON", *plain_genres([str(data[127])]))
    return block


def plain_genres(values: list[str]) -> list[str]:
    """Genres as ID3 writes them, by name: "(52)(53)", "17", "(4)Eurodisco" (a refinement takes its number's place), "(RX)".

    >>> plain_genres(["(52)(53)"]), plain_genres(["(4)Eurodisco"]), plain_genres(["(RX)", "17"])
    (['Electronic', 'Pop-Folk'], ['Eurodisco'], ['Remix', 'Rock'])
    """
    found: list[str] = []
    for value in values:
        rest = value.strip()
        numbers: list[str] = []
        while match := _NUMBERED.match(rest):
            numbers.append(_genre_named(match[1]))
            rest = rest[match.end() :].strip()
        if rest.startswith("(("):
            rest = rest[1:]
        if rest and not numbers:
            rest = _genre_named(rest)
        found += [*(numbers[:-1] if rest and numbers else numbers), rest]
    return [genre for genre in found if genre]


def _genre_named(code: str) -> str:
    """The genre of a number, or of RX and CR; nothing for a number that is none; other texts as they are."""
    if code.isdecimal():
        return GENRES[int(code)] if len(code) <= 3 and int(code) < len(GENRES) else ""  # noqa: PLR2004 - up to 255
    return {"RX": "Remix", "CR": "Cover"}.get(code, code)
