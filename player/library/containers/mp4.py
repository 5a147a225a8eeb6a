"""MP4 and M4A (ISO/IEC 14496-12): the samples of the first sound track, wherever ``moov`` and ``mdat`` lie."""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import BinaryIO

from player.library.containers.base import (
    AudioInfo,
    ByteRange,
    NotAudioError,
    Probe,
    ProtectedError,
    RangePayload,
    UnusualLayoutError,
    read_at,
)

MAGIC = b"ftyp"
_LARGEST_INDEX = 256 * 1024 * 1024
"""``moov`` with a large picture takes a few MiB; more than this is a file made to fill the memory."""
_MOST_SAMPLES = 50_000_000
"""Twelve days of AAC; a table that claims more is not believed."""
_CODECS = {b"alac": "alac", b"fLaC": "flac", b"Opus": "opus", b"ac-3": "ac3", b"ec-3": "eac3", b".mp3": "mp3"}
_ENCRYPTED = frozenset({b"drms", b"enca", b"aavd"})
_OBJECT_TYPES = {0x40: "aac", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6B: "mp3"}
"""ObjectTypeIndication of the esds box (mp4ra.org)."""
_ENTRY_BYTES = 36
"""A version-0 sound sample entry with its box header, after which its own boxes begin."""


class Box:
    """A box in memory, with its children looked up by name."""

    def __init__(self, data: memoryview) -> None:
        self.data = data

    def children(self, offset: int = 0) -> Iterator[tuple[bytes, "Box"]]:
        """Names and bodies of the boxes from ``offset``; stops at the first that does not fit."""
        while offset + 8 <= len(self.data):
            length, name = struct.unpack_from(">I4s", self.data, offset)
            header = 8
            if length == 1 and offset + 16 <= len(self.data):
                (length,) = struct.unpack_from(">Q", self.data, offset + 8)
                header = 16
            elif length == 0:
                length = len(self.data) - offset
            if length < header or offset + length > len(self.data):
                return
            yield name, Box(self.data[offset + header : offset + length])
            offset += length

    def find(self, *names: bytes) -> "Box | None":
        """The first box at the end of this path of names."""
        box: Box | None = self
        for name in names:
            box = next((child for found, child in box.children() if found == name), None) if box else None
        return box

    def need(self, *names: bytes) -> "Box":
        """As :meth:`find`.

        Raises:
            NotAudioError: it is missing.
        """
        if found := self.find(*names):
            return found
        raise NotAudioError(f"its MP4 index lacks “{names[-1].decode('latin-1')}”")

    def numbers(self, layout: str, offset: int = 0) -> tuple[int, ...]:
        """Big-endian fields."""
        return struct.unpack_from(">" + layout, self.data, offset)

    def table(self, columns: int, width: str = "I") -> list[tuple[int, ...]]:
        """The rows of a full box that holds a count and rows of ``columns`` numbers."""
        (count,) = self.numbers("I", 4)
        row = struct.Struct(">" + width * columns)
        count = min(count, (len(self.data) - 8) // row.size)
        return list(row.iter_unpack(self.data[8 : 8 + count * row.size]))


@dataclass(frozen=True, slots=True)
class _Track:
    """The tables of a sound track."""

    bytes_before: Sequence[int]
    """Bytes of all samples before each, and of all of them (an MP4 sample is one encoded packet)."""
    spans: list[tuple[int, int]]
    """(Offset, samples) of every chunk."""
    timescale: int
    durations: list[tuple[int, int]]
    """(Samples, ticks each)."""


def probe(file: BinaryIO, size: int) -> Probe:
    """Understand an MP4 file.

    Raises:
        NotAudioError: no index, no sound, damaged, or encrypted.
        UnusualLayoutError: fragments, or a codec unknown here.
    """
    moov = Box(memoryview(read_index(file, size)))
    try:
        trak = _sound_track(moov)
        if moov.find(b"mvex"):
            raise UnusualLayoutError("fragmented MP4")
        stbl = trak.need(b"mdia", b"minf", b"stbl")
        codec, rate, channels = _describe(stbl)
        track = _read_track(trak, stbl)
        spans, whole = _locate(track, size)
        if sum(span.length for span in spans) > size:
            raise NotAudioError("its MP4 index is damaged: it points to the same bytes more than once")
        heard = _heard(moov, trak, track, whole)
    except struct.error as error:
        raise NotAudioError("its MP4 index is damaged") from error
    if not spans or heard <= 0 or rate <= 0 or channels <= 0:
        raise NotAudioError("it holds no audio")
    return Probe(AudioInfo(codec, heard, rate, channels), RangePayload(file, tuple(spans)))


def read_index(file: BinaryIO, size: int, offset: int = 0) -> bytes:
    """The body of the ``moov`` box, of boxes that begin at ``offset``."""
    while offset + 8 <= size:
        header = read_at(file, offset, 16)
        length, name = struct.unpack_from(">I4s", header)
        start = 8
        if length == 1 and len(header) == 16:  # noqa: PLR2004 - with a 64-bit length
            length, start = int.from_bytes(header[8:], "big"), 16
        elif length == 0:
            length = size - offset
        if length < start:
            break
        if name == b"moov":
            if length > min(_LARGEST_INDEX, size - offset):
                break
            return read_at(file, offset + start, length - start)
        offset += length
    raise NotAudioError("its MP4 index (moov) is missing: the file was cut short or never finished")


def _sound_track(moov: Box) -> Box:
    for name, box in moov.children():
        if name == b"trak":
            handler = box.find(b"mdia", b"hdlr")
            if handler and bytes(handler.data[8:12]) == b"soun":
                return box
    raise NotAudioError("it holds no sound track")


def _describe(stbl: Box) -> tuple[str, int, int]:
    """Codec, sample rate and channels of the track's first sample description."""
    stsd = stbl.need(b"stsd").data[8:]
    length, name = struct.unpack_from(">I4s", stsd)
    if name in _ENCRYPTED:
        raise ProtectedError("it is encrypted (DRM) and only its shop's program can play it")
    entry = Box(stsd[:length])
    channels, _bits, _id, _packet, rate = entry.numbers("HHHHI", 24)
    codec = _CODECS.get(name)
    if name == b"mp4a" and entry.numbers("H", 16) == (0,):
        esds = next((box for found, box in entry.children(_ENTRY_BYTES) if found == b"esds"), None)
        codec = _OBJECT_TYPES.get(_object_type(bytes(esds.data))) if esds else None
    if codec is None:
        raise UnusualLayoutError("another codec in MP4")
    return codec, rate >> 16, channels


def _object_type(esds: bytes) -> int:
    """The ObjectTypeIndication inside nested descriptors ES (3) and DecoderConfig (4); 0 when there is none."""
    offset = 4
    while offset < len(esds):
        tag = esds[offset]
        offset += 1
        while offset < len(esds) and esds[offset] & 0x80:
            offset += 1
        offset += 1
        if tag == 4:  # noqa: PLR2004 - DecoderConfigDescriptor
            return esds[offset] if offset < len(esds) else 0
        if tag != 3:  # noqa: PLR2004 - ES_Descriptor: id and flags, then what they announce
            return 0
        flags = esds[offset + 2] if offset + 2 < len(esds) else 0
        offset += 3 + (2 if flags & 0x80 else 0) + (2 if flags & 0x20 else 0)
    return 0


def _read_track(trak: Box, stbl: Box) -> _Track:
    header = trak.need(b"mdia", b"mdhd")
    long_header = header.data[0] == 1
    (timescale,) = header.numbers("I", 20 if long_header else 12)
    bytes_before = _bytes_before(stbl.need(b"stsz"))
    small = stbl.find(b"stco")
    offsets = small.table(1) if small else stbl.need(b"co64").table(1, "Q")
    runs = stbl.need(b"stsc").table(3)
    if timescale == 0 or not runs:
        raise NotAudioError("its MP4 index is damaged")
    return _Track(bytes_before, _chunks([row[0] for row in offsets], runs), timescale, _pairs(stbl.need(b"stts")))


def _pairs(stts: Box) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in stts.table(2)]


