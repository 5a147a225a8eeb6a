"""MPEG audio frames (MP1, MP2, MP3): where they lie and how long they last.

MpegFrame header: ISO/IEC 11172-3, 2.4.1.3. The Xing/Info/VBRI frame in front of the audio is a table of contents that tools
rewrite, so it counts as a tag, not as audio.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from player.library.containers.base import AudioInfo, ByteRange, NotAudioError, Probe, RangePayload, read_at

_HEADER_BYTES = 4
_SEARCH_BYTES = 256 * 1024
"""Bytes of a file in which the first frame is looked for; some taggers leave long padding."""
_WINDOW_BYTES = 8 * 1024
"""Holds at least five of the largest frames (1,441 bytes)."""
_CHAIN_FRAMES = 4
"""So many frames that fit end to end are no coincidence: each header has about 20 fixed bits."""
_SYNC = re.compile(rb"\xff[\xe2-\xe7\xf2-\xff]")
_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by (1 for MPEG-1 else 2, layer), for bitrate indices 1…14."""
_RATES = (44100, 48000, 32000)
_MONO = 3
_TABLE_TOLERANCE = 0.01
"""A table of contents whose byte count is further than this from the file's is not believed."""
_BITRATE_TOLERANCE = 1.5
"""A table whose average bitrate is so many times that of a hundred sampled frames is checked by counting all frames."""
_LEAST_VALID_SHARE = 0.5
"""Less of the file being frames than this: whatever it is, listening to it is no pleasure."""


@dataclass(frozen=True, slots=True)
class MpegFrame:
    """One frame's header."""

    layer: int
    version: int
    bitrate: int
    sample_rate: int
    channels: int
    length: int
    samples: int
    kind: tuple[int, int, int]
    """The features that all frames of one stream have in common: layer, version, rate."""


@lru_cache(maxsize=1 << 12)  # so that walking a file is one look-up a frame
def _frame(header: bytes) -> MpegFrame | None:
    """The frame with this header, or None where it is none."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] < 0xE0:  # noqa: PLR2004 - sync bits
        return None
    _, second, third, fourth = header
    version_bits, layer_bits = second >> 3 & 3, second >> 1 & 3
    bitrate_index, rate_index, padding = third >> 4, third >> 2 & 3, third >> 1 & 1
    if version_bits == 1 or layer_bits == 0 or bitrate_index in {0, 15} or rate_index == len(_RATES):
        return None
    layer = 4 - layer_bits
    version = {3: 1, 2: 2, 0: 4}[version_bits]  # 4 stands for MPEG-2.5: a quarter of MPEG-1's rates
    bitrate = 1000 * _BITRATES[min(version, 2), layer][bitrate_index - 1]
    rate = _RATES[rate_index] // version
    samples = 384 if layer == 1 else 576 if layer == 3 and version > 1 else 1152  # noqa: PLR2004 - the layers' names
    slot = 4 if layer == 1 else 1
    length = (samples // 8 // slot * bitrate // rate + padding) * slot
    channels = 1 if fourth >> 6 == _MONO else 2
    return MpegFrame(layer, version, bitrate, rate, channels, length, samples, (layer, version, rate))


def frame_at(data: bytes, offset: int) -> MpegFrame | None:
    """The frame whose header lies at ``offset``, or None."""
    return _frame(data[offset : offset + _HEADER_BYTES])


def find_frames(data: bytes, start: int = 0, *, at_end: bool) -> int | None:
    """The offset from ``start`` where frames fit end to end, or None.

    Args:
        data: bytes that may hold frames.
        start: where to begin.
        at_end: ``data`` ends where the audio does, so a shorter chain that reaches the end counts too.
    """
    for match in _SYNC.finditer(data, start):
        if _is_chain(data, match.start(), at_end=at_end):
            return match.start()
    return None


def _is_chain(data: bytes, offset: int, *, at_end: bool) -> bool:
    first = frame_at(data, offset)
    frame, count = first, 0
    while first and frame and frame.kind == first.kind:
        count += 1
        offset += frame.length
        if count == _CHAIN_FRAMES:
            return True
        frame = frame_at(data, offset)
    return at_end and count > 1 and offset + _HEADER_BYTES > len(data)


def probe(file: BinaryIO, whole: ByteRange) -> Probe:
    """Understand a file of MPEG audio frames, which ``whole`` is without its tags.

    Raises:
        NotAudioError: there are none, or too few between the damage.
    """
    head, offset = b"", None
    for searched in (_WINDOW_BYTES, _SEARCH_BYTES):
        head = read_at(file, whole.start, min(searched, whole.length))
        offset = find_frames(head, at_end=len(head) == whole.length)
        if offset is not None:
            break
    first = frame_at(head, offset) if offset is not None else None
    if offset is None or first is None:
        raise NotAudioError("no MPEG audio frames were found in it")
    table = _read_table(head[offset : offset + first.length], first)
    skip = first.length if table else 0
    audio = ByteRange(whole.start + offset + skip, whole.length - offset - skip)
    info = AudioInfo(f"mp{first.layer}", _duration(file, audio, first, table), first.sample_rate, first.channels)
    return Probe(info, RangePayload(file, (audio,)))


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of contents in a Xing, Info or VBRI frame."""

    frames: int | None
    length: int | None
    trimmed: int
    """Samples of encoder delay and padding that players leave out."""


