"""WAV (RIFF, RF64, BW64) and AIFF/AIFC with PCM inside."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from player.library.containers.base import (
    AudioInfo,
    ByteRange,
    NotAudioError,
    Probe,
    RangePayload,
    UnusualLayoutError,
    read_at,
)

WAV_MAGICS = (b"RIFF", b"RF64", b"BW64")
AIFF_MAGIC = b"FORM"
_HEADER_BYTES = 12
_CHUNK_HEADER_BYTES = 8
_UNKNOWN_LENGTH = 0xFFFFFFFF
"""Written by recorders that stream, and by RF64, which keeps the real length in its ds64 chunk."""
_MOST_CHUNKS = 10_000
_WAV_FORMATS = {1: "s", 3: "f"}
_EXTENSIBLE = 0xFFFE
_AIFF_FORMATS = {
    b"NONE": "s{}be",
    b"twos": "s{}be",
    b"sowt": "s{}le",
    b"fl32": "f32be",
    b"FL32": "f32be",
    b"fl64": "f64be",
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk's name and where its body lies."""

    name: bytes
    body: ByteRange


def probe_wav(file: BinaryIO, size: int, start: int = 0) -> Probe:
    """Understand a WAV file; its length is that of the data that is there, whatever the header says.

    Raises:
        NotAudioError: format or data are missing or empty.
        UnusualLayoutError: something other than plain PCM.
    """
    found = list(chunks(file, size, "little", start))
    format_chunk = _find(found, b"fmt ", "WAV")
    data = _find(found, b"data", "WAV").body
    fields = read_at(file, format_chunk.body.start, min(40, format_chunk.body.length))
    if len(fields) < 16:  # noqa: PLR2004 - the six fields of WAVEFORMAT
        raise NotAudioError("its WAV header is cut short")
    tag, channels, rate, _byte_rate, align, bits = struct.unpack_from("<HHIIHH", fields)
    if tag == _EXTENSIBLE and len(fields) >= 26:  # noqa: PLR2004 - where the sub-format begins
        tag = int.from_bytes(fields[24:26], "little")
    kind = _WAV_FORMATS.get(tag)
    if kind is None:
        raise UnusualLayoutError("compressed WAV")
    width = (bits + 7) // 8
    codec = "pcm_u8" if width == 1 else f"pcm_{kind}{width * 8}le"
    return _pcm(file, AudioInfo(codec, 0.0, rate, channels), data, align or width * channels)


def probe_aiff(file: BinaryIO, size: int, start: int = 0) -> Probe:
    """Understand an AIFF or AIFC file.

    Raises:
        NotAudioError: format or data are missing or empty.
        UnusualLayoutError: a compressed AIFC.
    """
    found = list(chunks(file, size, "big", start))
    common = _find(found, b"COMM", "AIFF")
    sound = _find(found, b"SSND", "AIFF").body
    fields = read_at(file, common.body.start, min(22, common.body.length))
    if len(fields) < 18 or sound.length < 8:  # noqa: PLR2004 - the fields of COMM and SSND
        raise NotAudioError("its AIFF header is cut short")
    channels, frames, bits = struct.unpack_from(">HIH", fields)
    template = _AIFF_FORMATS.get(fields[18:22] or b"NONE")
    if template is None:
        raise UnusualLayoutError("compressed AIFC")
    width = (bits + 7) // 8
    align = width * channels
    offset = int.from_bytes(read_at(file, sound.start, 4), "big")
    start = min(sound.end, sound.start + 8 + offset)
    audio = ByteRange(start, min(sound.end - start, frames * align or sound.end))
    rate = _extended(fields[8:18])
    return _pcm(file, AudioInfo("pcm_" + template.format(width * 8), 0.0, rate, channels), audio, align)


def _pcm(file: BinaryIO, info: AudioInfo, data: ByteRange, align: int) -> Probe:
    """The probe for PCM of ``align`` bytes a frame."""
    if align <= 0 or info.sample_rate <= 0 or info.channels <= 0:
        raise NotAudioError("its header says no channels or 0 Hz")
    frames = data.length // align
    if frames == 0:
        raise NotAudioError("it holds no audio")
    whole = ByteRange(data.start, frames * align)
    timed = AudioInfo(info.codec, frames / info.sample_rate, info.sample_rate, info.channels)
    return Probe(timed, RangePayload(file, (whole,)))


def chunks(file: BinaryIO, size: int, order: str, start: int = 0) -> Iterator[Chunk]:
    """The chunks of the file that begins at ``start``, each cut where the file ends; numbers are "little" or "big" endian."""
    endian = "<" if order == "little" else ">"
    offset, real_length = start + _HEADER_BYTES, None
    for _ in range(_MOST_CHUNKS):
        header = read_at(file, offset, _CHUNK_HEADER_BYTES)
        if len(header) < _CHUNK_HEADER_BYTES:
            return
        name, length = struct.unpack(endian + "4sI", header)
        body = offset + _CHUNK_HEADER_BYTES
        if name == b"ds64":
            real_length = int.from_bytes(read_at(file, body + 8, 8), "little")
        if name == b"data" and length in {0, _UNKNOWN_LENGTH}:
            length = real_length or size - body
        yield Chunk(name, ByteRange(body, max(0, min(length, size - body))))
        offset = body + length + length % 2


def _find(chunks: list[Chunk], name: bytes, kind: str) -> Chunk:
    for chunk in chunks:
        if chunk.name == name:
            return chunk
    raise NotAudioError(f"its {kind} chunk “{name.decode().strip()}” is missing")


def _extended(field: bytes) -> int:
    """An 80-bit IEEE 754 extended number, as AIFF keeps its sample rate."""
    exponent = int.from_bytes(field[:2], "big") & 0x7FFF
    shift = 16383 + 63 - exponent
    return int.from_bytes(field[2:], "big") >> shift if 0 <= shift < 64 else 0  # noqa: PLR2004 - bits of the mantissa