def _bytes_before(stsz: Box) -> Sequence[int]:
    common, count = stsz.numbers("II", 4)
    if count > _MOST_SAMPLES:
        raise NotAudioError("its MP4 index is damaged")
    if common:  # a count is no reason to fill the memory
        return range(0, common * count + 1, common)
    sizes = struct.unpack_from(f">{min(count, (len(stsz.data) - 12) // 4)}I", stsz.data, 12)
    return [0, *accumulate(sizes)]


def _chunks(offsets: list[int], runs: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """(Offset, samples) of every chunk; ``runs`` says from which chunk (from 1) on there are how many samples in each."""
    if any(later[0] < earlier[0] for earlier, later in pairwise(runs)):  # runs that overlap would multiply the chunks
        raise NotAudioError("its MP4 index is damaged")
    chunks: list[tuple[int, int]] = []
    following = [row[0] for row in runs[1:]] + [len(offsets) + 1]
    for (first, samples, _description), after in zip(runs, following, strict=True):
        chunks.extend((offset, samples) for offset in offsets[max(0, first - 1) : max(0, after - 1)])
    return chunks


def _locate(track: _Track, size: int) -> tuple[list[ByteRange], int]:
    """The byte ranges of all samples that the file still holds, neighbours merged, and how many samples that is."""
    bytes_before = track.bytes_before
    spans: list[ByteRange] = []
    sample = 0
    for offset, count in track.spans:
        after = min(sample + count, len(bytes_before) - 1)
        length = bytes_before[after] - bytes_before[sample]
        if offset + length > size:
            after = max(sample, bisect_right(bytes_before, size - offset + bytes_before[sample]) - 1)
            length = bytes_before[after] - bytes_before[sample]
            if length:
                spans.append(ByteRange(offset, length))
            return spans, after
        if spans and spans[-1].end == offset:
            spans[-1] = ByteRange(spans[-1].start, spans[-1].length + length)
        elif length:
            spans.append(ByteRange(offset, length))
        sample = after
    return spans, sample


def _heard(moov: Box, trak: Box, track: _Track, whole: int) -> float:
    """Seconds of the first ``whole`` samples, without what the edit list leaves out (encoder delay and padding)."""
    ticks, left = 0, whole
    for count, each in track.durations:
        ticks += min(count, left) * each
        left -= min(count, left)
    coded = ticks / track.timescale
    elst, mvhd = trak.find(b"edts", b"elst"), moov.find(b"mvhd")
    if elst is None or mvhd is None:
        return coded
    (timescale,) = mvhd.numbers("I", 20 if mvhd.data[0] == 1 else 12)
    edits = elst.table(3) if elst.data[0] == 0 else []  # version 1 (64-bit) is for films
    played = [(length, start) for length, start, _rate in edits if start != 0xFFFFFFFF]  # noqa: PLR2004 - an empty edit
    if len(played) != 1 or timescale == 0:
        return coded
    length, start = played[0]
    rest = max(0.0, coded - start / track.timescale)
    return min(length / timescale, rest) if length else rest
