"""Containers: where in a file the audio lies and how long it lasts. The content decides, never the file's name."""

from typing import BinaryIO

from player.library.containers import demuxed, flac, mp4, mpeg, ogg, riff
from player.library.containers.base import (
    AudioInfo,
    ByteRange,
    Framing,
    NotAudioError,
    Payload,
    Probe,
    ProtectedError,
    UnusualLayoutError,
    find_tags,
    read_at,
)

__all__ = ["AudioInfo", "NotAudioError", "Payload", "Probe", "container_at", "find_tags", "probe"]

_HEAD_BYTES = 64
_TEXT_BYTES = 512
_MAGICS = (
    (0, flac.MAGIC, "flac"),
    (0, ogg.MAGIC, "ogg"),
    (4, mp4.MAGIC, "mov"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"MAC ", "ape"),
    (0, b"wvpk", "wv"),
    (0, b"MPCK", "mpc8"),
    (0, b"MP+", "mpc"),
    (0, b"TTA1", "tta"),
    (0, b"tBaK", "tak"),
    (0, b"DSD ", "dsf"),
    (0, b"caff", "caf"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b".snd", "au"),
    (0, b"#!AMR", "amr"),
    (0, b"\x0b\x77", "ac3"),
    (0, b"\x7f\xfe\x80\x01", "dts"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
)
"""(Offset, bytes, FFmpeg's name of the demuxer)."""
_ADTS = (b"\xff\xf1", b"\xff\xf9")


_OTHER_MAGICS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"%PDF", b"PK\x03\x04", b"SQLite format", b"Rar!", b"7z\xbc\xaf")
"""Pictures, documents and archives, which lie in every music folder: FFmpeg need not be asked about each."""
_IN_TEXT = b"\t\n\r\x1b" + bytes({*range(ord(" "), 256)} - {ord("\x7f")})
"""All bytes that text may have."""
_RAW_FRAMES = frozenset({"mp3", "aac", "ac3", "eac3", "dts", "mpegts"})
"""Formats without a magic number, which FFmpeg also hears in bytes that are something else."""
_LOWEST_RATE, _HIGHEST_RATE = 100, 1_536_000
"""Hz; what claims to lie outside is damaged or made to fill the memory."""


def container_at(file: BinaryIO, start: int) -> str | None:
    """FFmpeg's name for the container that begins at ``start``, or None when nothing does; "mp3" is the last guess."""
    head = read_at(file, start, _HEAD_BYTES)
    for offset, magic, name in _MAGICS:
        if head[offset : offset + len(magic)] == magic:
            return name
    if head.startswith(riff.WAV_MAGICS) and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(riff.AIFF_MAGIC) and head[8:12] in {b"AIFF", b"AIFC"}:
        return "aiff"
    if head.startswith(_ADTS):
        return "aac"
    return "mp3" if head.strip(b"\0") or start else None


def probe(file: BinaryIO, size: int, *, named: bool = True, framing: Framing | None = None) -> Probe:
    """Understand the open file of ``size`` bytes: by the parsers here, and where they do not, by FFmpeg.

    Args:
        file: open for reading.
        size: its bytes.
        named: its name says that it is audio, so that raw frames are believed.
        framing: the tags at its ends, where they are known.

    Raises:
        NotAudioError: it is not audio, or too damaged; the text says why.
    """
    if size == 0:
        raise NotAudioError("it is empty")
    whole = (framing or find_tags(file, size)).audio
    container = container_at(file, whole.start)
    if container == "mp3":  # the last guess
        _refuse_others(read_at(file, 0, _TEXT_BYTES))
    try:
        found = _probe_as(file, size, container, whole)
    except ProtectedError:
        raise
    except (UnusualLayoutError, NotAudioError) as error:
        found = _by_ffmpeg(file, error)
        if not named and container == "mp3" and found.container in _RAW_FRAMES:
            raise NotAudioError("it is not audio") from error
    if found.info.duration <= 0:
        raise NotAudioError("it holds no audio")
    if not _LOWEST_RATE <= found.info.sample_rate <= _HIGHEST_RATE:
        raise NotAudioError(f"its header says {found.info.sample_rate:,} Hz, which no sound has")
    return found if found.container else Probe(found.info, found.payload, container or "")


def _refuse_others(head: bytes) -> None:
    """Raise NotAudioError for the beginning of what lies beside music and is none."""
    if _is_text(head):
        raise NotAudioError("it holds text, not audio")
    if head.startswith(_OTHER_MAGICS):
        raise NotAudioError("it holds a picture, a document or an archive, not audio")


def _by_ffmpeg(file: BinaryIO, because: Exception) -> Probe:
    """The file as FFmpeg understands it, which decides: it plays it.

    Raises:
        NotAudioError: it does not; where a parser here knows why, in that one's words.
    """
    try:
        return demuxed.probe(file)
    except NotAudioError:
        if isinstance(because, NotAudioError):
            raise because from None
        raise


def _probe_as(file: BinaryIO, size: int, container: str | None, whole: ByteRange) -> Probe:
    start = whole.start
    match container:
        case "flac":
            return flac.probe(file, whole)
        case "ogg":
            return ogg.probe(file, size, start)
        case "mov" if start == 0:
            return mp4.probe(file, size)
        case "wav":
            return riff.probe_wav(file, size, start)
        case "aiff":
            return riff.probe_aiff(file, size, start)
        case "mp3":
            return mpeg.probe(file, whole)
        case None:
            raise NotAudioError("it begins with zeros, not audio")
        case _:
            raise UnusualLayoutError(container)


def _is_text(head: bytes) -> bool:
    return not (head.startswith(b"ID3") or head.translate(None, _IN_TEXT)) and _is_utf8(head)


def _is_utf8(head: bytes) -> bool:
    try:
        head[:-4].decode() if len(head) == _TEXT_BYTES else head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 8  # a character cut at the end of what was read
    return True
