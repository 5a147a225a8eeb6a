"""The common ground of the container parsers: facts about the audio, its encoded bytes, and the tags around raw frames."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from embeddings.audio_file import front_tags, id3v2_length
from player.errors import PlayerError

WINDOW_BYTES = 8 * 1024
"""One sampled window; five of them tell recordings apart even where both begin and end in digital silence."""
BLOCK_BYTES = 1024 * 1024
"""Read at once where everything is read."""


class NotAudioError(PlayerError):
    """One file cannot be read as audio; the text says why, without the file's name."""


class ProtectedError(NotAudioError):
    """The audio is encrypted; a decoder that does not notice would play noise."""


class UnusualLayoutError(Exception):
    """The fast parser knows the container but not this use of it; FFmpeg's demuxer has to look."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """Facts about the audio itself, never taken from tags.

    Attributes:
        codec: FFmpeg's name, as "mp3", "opus" or "pcm_s16le".
        duration: seconds that will be heard.
        sample_rate: Hz.
        channels: how many.
    """

    codec: str
    duration: float
    sample_rate: int
    channels: int


class Payload(Protocol):
    """The encoded audio of one file, tags left out."""

    def sample(self) -> Iterator[bytes]:
        """A few pieces that change when the audio does and stay when only tags or the container's layout do."""
        ...

    def edges(self) -> Iterator[bytes]:
        """Its first and last :data:`WINDOW_BYTES`, which are the same in every container of the same packets."""
        ...

    def blocks(self) -> Iterator[bytes]:
        """All of it, in order; how it is cut into blocks means nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Probe:
    """A file whose container has been understood; usable while the file stays open."""

    info: AudioInfo
    payload: Payload
    container: str = ""
    """FFmpeg's name of the demuxer."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A byte range of a file."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.start + self.length


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes from ``offset``; fewer at the end of the file, none for numbers that a damaged header gave."""
    if offset < 0 or length <= 0:
        return b""
    file.seek(offset)
    return file.read(length)


@dataclass(frozen=True, slots=True)
class RangePayload:
    """Audio that lies in known byte ranges: MP3, FLAC, MP4, WAV, AIFF."""

    file: BinaryIO
    spans: tuple[ByteRange, ...]

    @property
    def length(self) -> int:
        """Bytes of audio."""
        return sum(span.length for span in self.spans)

    def sample(self) -> Iterator[bytes]:
        """The length, and five windows spread evenly over the audio (all of it when it is shorter than they are)."""
        length = self.length
        yield b"%d:" % length
        if length <= 5 * WINDOW_BYTES:
            yield from self.blocks()
            return
        last = length - WINDOW_BYTES
        for quarter in range(5):
            yield from self._slice(last * quarter // 4, WINDOW_BYTES)

    def edges(self) -> Iterator[bytes]:
        """The first and the last window."""
        yield from self._slice(0, min(WINDOW_BYTES, self.length))
        yield from self._slice(max(0, self.length - WINDOW_BYTES), WINDOW_BYTES)

    def blocks(self) -> Iterator[bytes]:
        """All ranges in order."""
        yield from self._slice(0, self.length)

    def _slice(self, start: int, length: int) -> Iterator[bytes]:
        """``length`` bytes from ``start``, counted over the ranges as if they were one."""
        for span in self.spans:
            if start >= span.length:
                start -= span.length
                continue
            if length <= 0:
                return
            piece = ByteRange(span.start + start, min(length, span.length - start))
            yield from read_blocks(self.file, piece)
            length -= piece.length
            start = 0


def edges_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The first and last :data:`WINDOW_BYTES` of what can only be read from its beginning to its end."""
    head, tail = b"", b""
    for block in blocks:
        if len(head) < WINDOW_BYTES:
            head += block[: WINDOW_BYTES - len(head)]
        tail = (tail + block)[-WINDOW_BYTES:]
    yield head
    yield tail


def read_blocks(file: BinaryIO, span: ByteRange) -> Iterator[bytes]:
    """The bytes of ``span`` in blocks of at most :data:`BLOCK_BYTES`."""
    for offset in range(span.start, span.end, BLOCK_BYTES):
        yield read_at(file, offset, min(BLOCK_BYTES, span.end - offset))


# --- Tags around raw frames: ID3v2 in front; ID3v1, APEv2, Lyrics3 and a trailing ID3v2.4 behind ---------------------

_ID3V1_BYTES = 128
_ID3V1_EXTENDED_BYTES = 227
_ID3V2_HEADER_BYTES = 10
APE_FOOTER_BYTES = 32
_APE_HAS_HEADER = 1 << 31
_LYRICS_FOOTER_BYTES = 15
"""Six digits of size, then ``LYRICS200``."""
_TAIL_BYTES = _ID3V1_EXTENDED_BYTES + _ID3V1_BYTES


@dataclass(frozen=True, slots=True)
class Framing:
    """The audio of a file between the tags at both ends.

    Attributes:
        audio: what remains when the tags, and zeros between those in front, are taken off.
        fronts: the ID3v2 tags in front.
        backs: kinds ("id3v1", "ape", "lyrics3", "id3v2") and places of those behind, the last first.
    """

    audio: ByteRange
    fronts: tuple[ByteRange, ...]
    backs: tuple[tuple[str, ByteRange], ...]


def find_tags(file: BinaryIO, size: int) -> Framing:
    """The tags at both ends of a file of ``size`` bytes."""
    tags, start = front_tags(file)
    fronts = [ByteRange(offset, max(0, min(length, size - offset))) for offset, length in tags]
    end, backs = size, list[tuple[str, ByteRange]]()
    while end > start:
        kind, tag = _trailer(file, start, end)
        if not tag:
            break
        begin = max(start, end - tag)
        backs.append((kind, ByteRange(begin, end - begin)))
        end = begin
    return Framing(ByteRange(min(start, size), max(0, end - start)), tuple(fronts), tuple(backs))


def _trailer(file: BinaryIO, start: int, end: int) -> tuple[str, int]:
    """Kind and length of the tag that ends at ``end``; of length 0 when there is none."""
    tail = read_at(file, max(start, end - _TAIL_BYTES), min(_TAIL_BYTES, end - start))
    if tail[-_ID3V1_BYTES:].startswith(b"TAG") and len(tail) >= _ID3V1_BYTES:
        extended = tail[-_TAIL_BYTES:].startswith(b"TAG+") and len(tail) == _TAIL_BYTES
        return "id3v1", _TAIL_BYTES if extended else _ID3V1_BYTES
    footer = tail[-APE_FOOTER_BYTES:]
    if footer.startswith(b"APETAGEX") and len(footer) == APE_FOOTER_BYTES:
        length, _items, flags = struct.unpack_from("<III", footer, 12)
        return "ape", int(length) + (APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)
    digits = tail[-_LYRICS_FOOTER_BYTES:-9]
    if tail.endswith(b"LYRICS200") and digits.isdigit():
        return "lyrics3", _LYRICS_FOOTER_BYTES + int(digits)
    return "id3v2", id3v2_length(tail[-_ID3V2_HEADER_BYTES:], b"3DI")
