"""The cover of a track in half blocks: two pixels a cell, on any terminal with colours, through SSH and tmux."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from math import hypot, pi, sin
from typing import TYPE_CHECKING
from zlib import crc32

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.worker import get_current_worker

from player.errors import PlayerError
from player.tui.messages import CoverDrawn
from player.tui.text import fit
from player.tui.widgets.styled_text import Ink, Inked, Line

if TYPE_CHECKING:
    from textual.geometry import Size

    from player.library.tracks import TrackRow
    from player.playback.controller import Controller

_MOST_PIXELS = 64_000_000
"""Of a picture; a larger one is no cover."""
_TEXTURE = "  ·░▒▒"
_LEAST = 4
"""Rows below which a picture is a smudge."""


class Cover(Inked):
    """The picture of the track that plays; where there is none, nothing, or its names in a frame.

    Args:
        player: who knows the pictures.
        framed: draw the frame.
    """

    def __init__(self, player: Controller, *, framed: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._player = player
        self._framed = framed
        self._track: TrackRow | None = None
        self._asked: tuple[int, Size] | None = None
        self._strips: list[Strip] = []

    def show(self, track: TrackRow | None) -> None:
        """Show the picture of another track, at the size there is."""
        self._track = track
        size = self.content_size
        asked = None if track is None or size.height < _LEAST else (track.id, size)
        if asked == self._asked:
            return
        self._asked = asked
        if asked is None:
            self._take([])
        else:
            self.run_worker(partial(self._draw, *asked), group="cover", exclusive=True, thread=True)

    def on_resize(self) -> None:
        """Draw it anew at the size there is now."""
        self.show(self._track)

    def _draw(self, track_id: int, size: Size) -> None:
        try:
            found = self._player.cover(track_id)
        except PlayerError:  # the library is still being opened: asked again with the next snapshot
            self._asked = None
            return
        strips = [] if found is None else half_blocks(found.content, size.width, size.height)
        if not get_current_worker().is_cancelled:
            self.post_message(CoverDrawn((track_id, size), strips))

    def on_cover_drawn(self, message: CoverDrawn) -> None:
        """Take the picture, unless another is wanted by now."""
        message.stop()
        if message.asked == self._asked:
            self._take(message.strips)

    def _take(self, strips: list[Strip]) -> None:
        self._strips = strips
        if self.parent is not None:
            self.parent.set_class(bool(strips), "-pictured")
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the picture, or of what stands for it."""
        if not self._strips:
            return super().render_line(y)
        drawn = self._strips[y] if y < len(self._strips) else Strip([])
        return drawn.adjust_cell_length(self.size.width, self.rich_style)

    def line(self, y: int, width: int) -> Line:
        """A frame in the shape of a cover with a pattern of the album's own, and album, artist and year in its middle."""
        track, height = self._track, min(self.content_size.height, width // 2)
        if not self._framed or track is None or y >= height or height < _LEAST:
            return []
        room = height * 2 - 2
        if y in {0, height - 1}:
            return [(("╭", "╰")[y > 0] + "─" * room + ("╮", "╯")[y > 0], Ink.DIM)]
        names = (track.album or track.title, track.artist, str(track.year or ""))
        at = y - (height - len(names)) // 2
        name = f" {fit(names[at], room - 4)} " if 0 <= at < len(names) and names[at] else ""
        before = (room - cell_len(name)) // 2
        pattern = texture(names[0], y / height, room)
        ink = Ink.STRONG if at == 0 else Ink.TEXT
        return [
            ("│" + pattern[:before], Ink.DIM),
            (name, ink),
            (pattern[before + cell_len(name) :] + "│", Ink.DIM),
        ]


def texture(name: str, down: float, cells: int) -> str:
    """One line of waves that are the same for the same name and hardly for another.

    Args:
        name: of an album.
        down: how far down the picture the line is, 0…1.
        cells: of the line.
    """
    seed = crc32(name.encode())
    across, along, turn, ring = 2 + seed % 5, 2 + (seed >> 4) % 5, (seed >> 8) % 7, 3 + (seed >> 12) % 7

    def height(x: float) -> float:
        waves = sin(across * x * pi + turn) + sin(along * down * pi - turn)
        return (waves + sin(ring * pi * hypot(x - 0.5, down - 0.5))) / 6 + 0.5

    return "".join(_TEXTURE[int(height(cell / cells) * (len(_TEXTURE) - 1))] for cell in range(cells))


def half_blocks(content: bytes, width: int, height: int) -> list[Strip]:
    """A picture as lines of half blocks; empty where it cannot be read.

    Args:
        content: as stored: JPEG, PNG, GIF or WebP.
        width: cells there are.
        height: lines there are; each shows two rows of pixels.
    """
    from PIL import Image  # noqa: PLC0415 - not on the way to the first frame

    try:
        with Image.open(BytesIO(content)) as image:
            if image.width * image.height > _MOST_PIXELS:
                return []
            image.draft("RGB", (width * 4, height * 8))
            picture = image.convert("RGB")
            picture.thumbnail((width, height * 2))
    except Exception:  # noqa: BLE001 - a hostile picture finds the way that nobody foresaw, and is none then
        return []
    pixels = picture.load()
    if pixels is None:
        return []
    lines: list[Strip] = []
    for y in range(0, picture.height - picture.height % 2, 2):
        cells = [(_colour(pixels[x, y]), _colour(pixels[x, y + 1])) for x in range(picture.width)]
        lines.append(Strip([Segment("▀", Style(color=top, bgcolor=bottom)) for top, bottom in cells]))
    return lines


def _colour(pixel: object) -> Color:
    red, green, blue = pixel if isinstance(pixel, tuple) else (0, 0, 0)
    return Color.from_rgb(red, green, blue)
