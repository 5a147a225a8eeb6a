"""Chained Ogg (RFC 3533, section 4): several streams one after the other in one file, each with its own headers.

FFmpeg reads the first link and gives up, or guesses, where the next has other parameters. So each link is handed to it as a
file of its own.
"""

import io
import struct
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"OggS"
_HEADER_BYTES = 27
_FIRST_PAGE = 0x02
_TAIL_BYTES = 70_000
"""More than the largest page (65,307 bytes), so that the last page begins in it."""
MOST_LINKS = 10_000
"""A file with more is made to waste time; what follows is not played."""


class FilePart(io.RawIOBase):
    """A stretch of a file that reads and seeks as if it were all."""

    def __init__(self, path: str, start: int, end: int) -> None:
        self._file: BinaryIO = Path(path).open("rb")  # noqa: SIM115 - closed with this object
        self._start, self._length, self._place = start, end - start, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, counted from the stretch's start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        """The place, counted from the stretch's start."""
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """Bytes up to the stretch's end."""
        left = max(0, self._length - self._place)
        self._file.seek(self._start + self._place)
        data = self._file.read(left if size < 0 else min(size, left))
        self._place += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def ogg_links(path: str) -> list[tuple[int, int]]:
    """The links of an Ogg file as (start, end) in bytes; empty where it is no Ogg file or has one link only.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as file:
        first = _page(file, 0)
        if first is None or not _ends_with_another(file, first[1]):
            return []
        size = file.seek(0, io.SEEK_END)
        starts: list[int] = []
        place, in_headers = 0, False
        while (page := _page(file, place)) is not None and len(starts) < MOST_LINKS:
            begins = page[0]
            if begins and not in_headers:
                starts.append(place)
            place, in_headers = page[2], begins
    return list(zip(starts, [*starts[1:], size], strict=True)) if len(starts) > 1 else []


def _page(file: BinaryIO, place: int) -> tuple[bool, int, int] | None:
    """Of the page at a place: whether a stream begins there, its serial number, and where the page ends."""
    file.seek(place)
    header = file.read(_HEADER_BYTES + 255)
    if header[:4] != _MAGIC or len(header) < _HEADER_BYTES:
        return None
    segments = header[26]
    body = sum(header[_HEADER_BYTES : _HEADER_BYTES + segments])
    return bool(header[5] & _FIRST_PAGE), _serial(header), place + _HEADER_BYTES + segments + body


def _ends_with_another(file: BinaryIO, serial: int) -> bool:
    """Whether the last page is not of the first stream, which most files need no more than to be told apart by."""
    file.seek(0, io.SEEK_END)
    file.seek(max(0, file.tell() - _TAIL_BYTES))
    tail = file.read()
    last = tail.rfind(_MAGIC)
    return last >= 0 and len(tail) - last >= _HEADER_BYTES and _serial(tail[last:]) != serial


def _serial(header: bytes) -> int:
    return int(struct.unpack_from("<I", header, 14)[0])
