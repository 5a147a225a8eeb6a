"""Containers: where in a file the audio lies and how long it lasts. The content decides, never the file's name."""

from typing import BinaryIO

from player.library.containers import demuxed, flac, mp4, mpeg, ogg, riff
from player.library.containers.base import (
    AudioInfo,
    NotAudioError,
    Payload,
    Probe,
    UnusualLayoutError,
    read_at,
    untagged,
)

__all__ = ["AudioInfo", "NotAudioError", "Payload", "Probe", "demuxer_of", "probe"]

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
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
)
"""(Offset, bytes, FFmpeg's name of the demuxer)."""
_ADTS = (b"\xff\xf1", b"\xff\xf9")


def demuxer_of(file: BinaryIO, size: int) -> str | None:
    """FFmpeg's name for the container that the content shows, or None when it shows none; "mp3" is the last guess."""
    start = untagged(file, size).start
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


def probe(file: BinaryIO, size: int) -> Probe:
    """Understand the open file of ``size`` bytes.

    Raises:
        NotAudioError: it is not audio, or too damaged; the text says why.
    """
    if size == 0:
        raise NotAudioError("it is empty")
    demuxer = demuxer_of(file, size)
    if demuxer is None:
        raise NotAudioError("it begins with zeros, not audio")
    try:
        found = _probe_as(file, size, demuxer)
    except UnusualLayoutError:
        found = demuxed.probe(file, demuxer)
    if found.info.duration <= 0:
        raise NotAudioError("it holds no audio")
    return found


def _probe_as(file: BinaryIO, size: int, demuxer: str) -> Probe:
    match demuxer:
        case "flac":
            return flac.probe(file, size)
        case "ogg":
            return ogg.probe(file, size)
        case "mov":
            return mp4.probe(file, size)
        case "wav":
            return riff.probe_wav(file, size)
        case "aiff":
            return riff.probe_aiff(file, size)
        case "mp3":
            return _probe_frames(file, size)
        case _:
            raise UnusualLayoutError(demuxer)


def _probe_frames(file: BinaryIO, size: int) -> Probe:
    """MPEG audio, the one kind without a magic number; tells text apart, for a sentence that helps."""
    try:
        return mpeg.probe(file, size)
    except NotAudioError:
        head = read_at(file, 0, _TEXT_BYTES)
        if _is_text(head):
            raise NotAudioError("it holds text, not audio") from None
        raise


def _is_text(head: bytes) -> bool:
    printable = sum(byte in b"\t\n\r\x1b" or byte >= 32 for byte in head)  # noqa: PLR2004 - the space character
    return printable == len(head) and not head.startswith(b"ID3") and b"\x7f" not in head and _is_utf8(head)


def _is_utf8(head: bytes) -> bool:
    try:
        head[:-4].decode() if len(head) == _TEXT_BYTES else head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 8  # a character cut at the end of what was read
    return True
