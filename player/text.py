"""Texts of unknown origin made fit for a terminal, a file or a picture."""

import unicodedata

UNKNOWN_ARTIST = "Unknown artist"
"""Shown for a file without an artist; files without one are not taken to be by the same person anywhere else."""
LONGEST_TEXT = 500
"""Characters kept of one tag; the longest real titles (of symphonies) stay below 300."""
_KEPT_FORMAT = "\u200c\u200d"
"""Joiners, without which Persian words and some emoji fall apart; other invisible characters can turn text around."""


def printable(text: str, instead: str = " ") -> str:
    """``text`` with ``instead`` for every character that is not printable: controls of a terminal, ends of lines, halves of surrogates."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else instead for letter in text)


def clean_text(text: str) -> str:
    """``text`` on one line, without control and invisible characters, in NFC, at most 500 characters."""
    if not (text.isascii() and text.isprintable()):
        kept = (_replacement(character) for character in text[: 4 * LONGEST_TEXT])
        text = unicodedata.normalize("NFC", "".join(kept))
    return " ".join(text.split())[:LONGEST_TEXT].rstrip()


def _replacement(character: str) -> str:
    """The character itself, a space for what separates lines or controls a terminal, nothing for what is invisible."""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    if category in {"Cs", "Cf", "Cn", "Co"} and character not in _KEPT_FORMAT:
        return ""
    return character
