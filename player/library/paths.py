"""Paths as text that can be stored and shown, and turned back."""

import os
import re
import unicodedata
from pathlib import Path

FRAMES_PER_SECOND = 75
"""The unit of cue sheets: sectors of a CD."""
_PART = "//track"
"""Between a file and the track within it; a normalised path never has two slashes, and no byte is written with a "t"."""
_ESCAPE = re.compile(r"//([0-9a-f]{2})")
_PRIVATE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories that never reach the terminal raw: control, invisible, undecodable, and line separators."""


def path_to_text(path: str | Path) -> str:
    r"""A path as printable text that SQLite can store, and that :func:`text_to_path` turns back exactly.

    Linux file names are bytes. Those that are not UTF-8, and control or invisible characters (which could write to the
    listener's terminal), become ``//`` and two hexadecimal digits a byte. A normalised path never has two slashes in a
    row, so nothing else looks like that; all common names stay as they are.

    >>> path_to_text("/music/Beyoncé/Halo.mp3")
    '/music/Beyoncé/Halo.mp3'
    >>> path_to_text(os.fsdecode(b"/music/Beyonc\xe9/Halo.mp3"))
    '/music/Beyonc//e9/Halo.mp3'
    """
    text = os.fspath(path)
    if text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _PRIVATE:
        return character
    return "".join(f"//{byte:02x}" for byte in os.fsencode(character))


def text_to_path(text: str) -> Path:
    """The path that :func:`path_to_text` made ``text`` of, to open the file with."""
    if "//" not in text:
        return Path(text)
    pieces = _ESCAPE.split(file_of(text))
    names = [bytes([int(piece, 16)]) if odd % 2 else os.fsencode(piece) for odd, piece in enumerate(pieces)]
    return Path(os.fsdecode(b"".join(names)))


def part_to_text(file: str, number: int, start: int, end: int | None) -> str:
    """The text that stands for a track within a file, from one CD frame to another; None for the file's end.

    >>> part_to_text("/music/album.flac", 3, 22_050, None)
    '/music/album.flac//track03@22050-'
    """
    return f"{file}{_PART}{number:02}@{start}-{'' if end is None else end}"


def file_of(text: str) -> str:
    """The file, as text, that a track lies in or is."""
    return text.partition(_PART)[0]


def part_of(text: str) -> str:
    """The track within a file as MPD names it ("track0003"); empty where the track is the whole file."""
    number = text.partition(_PART)[2].partition("@")[0]
    return number and f"track{int(number):04}"


def span_of(text: str) -> tuple[float, float]:
    """The seconds of its file from and to which a track lasts; an end of 0 is the file's."""
    times = text.partition(_PART)[2].partition("@")[2]
    start, _, end = times.partition("-")
    return int(start or 0) / FRAMES_PER_SECOND, int(end or 0) / FRAMES_PER_SECOND
