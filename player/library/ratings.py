"""Ratings in the tags of a file, by whoever wrote them; read when they are asked for and never kept."""

import os
from dataclasses import dataclass
from pathlib import Path

from embeddings.audio_file import open_regular
from player.library.tagging.reader import read_blocks
from player.text import printable


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
