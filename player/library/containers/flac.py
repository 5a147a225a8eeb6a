"""FLAC in its own container (RFC 9639)."""

import re
from dataclasses import dataclass
from typing import BinaryIO

from player.library.containers.base import AudioInfo, ByteRange, NotAudioError, Probe, RangePayload, read_at

MAGIC = b"fLaC"
_STREAMINFO_BYTES = 34
_BLOCK_HEADER_BYTES = 4
_TAIL_BYTES = 64 * 1024
"""Holds the last frame even of 24-bit stereo at the usual 4,096 samples a frame (24 KiB uncompressed)."""
_HEADER_BYTES = 16
"""A frame header takes at most that many: 4 fixed, 7 of number, 2 of block size, 2 of rate, 1 of checksum."""
_SYNC = re.compile(rb"\xff[\xf8\xf9]")


_RATES = dict(enumerate((88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000), start=1))
"""Hz by rate code; other codes leave the rate to STREAMINFO or say it in a way of their own."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame's header."""

    number: int
    counts_samples: bool
    """True where ``number`` counts samples (frames of varying length) or frames."""
    samples: int
    sample_rate: int | None


def _crc8_table() -> bytes:
    """The table of x⁸ + x² + x + 1 (RFC 9639, 9.1.8)."""
    table = bytearray()
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
        table.append(value)
    return bytes(table)


_CRC8 = _crc8_table()


def parse_streaminfo(block: bytes) -> tuple[int, int, int]:
    """Sample rate, channels and total samples (0 when unknown) from a STREAMINFO block.

    Raises:
        NotAudioError: the block is too short or says 0 Hz.
    """
    packed = int.from_bytes(block[10:18], "big")
    rate, channels, total = packed >> 44, (packed >> 41 & 7) + 1, packed & (1 << 36) - 1
    if len(block) < _STREAMINFO_BYTES or rate == 0:
        raise NotAudioError("its FLAC header is damaged")
    return rate, channels, total


def probe(file: BinaryIO, whole: ByteRange) -> Probe:
    """Understand a FLAC file, which ``whole`` is without what other taggers put around it.

    Raises:
        NotAudioError: the header is damaged or no audio follows it.
    """
    offset, streaminfo = _skip_metadata(file, whole)
    rate, channels, total = parse_streaminfo(streaminfo)
    audio = ByteRange(offset, whole.end - offset)
    first = _parse_frame(read_at(file, audio.start, _HEADER_BYTES))
    if first is None:
        raise NotAudioError("no FLAC frames follow its header")
    rate = first.sample_rate or rate
    samples = _samples_at_end(file, audio, first.samples)
    if samples is None or (total and abs(samples - total) <= 1):
        samples = total or samples
    if not samples:
        raise NotAudioError("its length is unknown: neither the header nor the last frame tells")
    return Probe(AudioInfo("flac", samples / rate, rate, channels), RangePayload(file, (audio,)))


def _skip_metadata(file: BinaryIO, whole: ByteRange) -> tuple[int, bytes]:
    """The offset of the first frame, and the STREAMINFO block."""
    offset = whole.start + len(MAGIC)
    streaminfo = b""
    while True:
        header = read_at(file, offset, _BLOCK_HEADER_BYTES)
        length = int.from_bytes(header[1:4], "big")
        if len(header) < _BLOCK_HEADER_BYTES or offset + length > whole.end:
            raise NotAudioError("it ends inside its FLAC header")
        offset += _BLOCK_HEADER_BYTES
        if header[0] & 0x7F == 0:
            streaminfo = file.read(min(length, _STREAMINFO_BYTES))
        offset += length
        if header[0] & 0x80:
            return offset, streaminfo


def _samples_at_end(file: BinaryIO, audio: ByteRange, block_size: int) -> int | None:
    """The number of the sample after the last frame, so that a file cut short does not claim its full length.

    Frames carry a checksum, the header in front of them does not: so ``block_size`` is that of the first frame.
    """
    start = max(audio.start, audio.end - _TAIL_BYTES)
    tail = read_at(file, start, audio.end - start)
    for match in reversed(list(_SYNC.finditer(tail))):
        frame = _parse_frame(tail[match.start() : match.start() + _HEADER_BYTES])
        if frame:
            return (frame.number if frame.counts_samples else frame.number * block_size) + frame.samples
    return None


def _parse_frame(header: bytes) -> _Frame | None:
    """The frame that starts with ``header``, or None where the checksum says that it is none."""
    if len(header) < _HEADER_BYTES or not _SYNC.match(header) or header[3] & 1:
        return None
    number, offset = _coded_number(header)
    size_code, rate_code = header[2] >> 4, header[2] & 15
    samples = {1: 192, 6: header[offset] + 1, 7: int.from_bytes(header[offset : offset + 2], "big") + 1}.get(size_code)
    if samples is None:
        samples = 144 << size_code if 2 <= size_code <= 5 else 1 << size_code  # noqa: PLR2004 - RFC 9639, table 14
    offset += {6: 1, 7: 2}.get(size_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    crc = 0
    for byte in header[:offset]:
        crc = _CRC8[crc ^ byte]
    if size_code == 0 or rate_code == 15 or crc != header[offset]:  # noqa: PLR2004 - reserved codes
        return None
    return _Frame(number, bool(header[1] & 1), samples, _RATES.get(rate_code))


def _coded_number(header: bytes) -> tuple[int, int]:
    """The frame or sample number at byte 4, coded like UTF-8 with up to 7 bytes, and the offset after it."""
    first = header[4]
    extra = 0
    while extra < 7 and first & 0x80 >> extra:  # noqa: PLR2004 - at most seven bytes
        extra += 1
    if extra == 0:
        return first, 5
    number = first & (0x7F >> extra)
    for byte in header[5 : 4 + extra]:
        number = number << 6 | byte & 0x3F
    return number, 4 + extra
