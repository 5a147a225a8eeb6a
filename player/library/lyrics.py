"""Lyrics of a track, from a file of its name beside it (.lrc) or from its tags: lines, with their times where they have any."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embeddings.audio_file import open_regular
from player.library.tagging.blocks import decode_guess
from player.text import printable

LARGEST = 1 << 20
"""Bytes of a file of lyrics; an opera's libretto has a tenth of this."""
MOST_LINES = 5_000
_STAMP = re.compile(r"\[(\d{1,3}):(\d{1,2}(?:[.:]\d{1,3})?)\]")
_OFFSET = re.compile(r"\[offset:\s*([+-]?\d{1,7})\s*\]", re.IGNORECASE)
"""Milliseconds by which everything is sung earlier."""
_ABOUT = re.compile(r"\[[a-z#]+:.*\]$", re.IGNORECASE)
"""A line about the file, such as its title."""


@dataclass(frozen=True, slots=True)
class LyricsLine:
    """One line: its words, and at how many seconds it begins; None where the lyrics have no times."""

    words: str
    seconds: float | None = None


def read_lyrics(path: Path) -> tuple[LyricsLine, ...]:
    """The lyrics of an audio file: those with times before others, those beside it before those in it; nothing without any."""
    found = [lines for text in (_beside(path), *_within(path)) if text and (lines := parse_lyrics(text))]
    return next((lines for lines in found if lines[0].seconds is not None), found[0] if found else ())


def parse_lyrics(text: str) -> tuple[LyricsLine, ...]:
    """Lines of plain text or LRC: ``[mm:ss.xx]words``, several times before a line that comes back.

    >>> parse_lyrics("[00:12.50][01:02]La la")
    (LyricsLine(words='La la', seconds=12.5), LyricsLine(words='La la', seconds=62.0))
    """
    timed: list[LyricsLine] = []
    plain: list[LyricsLine] = []
    earlier = int(match[1]) / 1000 if (match := _OFFSET.search(text)) else 0.0
    for line in map(str.strip, text.splitlines()[:MOST_LINES]):
        words = printable(_STAMP.sub("", line)).strip()
        stamps = _STAMP.findall(line)
        moments = (int(minutes) * 60 + float(rest.replace(":", ".")) - earlier for minutes, rest in stamps)
        timed += [LyricsLine(words, max(0.0, moment)) for moment in moments]
        if not stamps and not _ABOUT.match(line):
            plain.append(LyricsLine(words))
    lines = sorted(timed, key=lambda line: line.seconds or 0.0) or plain
    return tuple(lines) if any(line.words for line in lines) else ()


def _beside(path: Path) -> str | None:
    for ending in (".lrc", ".LRC"):
        try:
            with open_regular(path.with_suffix(ending)) as file:
                return decode_guess(file.read(LARGEST)).removeprefix("\ufeff")
        except OSError:
            continue
    return None


def _within(path: Path) -> Iterator[str]:
    from player.library.tagging.fields import merge_fields  # noqa: PLC0415 - the screen that shows lyrics loads it, not every screen
    from player.library.tagging.reader import read_blocks  # noqa: PLC0415 - as above

    try:
        with open_regular(path) as file:
            fields = merge_fields(read_blocks(file, os.fstat(file.fileno()).st_size))
    except OSError:
        return
    for name in ("synced_lyrics", "lyrics"):
        yield from (text[:LARGEST] for text in fields.get(name, ()))
