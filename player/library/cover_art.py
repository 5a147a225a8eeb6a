"""Pictures of a track: within its file, or beside it in its folder."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from embeddings.audio_file import open_regular
from player.library.files import ART_ENDINGS, ART_NAMES
from player.library.tagging.blocks import FRONT_COVER

LARGEST = 32 * 1024 * 1024
"""Bytes of a picture; a scan of a poster has a tenth of this."""
MOST_NAMES = 5_000
"""Names of a folder that are looked at."""
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


@dataclass(frozen=True, slots=True)
class CoverArt:
    """A picture as it is stored.

    Attributes:
        content: its bytes.
        mime: what they are, by how they begin.
        path: the file that is nothing else, where it lies beside the track.
    """

    content: bytes
    mime: str
    path: Path | None = None


def embedded_art(path: Path) -> CoverArt | None:
    """The picture within an audio file; None without one that can be read."""
    stamp = _stamp(path)
    return None if stamp is None else _embedded(path, stamp)


def folder_art(path: Path) -> CoverArt | None:
    """The picture beside an audio file, by the names that other players look for; None without one that can be read."""
    found = _beside(path.parent)
    stamp = None if found is None else _stamp(found)
    return None if found is None or stamp is None else _read(found, stamp)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)  # clients ask for a picture piece by piece
def _embedded(path: Path, _stamp: tuple[int, int]) -> CoverArt | None:
    from player.library.tagging.reader import read_blocks  # noqa: PLC0415 - whoever shows a cover loads it, not every screen

    try:
        with open_regular(path) as file:
            blocks = read_blocks(file, os.fstat(file.fileno()).st_size, pictures=True)
    except OSError:
        return None
    pictures = [picture for block in blocks for picture in block.pictures if picture.data]
    front = min(pictures, key=lambda picture: picture.kind != FRONT_COVER, default=None)
    return None if front is None else _art(front.data)


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, int]) -> CoverArt | None:
    if stamp[0] > LARGEST:
        return None
    try:
        with open_regular(path) as file:
            return _art(file.read(LARGEST), path)
    except OSError:
        return None


def _art(content: bytes, path: Path | None = None) -> CoverArt | None:
    mime = next((mime for begin, mime in _SIGNATURES.items() if content.startswith(begin)), None)
    return None if mime is None or len(content) > LARGEST else CoverArt(content, mime, path)


def _beside(folder: Path) -> Path | None:
    try:
        names: Iterable[Path] = [path for path, _ in zip(folder.iterdir(), range(MOST_NAMES), strict=False)]
    except OSError:
        return None
    pictures = [
        path for path in names if path.suffix.casefold()[1:] in ART_ENDINGS and path.stem.casefold() in ART_NAMES
    ]
    return min(pictures, key=lambda path: (ART_NAMES.index(path.stem.casefold()), path.name), default=None)
