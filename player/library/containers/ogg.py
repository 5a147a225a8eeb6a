"""Ogg (RFC 3533) with one Vorbis, Opus or FLAC stream: its packets, whatever pages they were cut into.

The payload is the packets' bytes end to end, without the header packets. Where pages begin and end does not show in it,
so growing comments (which move every later page) or another muxer's page size leave it as it was.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from player.library.containers.base import (
    WINDOW_BYTES,
    AudioInfo,
    NotAudioError,
    Probe,
    UnusualLayoutError,
    edges_of,
    read_at,
)
from player.library.containers.flac import parse_streaminfo

MAGIC = b"OggS"
_PAGE_HEADER_BYTES = 27
_LARGEST_PAGE = _PAGE_HEADER_BYTES + 255 + 255 * 255
_FIRST_PAGE = 0x02
_NO_GRANULE = -1
_EDGE_BYTES = 16 * 1024
"""Bytes sampled at either end. The middle is not: to find it the same way in any paging, all pages would be read.
Both codecs code silence in a few bytes, so the edges reach well into the music."""
_TAIL_BYTES = 64 * 1024
"""Bytes in which the last page is first looked for; four times as much each time it is not enough."""
_OPUS_RATE = 48000
_OPUS_HYBRID, _OPUS_CELT = 12, 16
"""The first configuration numbers of these modes; below them is SILK."""
MOST_HEADER_PAGES = 4096
"""Comments with a large picture take a few hundred pages; more is a file made to waste time."""
_MOST_JUNK = 256 * 1024
"""Bytes between two pages that are looked through for the next."""


_CRC_FIELD = slice(22, 26)


def _crc32_table() -> tuple[int, ...]:
    """The table of the checksum of RFC 3533, section 6: 0x04C11DB7, most significant bit first."""
    table: list[int] = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else value << 1
        table.append(value)
    return tuple(table)


_CRC32 = _crc32_table()


class _ChainError(Exception):
    """Several streams follow one another."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page's header."""

    start: int
    first: bool
    granule: int
    serial: int
    lacing: bytes

    @property
    def body(self) -> int:
        """The offset of the first byte of its packets."""
        return self.start + _PAGE_HEADER_BYTES + len(self.lacing)

    @property
    def end(self) -> int:
        """The offset after the page."""
        return self.body + sum(self.lacing)


def parse_page(data: bytes, offset: int, base: int) -> Page | None:
    """The page at ``data[offset]``, where ``data`` begins at ``base`` in the file; None when there is no whole header."""
    if data[offset : offset + 4] != MAGIC or offset + _PAGE_HEADER_BYTES > len(data):
        return None
    flags, granule, serial, _sequence, _crc, segments = struct.unpack_from("<BqIIIB", data, offset + 5)
    lacing = data[offset + _PAGE_HEADER_BYTES : offset + _PAGE_HEADER_BYTES + segments]
    if len(lacing) < segments:
        return None
    return Page(base + offset, bool(flags & _FIRST_PAGE), granule, serial, lacing)


def read_page(file: BinaryIO, offset: int) -> Page | None:
    """The page at ``offset`` of the file, or None."""
    return parse_page(read_at(file, offset, _PAGE_HEADER_BYTES + 255), 0, offset)


@dataclass(frozen=True, slots=True)
class _Stream:
    """The audio stream of a file: what its first packet says and where its audio begins."""

    codec: str
    serial: int
    sample_rate: int
    channels: int
    preskip: int
    longest_packet: int
    """Samples in the longest packet; 0 where the packets say themselves (Opus), or nothing does (FLAC)."""
    headers: int
    """Packets that precede the audio."""


@dataclass(frozen=True, slots=True)
class OggPayload:
    """The audio packets of one stream.

    Attributes:
        file: the open file.
        size: its length in bytes.
        serial: the stream's serial number.
        first: offset of the first page that holds audio.
        skip: bytes of that page that still belong to the headers.
        samples: the stream's length, part of its identity since the middle is not sampled.
    """

    file: BinaryIO
    size: int
    serial: int
    first: int
    skip: int
    samples: int

    def sample(self) -> Iterator[bytes]:
        """The length in samples, the first and the last 16 KiB."""
        yield b"%d:" % self.samples
        yield self._head()
        yield self._tail()

    def edges(self) -> Iterator[bytes]:
        """As :meth:`sample`, less of them."""
        yield self._head()[:WINDOW_BYTES]
        yield self._tail()[-WINDOW_BYTES:]

    def blocks(self) -> Iterator[bytes]:
        """All packets' bytes, a page at a time."""
        skip = self.skip
        for page in pages(self.file, self.first):
            if page.serial == self.serial:
                yield read_at(self.file, page.body, page.end - page.body)[skip:]
                skip = 0

    def _head(self) -> bytes:
        head = b""
        for block in self.blocks():
            head += block
            if len(head) >= _EDGE_BYTES:
                break
        return head[:_EDGE_BYTES]

    def _tail(self) -> bytes:
        for data, pages in _trailing_pages(self.file, self.size, self.first):
            base = self.size - len(data)
            mine = [page for page in pages if page.serial == self.serial]
            tail = b"".join(data[page.body - base : page.end - base] for page in mine)
            if mine and mine[0].start == self.first:
                tail = tail[self.skip :]
            elif len(tail) < _EDGE_BYTES:
                continue
            return tail[-_EDGE_BYTES:]
        return b""


