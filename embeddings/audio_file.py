"""Opening untrusted audio files: regular files alone, and FFmpeg as a reader of that one file, silent and without detours.

Nothing here imports PyAV before a file is opened with it: FFmpeg takes a tenth of a second to load.
"""

import errno
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from av.container import InputContainer

AUDIO_DEMUXERS = (
    *(
        "aac",
        "ac3",
        "aiff",
        "amr",
        "amrnb",
        "amrwb",
        "ape",
        "asf",
        "au",
        "avi",
        "caf",
        "dsf",
        "dts",
        "eac3",
        "flac",
        "flv",
        "iff",
    ),
    *("matroska", "mov", "mp3", "mpc", "mpc8", "mpegts", "nut", "ogg", "oma", "rm", "shn"),
    *("tak", "tta", "voc", "w64", "wav", "wv"),
)
"""FFmpeg's demuxers that read audio out of one file. Playlists (hls, concat, dash …) would lead to other files and hosts."""

ONE_AUDIO_FILE = MappingProxyType({"protocol_whitelist": "none", "format_whitelist": ",".join(AUDIO_DEMUXERS)})
"""FFmpeg's options for a container that is read through an open file: no protocol is needed, so none is allowed. Who lets
FFmpeg open a path itself adds ``"protocol_whitelist": "file"``."""


def open_regular(path: Path) -> BinaryIO:
    """Open ``path`` for reading, never waiting: a named pipe or a device of that name is refused.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:  # a path with a NUL byte
        raise OSError(errno.EINVAL, f"no file can have that path ({error})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(descriptor, "rb")


_ID3V2_HEADER_BYTES = 10
_MOST_TAGS = 100
"""In front of one file; more is a file made to waste time."""
_MOST_ZEROS = 1024 * 1024
"""Looked through for what follows zeros at the start; broken downloads and some rippers leave some."""
_CONTAINERS = (
    b"fLaC",
    b"OggS",
    b"RIFF",
    b"RF64",
    b"FORM",
    b"wvpk",
    b"MAC ",
    b"\x30\x26\xb2\x75",
    b"MPCK",
    b"TTA1",
    b"caff",
    b".snd",
    b"\x1a\x45\xdf\xa3",
)
"""How containers begin that FFmpeg looks for at the very start of a file."""


def id3v2_length(header: bytes, magic: bytes = b"ID3") -> int:
    """The length of a whole ID3v2 tag from its 10-byte header or footer; 0 when it is none (ID3v2.4, 3.1 and 3.4)."""
    if len(header) < _ID3V2_HEADER_BYTES or not header.startswith(magic) or max(header[6:10]) > 0x7F:  # noqa: PLR2004 - syncsafe
        return 0
    length = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
    has_footer = header[5] & 0x10 or magic == b"3DI"
    return _ID3V2_HEADER_BYTES + length + (_ID3V2_HEADER_BYTES if has_footer else 0)


def front_tags(file: BinaryIO) -> tuple[list[tuple[int, int]], int]:
    """(Offset, length) of the ID3v2 tags in front of a file, and where what follows them, and zeros between them, begins."""
    tags: list[tuple[int, int]] = []
    start = 0
    for _ in range(_MOST_TAGS):
        file.seek(start)
        head = file.read(_ID3V2_HEADER_BYTES)
        if length := id3v2_length(head):
            tags.append((start, length))
            start += length
            continue
        if not head or any(head):
            break
        file.seek(start)
        zeros = file.read(_MOST_ZEROS)
        rest = zeros.lstrip(b"\0")
        if not rest:
            break
        start += len(zeros) - len(rest)
    return tags, start


def container_start(file: BinaryIO) -> int:
    """The offset of a container that lies behind tags or zeros, where FFmpeg has to be given the file from there; else 0."""
    _tags, start = front_tags(file)
    file.seek(start)
    head = file.read(8)
    return start if head.startswith(_CONTAINERS) or head[4:] == b"ftyp" else 0


@dataclass(frozen=True, slots=True)
class AudioPart:
    """A part of an audio file, between two places in seconds; an ``end`` of 0 is the file's."""

    path: Path
    start: float
    end: float


Audio: TypeAlias = Path | AudioPart
"""A whole file, or a part of one."""


def as_part(audio: Audio) -> AudioPart:
    """The part that a whole file is."""
    return audio if isinstance(audio, AudioPart) else AudioPart(audio, 0.0, 0.0)


class _Reader:
    """An open file as FFmpeg reads it: an exception in a callback would be printed on the terminal.

    A place it cannot seek to is an answer; a failed read is the file's end, and kept for :func:`open_audio` to raise.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = container_start(file)
        self.failure: OSError | None = None
        file.seek(self._start)

    def tell(self) -> int:
        """The place, counted from where the container begins."""
        return self._file.tell() - self._start

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        try:
            return self._file.read(size)
        except OSError as error:
            self.failure = error
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The new position, or -1."""
        try:
            ahead = self._start if whence == os.SEEK_SET else 0
            return self._file.seek(offset + ahead, whence) - self._start
        except (OSError, ValueError):
            return -1


@contextmanager
def open_audio(
    file: BinaryIO, options: Mapping[str, str] = MappingProxyType({}), *, demuxer: str | None = None
) -> "Generator[InputContainer]":
    """The file as a container of streams; names that tags spell in some other encoding do not matter here.

    Args:
        file: open for reading.
        options: FFmpeg's, for the container.
        demuxer: FFmpeg's name of the only one to try; by default those of :data:`AUDIO_DEMUXERS` are.

    Raises:
        FFmpegError: it is no container of audio, or is damaged.
        OSError: the file cannot be read.
    """
    import av  # noqa: PLC0415 - loaded only where a file is opened
    import av.logging  # noqa: PLC0415 - as above

    av.logging.set_level(None)  # FFmpeg's own log would be written over the screen
    reader = _Reader(file)
    try:
        with av.open(
            reader, mode="r", format=demuxer, options={**options, **ONE_AUDIO_FILE}, metadata_errors="replace"
        ) as container:
            yield container
    finally:
        if reader.failure is not None:
            raise reader.failure
