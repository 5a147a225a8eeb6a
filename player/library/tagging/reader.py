"""Every tag system of a file, in the order in which they are believed: the container's own first, newer before older."""

import logging
from collections.abc import Callable
from typing import BinaryIO

from player.library.containers import NotAudioError, container_at, demuxed, mp4
from player.library.containers.base import Framing, find_tags
from player.library.tagging.ape import read_ape
from player.library.tagging.asf import read_asf
from player.library.tagging.blocks import TagBlock
from player.library.tagging.chunks import read_chunks
from player.library.tagging.id3 import read_id3v1, read_id3v2
from player.library.tagging.items import read_items
from player.library.tagging.vorbis import read_flac, read_ogg

logger = logging.getLogger(__name__)

_APE_FIRST = frozenset({"ape", "wv", "mpc", "mpc8", "tak"})
"""Containers whose own tag is APEv2."""


def read_blocks(file: BinaryIO, size: int, *, pictures: bool = False, framing: Framing | None = None) -> list[TagBlock]:
    """The blocks of the open file of ``size`` bytes, the most trusted first; those that cannot be read are left out.

    FFmpeg is asked where none of the readers here finds a name (rarer containers).

    Args:
        file: open for reading.
        size: its bytes.
        pictures: read pictures whole, not only that they are there.
        framing: the tags at its ends, where they are known.

    Raises:
        OSError: the file cannot be read.
    """
    framing = framing or find_tags(file, size)
    start = framing.audio.start
    own: list[TagBlock] = []
    match container_at(file, start):
        case "flac":
            own = _safely(lambda: [read_flac(file, start, pictures=pictures)])
        case "ogg":
            own = _safely(lambda: [read_ogg(file, start, pictures=pictures)])
        case "mov":
            own = _safely(
                lambda: [read_items(mp4.Box(memoryview(mp4.read_index(file, size, start))), pictures=pictures)]
            )
        case "asf":
            own = _safely(lambda: [read_asf(file, start, pictures=pictures)])
        case "wav":
            own = _safely(lambda: read_chunks(file, size, start, "little", pictures=pictures))
        case "aiff":
            own = _safely(lambda: read_chunks(file, size, start, "big", pictures=pictures))
        case container:
            return _named(file, _around(file, framing, pictures=pictures, ape_first=container in _APE_FIRST))
    return _named(file, own + _around(file, framing, pictures=pictures, ape_first=False))


def _around(file: BinaryIO, framing: Framing, *, pictures: bool, ape_first: bool) -> list[TagBlock]:
    """The tags at both ends: ID3v2, APEv2, ID3v1."""
    places = [("id3v2", place) for place in framing.fronts] + list(framing.backs)
    readers: dict[str, Callable[[], list[TagBlock]]] = {
        "id3v2": lambda: [read_id3v2(file, place, pictures=pictures) for kind, place in places if kind == "id3v2"],
        "ape": lambda: [read_ape(file, place, pictures=pictures) for kind, place in places if kind == "ape"],
        "id3v1": lambda: [read_id3v1(file, place) for kind, place in places if kind == "id3v1"],
    }
    order = ("ape", "id3v2", "id3v1") if ape_first else ("id3v2", "ape", "id3v1")
    return [block for kind in order for block in _safely(readers[kind])]


def _named(file: BinaryIO, blocks: list[TagBlock]) -> list[TagBlock]:
    """``blocks``, and FFmpeg's where they name neither title nor artist."""
    if any(name in block.values for block in blocks for name in _NAMING):
        return blocks
    return [*blocks, *_safely(lambda: [_by_ffmpeg(file)])]


_NAMING = ("TIT2", "TT2", "TPE1", "TP1", "TITLE", "ARTIST", "©NAM", "©ART", "INAM", "IART", "NAME", "AUTH", "AUTHOR")


def _by_ffmpeg(file: BinaryIO) -> TagBlock:
    block = TagBlock("ffmpeg")
    for name, value in demuxed.metadata(file).items():
        block.add(name, value)
    return block


def _safely(read: Callable[[], list[TagBlock]]) -> list[TagBlock]:
    """The blocks that ``read`` finds, or none: odd tags are no reason to do without the music.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return read()
    except (NotAudioError, MemoryError):
        return []
    except OSError:
        raise
    except Exception:  # a hostile file finds the way that nobody foresaw
        logger.exception("Reading the tags of a file failed unexpectedly")
        return []
