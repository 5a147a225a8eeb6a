"""Paths as text that can be stored and shown, and turned back."""

import os
import re
import unicodedata
from pathlib import Path

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
    pieces = _ESCAPE.split(text)
    names = [bytes([int(piece, 16)]) if odd % 2 else os.fsencode(piece) for odd, piece in enumerate(pieces)]
    return Path(os.fsdecode(b"".join(names)))
