"""Lyrics of a track, from a file of its name beside it (.lrc) or from its tags: lines, with their times where they have any."""

import re
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag

from embeddings.audio_file import open_regular
from player.text import printable

LARGEST = 1 << 20
"""Bytes of a file of lyrics; an opera's libretto has a tenth of this."""
MOST_LINES = 5_000
_STAMP = re.compile(r"\[(\d{1,3}):(\d{1,2}(?:[.:]\d{1,3})?)\]")
_ABOUT = re.compile(r"\[[a-z#]+:.*\]$", re.IGNORECASE)
"""A line about the file, such as its title."""


@dataclass(frozen=True, slots=True)
class LyricsLine:
    """One line: its words, and at how many seconds it begins; None where the lyrics have no times."""

    words: str
    seconds: float | None = None


def read_lyrics(path: Path) -> tuple[LyricsLine, ...]:
    """The lyrics of an audio file; nothing without any that can be read."""
    text = _beside(path) or _within(path)
    return () if text is None else parse_lyrics(text)


def parse_lyrics(text: str) -> tuple[LyricsLine, ...]:
    """Lines of plain text or LRC: ``[mm:ss.xx]words``, several times before a line that comes back.

    >>> parse_lyrics("[00:12.50][01:02]La la")
    (LyricsLine(words='La la', seconds=12.5), LyricsLine(words='La la', seconds=62.0))
    """
    timed: list[LyricsLine] = []
    plain: list[LyricsLine] = []
    for line in map(str.strip, text.splitlines()[:MOST_LINES]):
        words = printable(_STAMP.sub("", line)).strip()
        stamps = _STAMP.findall(line)
        timed += [LyricsLine(words, int(minutes) * 60 + float(rest.replace(":", "."))) for minutes, rest in stamps]
        if not stamps and not _ABOUT.match(line):
            plain.append(LyricsLine(words))
    return tuple(sorted(timed, key=lambda line: line.seconds or 0.0)) if timed else tuple(plain)


def _beside(path: Path) -> str | None:
    for ending in (".lrc", ".LRC"):
        try:
            with open_regular(path.with_suffix(ending)) as file:
                return file.read(LARGEST).decode("utf-8", "replace").removeprefix("\ufeff")
        except OSError:
            continue
    return None


def _within(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            found = TinyTag.get(file_obj=file, duration=False).other.get("lyrics")
    except Exception:  # noqa: BLE001 - a hostile file finds the way that nobody foresaw, and has no lyrics then
        return None
    return str(found[0])[:LARGEST] if found else None