def probe(file: BinaryIO, size: int, start: int = 0) -> Probe:
    """Understand an Ogg file, whose first page lies at ``start``.

    Raises:
        NotAudioError: its headers are damaged.
        UnusualLayoutError: another codec.
    """
    stream, first, skip, serials = _read_headers(file, start)
    try:
        end = _last_granule(file, size, first.start, stream.serial, serials)
    except _ChainError:
        return _probe_chain(file, start)
    samples = end - stream.preskip - _start(file, first, stream)
    if samples <= 0:
        raise UnusualLayoutError("the last page's position does not give a length")
    info = AudioInfo(stream.codec, samples / stream.sample_rate, stream.sample_rate, stream.channels)
    return Probe(info, OggPayload(file, size, stream.serial, first.start, skip, samples))


def pages(file: BinaryIO, offset: int) -> Iterator[Page]:
    """The pages from ``offset``; what lies between them and is none is stepped over, as FFmpeg does."""
    while page := read_page(file, offset) or _next_page(file, offset):
        yield page
        offset = page.end


def _next_page(file: BinaryIO, offset: int) -> Page | None:
    """The first page after ``offset`` with a right checksum, as far as junk is looked through."""
    data = read_at(file, offset, _MOST_JUNK)
    place = data.find(MAGIC)
    while place >= 0:
        if (page := parse_page(data, place, offset)) and _is_whole(data[place : page.end - offset]):
            return page
        place = data.find(MAGIC, place + 1)
    return None


def _read_headers(file: BinaryIO, start: int) -> tuple[_Stream, Page, int, frozenset[int]]:
    """The audio stream, the page where its audio begins, the header bytes on it, and the serials of all streams."""
    stream: _Stream | None = None
    serials: set[int] = set()
    packets = 0
    for count, page in enumerate(pages(file, start)):
        if count > MOST_HEADER_PAGES:
            break
        if page.first:
            serials.add(page.serial)
            if stream is None:
                stream = _identify(_checked(file, page), page.serial)
        if stream is None or page.serial != stream.serial:
            continue
        skip = 0
        for length in page.lacing:
            if packets == stream.headers:
                return stream, page, skip, frozenset(serials)
            skip += length
            packets += length < 255  # noqa: PLR2004 - a segment below 255 ends its packet
    if stream is None:
        raise UnusualLayoutError("no Vorbis, Opus or FLAC stream")
    raise NotAudioError("it ends before its audio begins")


def _checked(file: BinaryIO, page: Page) -> bytes:
    """The body of a stream's first page: its few bytes decide on everything, so their checksum is looked at."""
    data = read_at(file, page.start, page.end - page.start)
    if not _is_whole(data):
        raise NotAudioError("its first Ogg page is damaged")
    return data[page.body - page.start :]


def _is_whole(page: bytes) -> bool:
    """True where a page's checksum is that of its bytes."""
    crc = 0
    for byte in (*page[: _CRC_FIELD.start], 0, 0, 0, 0, *page[_CRC_FIELD.stop :]):
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC32[crc >> 24 ^ byte]
    return crc == int.from_bytes(page[_CRC_FIELD], "little")


def _identify(packet: bytes, serial: int) -> _Stream | None:
    """The stream that a first packet introduces, or None when it is not one of the codecs known here."""
    try:
        if packet.startswith(b"\x01vorbis"):
            channels, rate = struct.unpack_from("<BI", packet, 11)
            return _Stream("vorbis", serial, _positive(rate), channels, 0, 1 << (packet[28] >> 4) >> 1, 3)
        if packet.startswith(b"OpusHead"):
            channels, preskip = struct.unpack_from("<BH", packet, 9)
            return _Stream("opus", serial, _OPUS_RATE, channels, preskip, 0, 2)
        if packet.startswith(b"\x7fFLAC"):
            rate, channels, _total = parse_streaminfo(packet[17:])
            more = int.from_bytes(packet[7:9], "big")
            return _Stream("flac", serial, rate, channels, 0, 0, 1 + more) if more else None
    except (struct.error, IndexError) as error:
        raise NotAudioError("its first Ogg packet is damaged") from error
    return None


