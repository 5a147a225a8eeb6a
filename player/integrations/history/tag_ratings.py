"""Ratings in the tags of one's own files, on the scale of whoever wrote them.

POPM (ID3) holds 0…255: Windows Media Player and its many followers write 1, 64, 128, 196 and 255 for one to five stars, others in
equal steps, so that a byte becomes the stars whose mark lies nearest; FMPS and Quod Libet write 0…1, ``RATING`` of Vorbis comments 0…5 or 0…100.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embeddings.audio_file import open_regular
from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError
from player.integrations.history.entries import Item, LeftOut, TrackName
from player.integrations.history.play_counts import Totals, entries_of
from player.library.paths import path_to_text
from player.library.tagging.reader import read_blocks
from player.text import printable

SOURCE = "tags"
UNRATED = "files without a rating"
UNCLEAR = "ratings between like and dislike"
_POPM_MARKS = (1, 64, 128, 196, 255)
_WINDOWS_MARKS = (1, 25, 50, 75, 99)
"""What one to five stars are in each."""
_FIELDS = frozenset({"FMPSRATING", "RATING", "RATE"})
_AUDIO = re.compile(r"\.(mp3|flac|ogg|oga|opus|m4a|mp4|wma|wv|ape|mpc|aif|aiff|wav)$")
_WHOLE, _FIVE, _PERCENT, _BYTE = 1.0, 5.0, 100.0, 255.0


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as it is tagged: who wrote it (a program in ID3, else a tag system and a field), and the value as text."""

    writer: str
    value: str


def read_ratings(path: Path) -> tuple[Rating, ...]:
    """All ratings in an audio file, by whoever wrote them; what their scales mean is for the reader to know.

    Raises:
        OSError: it cannot be read.
    """
    found: list[Rating] = []
    with open_regular(path) as file:
        blocks = read_blocks(file, os.fstat(file.fileno()).st_size)
    for block in [block for block in blocks if block.system != "ffmpeg"] or blocks:
        for value in block.values.get("POPM", ()):
            number, _, writer = value.partition(" ")
            found.append(Rating(printable(writer), number))
        for name in ("FMPSRATING", "RATING", "SHAREDUSERRATING", "RATE"):
            found += [Rating(f"{block.system} {name}", printable(value)) for value in block.values.get(name, ())]
    return tuple(found)


def read_tag_ratings(export: Export) -> Iterator[Item]:
    """The ratings of every audio file below a folder."""
    if not export.path.is_dir() and not export.single:
        raise ExportError(f"{export.shown} is an archive; name the folder with the music.")
    for part in export.wanted(lambda part: _AUDIO.search(part.basename) is not None, "audio files"):
        path = export.path if export.single else export.path / part.name
        try:
            stars = next((found for rating in read_ratings(path) if (found := stars_of(rating)) is not None), None)
            known = path.stat().st_mtime_ns // 1000
        except OSError:
            stars, known = None, 0
        if stars is None:
            yield LeftOut(UNRATED)
            continue
        place = path_to_text(path.absolute())
        entries = list(entries_of(SOURCE, Totals(place, TrackName("", "", path=place), known, stars=stars)))
        yield from entries or [LeftOut(UNCLEAR)]


def stars_of(rating: Rating) -> float | None:
    """Stars of five, 1…5; None for what is no rating.

    >>> stars_of(Rating("Windows Media Player 9 Series", "196"))
    4.0
    """
    value = fields.number({"value": rating.value}, "value")
    if value is None or value <= 0:
        return None
    field = rating.writer.rpartition(" ")[2]
    if field == "SHAREDUSERRATING":
        return _nearest(value, _WINDOWS_MARKS)
    if field not in _FIELDS:
        return value * _FIVE / _BYTE if "quodlibet" in rating.writer.lower() else _nearest(value, _POPM_MARKS)
    if field == "FMPSRATING" or (value <= _WHOLE and "." in rating.value):
        return min(value, _WHOLE) * _FIVE
    if value <= _FIVE:
        return value
    return value * _FIVE / _PERCENT if value <= _PERCENT else _nearest(value, _POPM_MARKS)


def _nearest(value: float, marks: tuple[int, ...]) -> float:
    return 1.0 + min(range(len(marks)), key=lambda place: abs(marks[place] - value))
