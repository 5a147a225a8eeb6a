"""Versions of one song: live, remastered, as a demo. To the ear's memory they are one."""

import re
from collections import defaultdict
from collections.abc import Sequence

from player.library.name_normalisation import title_key
from player.library.tracks import TrackRow

_BEFORE_VERSION = re.compile(r"(.+?)(?:\s*[(\[{]|\s+[-–—/]\s)")
"""The title up to a bracket or dash, behind which a version is named."""


def find_versions(rows: Sequence[TrackRow], artists: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """By row the rows of the same song by the same artist; ``artists`` has each row's code, negative where unknown."""
    alike: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row, (track, artist) in enumerate(zip(rows, artists, strict=True)):
        if artist >= 0:
            title = track.title.casefold()
            match = _BEFORE_VERSION.match(title)
            alike[artist, match[1] if match else title].append(row)
    found: dict[int, tuple[int, ...]] = {}
    for members in alike.values():
        if len(members) > 1:  # few, so that the exact key is not made for every title of a large library
            found |= _same_song(rows, members)
    return found


def _same_song(rows: Sequence[TrackRow], members: Sequence[int]) -> dict[int, tuple[int, ...]]:
    songs: dict[str, list[int]] = defaultdict(list)
    for row in members:
        songs[title_key(rows[row].title).core].append(row)
    return {row: others for same in songs.values() for row in same if (others := _others(rows, row, same))}


def _others(rows: Sequence[TrackRow], row: int, same: Sequence[int]) -> tuple[int, ...]:
    """The other versions; pieces of one name on one album ("Intro", "Adagio") are several."""
    own = rows[row].title, rows[row].album_key
    return tuple(other for other in same if other != row and (rows[other].title, rows[other].album_key) != own)