def _read_table(frame: bytes, header: MpegFrame) -> _Table | None:
    side_info = {(1, 2): 32, (1, 1): 17, (2, 2): 17, (2, 1): 9}[min(header.version, 2), header.channels]
    xing = _HEADER_BYTES + side_info
    if frame[xing : xing + 4] in {b"Xing", b"Info"}:
        return _read_xing(frame[xing:])
    vbri = _HEADER_BYTES + 32
    if frame[vbri : vbri + 4] == b"VBRI" and len(frame) >= vbri + 18:
        length, frames = struct.unpack_from(">II", frame, vbri + 10)
        return _Table(int(frames), int(length), 0)
    return None


def _read_xing(table: bytes) -> _Table:
    """Read the flags and the fields they announce, in order: frames, bytes, 100 seek points, quality; then LAME's."""
    flags = int.from_bytes(table[4:8], "big")
    offset = 8
    values: dict[int, int] = {}
    for flag, width in ((1, 4), (2, 4), (4, 100), (8, 4)):
        if flags & flag:
            values[flag] = int.from_bytes(table[offset : offset + width], "big")
            offset += width
    trimmed = 0
    if table[offset : offset + 4] in {b"LAME", b"Lavf", b"Lavc"} and len(table) >= offset + 24:
        packed = int.from_bytes(table[offset + 21 : offset + 24], "big")
        trimmed = (packed >> 12) + (packed & 0xFFF)
    return _Table(values.get(1), values.get(2), trimmed)


def _duration(file: BinaryIO, audio: ByteRange, first: MpegFrame, table: _Table | None) -> float:
    """Seconds of ``audio``: from the table where it fits the file, from the bitrate where that is constant, else counted."""
    windows = _windows(file, audio, first)
    if windows and table and _is_true(table, audio, first, _bitrates(windows)):
        return max(0, (table.frames or 0) * first.samples - table.trimmed) / first.sample_rate
    if windows and not table and set(_bitrates(windows)) == {first.bitrate}:
        return audio.length * 8 / first.bitrate
    return max(0, _count(file, audio, first) - (table.trimmed if table else 0)) / first.sample_rate


def _is_true(table: _Table, audio: ByteRange, first: MpegFrame, bitrates: Sequence[int]) -> bool:
    """True where a table's length in bytes is the file's, and its length in time fits the bitrates met in the file."""
    if not table.frames or not table.length:
        return False
    stray = abs(table.length - first.length - audio.length)
    if stray > max(first.length, _TABLE_TOLERANCE * audio.length):
        return False
    promised = audio.length * 8 * first.sample_rate / (table.frames * first.samples)
    met = sum(bitrates) / len(bitrates)
    return met / _BITRATE_TOLERANCE < promised < met * _BITRATE_TOLERANCE


def _windows(file: BinaryIO, audio: ByteRange, first: MpegFrame) -> list[tuple[bytes, int]] | None:
    """Windows at the start, the quarters and the end, with where frames begin in them; None when one holds none.

    A short file is one window. They are the windows that the fingerprint samples, so the disk is asked once.
    """
    windows: list[tuple[bytes, int]] = []
    length = _WINDOW_BYTES if audio.length > 5 * _WINDOW_BYTES else audio.length
    for offset in sorted({(audio.length - length) * quarter // 4 for quarter in range(5)}):
        data = read_at(file, audio.start + offset, length)
        position = find_frames(data, at_end=offset + len(data) == audio.length)
        frame = frame_at(data, position) if position is not None else None
        if position is None or frame is None or frame.kind != first.kind:
            return None
        windows.append((data, position))
    return windows


def _bitrates(windows: list[tuple[bytes, int]]) -> list[int]:
    """The bitrates of all frames in the windows."""
    rates: list[int] = []
    for data, start in windows:
        position = start
        while frame := frame_at(data, position):
            rates.append(frame.bitrate)
            position += frame.length
    return rates


def _count(file: BinaryIO, audio: ByteRange, first: MpegFrame) -> int:
    """Samples in all whole frames, damage stepped over.

    Raises:
        NotAudioError: less than half of it is frames.
    """
    data = read_at(file, audio.start, audio.length)
    offset = samples = valid = 0
    while offset + _HEADER_BYTES <= len(data):
        frame = frame_at(data, offset)
        if frame and frame.kind == first.kind:
            if offset + frame.length <= len(data):
                samples += frame.samples
            valid += frame.length
            offset += frame.length
            continue
        following = find_frames(data, offset + 1, at_end=True)
        if following is None:
            break
        offset = following
    if valid < _LEAST_VALID_SHARE * len(data) or not samples:
        raise NotAudioError("most of it is damaged: too few whole MPEG audio frames")
    return samples
