"""The items of iTunes in MP4 (``moov.udta.meta.ilst``)."""

from collections.abc import Iterator

from player.library.containers.mp4 import Box
from player.library.tagging.blocks import FRONT_COVER, LARGEST_TEXT, EmbeddedPicture, TagBlock, decode_guess
from player.library.tagging.genres import GENRES

_TEXT, _UTF16 = 1, 2
_PAIRS = {b"trkn", b"disk"}
_NUMBERS = {b"cpil", b"tmpo", b"\xa9mvi", b"\xa9mvc", b"shwm", b"rate"}
_HEADER_BYTES = 8
"""Type and locale in front of a value."""


def read_items(moov: Box, *, pictures: bool) -> TagBlock:
    """The items of a file's index."""
    block = TagBlock("mp4")
    udta = moov.find(b"udta")
    meta = udta.find(b"meta") if udta else moov.find(b"meta")
    if meta is None:
        return block
    # ``meta`` is a full box, with four bytes of version in front, except in QuickTime's own files.
    for name, box in next(
        (found.children() for start in (4, 0) for named, found in meta.children(start) if named == b"ilst"), iter(())
    ):
        values = list(_values(box))
        if name == b"covr":
            block.pictures += [EmbeddedPicture(FRONT_COVER, data if pictures else b"") for _kind, data in values]
        elif name == b"----":
            block.add(_own_name(box), *(_text(kind, data) for kind, data in values))
        elif name == b"gnre":
            numbers = [int.from_bytes(data, "big") for _kind, data in values]
            block.add("gnre", *(GENRES[number - 1] for number in numbers if 0 < number <= len(GENRES)))
        elif name in _PAIRS:
            pairs = [(int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:6], "big")) for _kind, data in values]
            block.add(name.decode(), *(f"{number}/{total}" for number, total in pairs))
        elif name in _NUMBERS:
            block.add(name.decode("latin-1"), *(str(int.from_bytes(data[:8], "big")) for _kind, data in values))
        else:
            block.add(name.decode("latin-1"), *(_text(kind, data) for kind, data in values))
    return block


def _values(box: Box) -> Iterator[tuple[int, bytes]]:
    """Types and bytes of an item's values."""
    for name, value in box.children():
        if name == b"data" and len(value.data) >= _HEADER_BYTES:
            yield int.from_bytes(value.data[1:4], "big"), bytes(value.data[_HEADER_BYTES:])


def _own_name(box: Box) -> str:
    """The name of a freeform item; who made it up does not matter."""
    name = box.find(b"name")
    return bytes(name.data[4:104]).decode("utf-8", "replace") if name else ""


def _text(kind: int, data: bytes) -> str:
    if kind == _UTF16:
        return data[:LARGEST_TEXT].decode("utf-16-be", "replace")
    if kind in {0, _TEXT}:
        return decode_guess(data[:LARGEST_TEXT])
    return str(int.from_bytes(data, "big", signed=True)) if len(data) <= 8 else ""  # noqa: PLR2004 - numbers
