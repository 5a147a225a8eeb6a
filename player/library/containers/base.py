"""What every container parser gives: facts about the audio, and its encoded bytes without the tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

WINDOW_BYTES = 8 * 1024
"""One sampled window; five of them tell recordings apart even where both begin and end in digital silence."""
BLOCK_BYTES = 1024 * 1024
"""How much is read at once where everything is read."""


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

    def blocks(self) -> Iterator[bytes]:
        """All of it, in order; how it is cut into blocks means nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Probe:
    """A file whose container has been understood; usable while the file stays open."""

    info: AudioInfo
    payload: Payload


@dataclass(frozen=True, slots=True)
class Span:
    """A byte range of a file."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.start + self.length


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes from ``offset``; fewer at the end of the file."""
    file.seek(offset)
    return file.read(length)


@dataclass(frozen=True, slots=True)
class SpanPayload:
    """Audio that lies in known byte ranges: MP3, FLAC, MP4, WAV, AIFF."""

    file: BinaryIO
    spans: tuple[Span, ...]

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
            piece = Span(span.start + start, min(length, span.length - start))
            yield from read_blocks(self.file, piece)
            length -= piece.length
            start = 0


def read_blocks(file: BinaryIO, span: Span) -> Iterator[bytes]:
    """The bytes of ``span`` in blocks of at most :data:`BLOCK_BYTES`."""
    for offset in range(span.start, span.end, BLOCK_BYTES):
        yield read_at(file, offset, min(BLOCK_BYTES, span.end - offset))