def _positive(rate: int) -> int:
    if rate <= 0:
        raise NotAudioError("its header says 0 Hz")
    return rate


@dataclass(frozen=True, slots=True)
class ChainPayload:
    """The packets of several streams one after another, headers and all: all of them are the sample."""

    file: BinaryIO
    start: int

    def sample(self) -> Iterator[bytes]:
        """All packets."""
        return self.blocks()

    def edges(self) -> Iterator[bytes]:
        """The first and the last of them."""
        return edges_of(self.blocks())

    def blocks(self) -> Iterator[bytes]:
        """All packets' bytes, a page at a time."""
        for page in pages(self.file, self.start):
            yield read_at(self.file, page.body, page.end - page.body)


def _probe_chain(file: BinaryIO, start: int) -> Probe:
    """Streams one after another: they last as long as all of them, and sound as the first says."""
    seconds, stream, opening = 0.0, None, None
    first, last, headers = None, 0, 0
    for page in pages(file, start):
        if page.first and (found := _identify(_checked(file, page), page.serial)):
            seconds += _link_seconds(file, stream, first, last)
            stream, first, last, headers = found, None, 0, 0
            opening = opening or found
        elif stream and page.serial == stream.serial:
            if first is None and headers >= stream.headers - 1 and page.granule > 0:
                first = page
            headers += sum(length < 255 for length in page.lacing)  # noqa: PLR2004 - a segment below 255 ends its packet
            last = max(last, page.granule)
    seconds += _link_seconds(file, stream, first, last)
    if opening is None or seconds <= 0:
        raise UnusualLayoutError("several streams of which none tells its length")
    return Probe(AudioInfo(opening.codec, seconds, opening.sample_rate, opening.channels), ChainPayload(file, start))


def _link_seconds(file: BinaryIO, stream: _Stream | None, first: Page | None, last: int) -> float:
    if stream is None or first is None:
        return 0.0
    return max(0, last - stream.preskip - _start(file, first, stream)) / stream.sample_rate


def _start(file: BinaryIO, first: Page, stream: _Stream) -> int:
    """Samples before the first page of a stream that was cut out of a longer one; 0 for all others.

    What the page's packets hold (Vorbis: can hold at most) is taken off its position.
    """
    if stream.codec == "flac":
        return 0
    packets = _packets(first.lacing)
    if stream.codec == "vorbis":
        return max(0, first.granule - len(packets) * stream.longest_packet)
    body = read_at(file, first.body, first.end - first.body)
    return max(0, first.granule - sum(_opus_samples(body[start : start + 2]) for start in packets))


def _packets(lacing: bytes) -> list[int]:
    """The places on a page where the packets that end on it begin."""
    starts: list[int] = []
    start = offset = 0
    for length in lacing:
        offset += length
        if length < 255:  # noqa: PLR2004 - a segment below 255 ends its packet
            starts.append(start)
            start = offset
    return starts


def _opus_samples(packet: bytes) -> int:
    """Samples at 48 kHz in the Opus packet that begins so (RFC 6716, 3.1 and 3.2)."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < _OPUS_HYBRID:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < _OPUS_CELT:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    counted = packet[1] & 63 if len(packet) > 1 else 0
    return frame * (1, 2, 2, counted)[code]


def _last_granule(file: BinaryIO, size: int, first: int, serial: int, serials: frozenset[int]) -> int:
    """The position after the last sample, from the last whole page of the stream."""
    for _data, pages in _trailing_pages(file, size, first):
        if any(page.serial not in serials for page in pages):
            raise _ChainError
        granules = [page.granule for page in pages if page.serial == serial and page.granule != _NO_GRANULE]
        if granules:
            return granules[-1]
    raise NotAudioError("it holds no whole page of audio")


def _trailing_pages(file: BinaryIO, size: int, first: int) -> Iterator[tuple[bytes, list[Page]]]:
    """The whole pages in the last bytes of the file, with those bytes; then in more of them, back to page ``first``."""
    window = _TAIL_BYTES
    while True:
        base = max(first, size - window)
        data = read_at(file, base, size - base)
        yield data, _whole_pages(data, base)
        if base == first:
            return
        window *= 4


def _whole_pages(data: bytes, base: int) -> list[Page]:
    """All pages that lie in ``data`` from end to end, junk between them stepped over."""
    pages: list[Page] = []
    offset = data.find(MAGIC)
    while offset >= 0:
        page = parse_page(data, offset, base)
        following = page.end - base if page else 0
        fits = page and following <= len(data)
        if page and fits and (following == len(data) or data[following : following + 4] == MAGIC):
            pages.append(page)
            offset = following if following < len(data) else -1
        elif page and fits and _is_whole(data[offset:following]):  # before junk
            pages.append(page)
            offset = data.find(MAGIC, following)
        else:
            offset = data.find(MAGIC, offset + 4)
    return pages
