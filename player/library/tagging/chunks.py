"""Tags in the chunks of WAV and AIFF: RIFF INFO, AIFF's texts, and ID3 in a chunk of its own."""

from typing import BinaryIO

from player.library.containers.base import read_at
from player.library.containers.riff import chunks
from player.library.tagging.blocks import LARGEST_TEXT, MOST_ITEMS, TagBlock, decode_guess
from player.library.tagging.id3 import read_id3v2

_AIFF_TEXTS = frozenset({b"NAME", b"AUTH", b"(c) ", b"ANNO"})


def read_chunks(file: BinaryIO, size: int, start: int, order: str, *, pictures: bool) -> list[TagBlock]:
    """The blocks of a WAV ("little") or AIFF ("big"); ID3 first, which is the newer of what both may hold."""
    tags: list[TagBlock] = []
    info = TagBlock("info")
    for chunk in chunks(file, size, order, start):
        if chunk.name in {b"id3 ", b"ID3 "}:
            tags.append(read_id3v2(file, chunk.body, pictures=pictures))
        elif chunk.name == b"LIST" and read_at(file, chunk.body.start, 4) == b"INFO":
            _read_info(info, read_at(file, chunk.body.start + 4, min(chunk.body.length - 4, LARGEST_TEXT)))
        elif chunk.name in _AIFF_TEXTS:
            text = read_at(file, chunk.body.start, min(chunk.body.length, LARGEST_TEXT))
            info.add(chunk.name.decode("ascii"), decode_guess(text.split(b"\0")[0]))
    return [*tags, info]


def _read_info(block: TagBlock, data: bytes) -> None:
    offset = 0
    for _ in range(MOST_ITEMS):
        name, length = data[offset : offset + 4], int.from_bytes(data[offset + 4 : offset + 8], "little")
        if len(name) < 4:  # noqa: PLR2004 - the end
            return
        text = data[offset + 8 : offset + 8 + length].split(b"\0")[0]
        block.add(name.decode("latin-1"), decode_guess(text))
        offset += 8 + length + length % 2
