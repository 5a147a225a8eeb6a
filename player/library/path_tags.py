"""Title, artist and album from a file's path, by rules a listener can read, where nothing is tagged.

- ``07 Title``, ``07 - Title``, ``1-07. Title``: disc and track in front of the title.
- ``Artist - Title``, ``Artist - Album - 07 - Title``: in a file's name.
- ``Artist/Album/…`` and ``Artist - Album/…``: folders below the scanned one; a folder ``CD 2`` is a disc. A lone folder
  is an album. Its year stands in front or behind: ``1965 - Album``, ``[1965] Album``, ``Album (1965)``.
- Underscores are spaces where there are no others.
"""

import os
import re
from dataclasses import dataclass, replace

from player.library.paths import text_to_path
from player.library.tagging.blocks import decode_guess

_NUMBERED = re.compile(r"(?:(\d{1,2})[-.])?(\d{1,3})(?:\s*[-.]\s+|[.)]\s*|\s+|\s*-\s*)(?=\S)")
_DISC = re.compile(r"(?:cd|disc|disk)[ _-]*(\d{1,2})", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+")
_YEAR_FIRST = re.compile(r"(?:([\[(])?(1[5-9]\d\d|20\d\d)(?(1)[\])]\s*|\s+[-–—]\s+))(?=\S)")
_YEAR_LAST = re.compile(r"(?<=\S)\s*[\[(](1[5-9]\d\d|20\d\d)[\])]$")
_ARTIST_ALBUM_TITLE = 3


@dataclass(frozen=True, slots=True)
class PathTags:
    """What a path tells; empty or None for what it does not."""

    title: str = ""
    artist: str = ""
    album: str = ""
    track: int | None = None
    disc: int | None = None
    year: int | None = None


def tags_from_path(path: str, root: str = "") -> PathTags:
    """What the path of a file tells, of which only the folders below ``root`` count (both as ``paths.path_to_text``).

    >>> tags_from_path("/m/Nina/Live/CD 2/03 - Sun.flac", "/m")
    PathTags(title='Sun', artist='Nina', album='Live', track=3, disc=2, year=None)
    """
    whole = os.fsencode(text_to_path(path))
    above = os.fsencode(text_to_path(root)).rstrip(b"/") + b"/" if root else os.path.dirname(whole) + b"/"  # noqa: PTH120 - bytes
    names = whole.removeprefix(above).split(b"/") if whole.startswith(above) else [os.path.basename(whole)]  # noqa: PTH119
    *folders, name = (_spaced(decode_guess(part, *names)) for part in names)
    disc = None
    if folders and (match := _DISC.fullmatch(folders[-1])):
        disc = int(match[1])
        folders.pop()
    told = replace(_from_name(name.rsplit(".", 1)[0] or name), **({"disc": disc} if disc else {}))
    return _with_folders(told, folders)


def without_disc_folder(folder: str) -> str:
    """A folder's path, or that of the folder it lies in where it is one of several discs."""
    above, _, name = folder.rpartition("/")
    return above if _DISC.fullmatch(name) else folder


def _spaced(name: str) -> str:
    return name if " " in name else name.replace("_", " ")


def _from_name(stem: str) -> PathTags:
    match = _NUMBERED.match(stem)
    disc, track = (int(match[1]) if match[1] else None, int(match[2])) if match else (None, None)
    parts = _DASH.split(stem[match.end() :] if match else stem)
    if len(parts) > 1 and parts[-2].strip().isdecimal() and not track:
        track = int(parts.pop(-2)[:3])
    artist = parts[0] if len(parts) > 1 else ""
    album = parts[1] if len(parts) >= _ARTIST_ALBUM_TITLE else ""
    title = " - ".join(parts[2:] if album else parts[1:]) if artist else parts[0]
    return PathTags(title, artist, album, track, disc)


def _with_folders(told: PathTags, folders: list[str]) -> PathTags:
    """``told`` by a file's name, completed by the folders it lies in."""
    if not folders:
        return told
    *above, album = folders
    artist = above[-1] if above else ""
    album, year = _without_year(album)
    parts = _DASH.split(album, maxsplit=1)
    if len(parts) > 1 and (not above or parts[0].casefold() == artist.casefold()):
        artist = parts[0]
        album, later = _without_year(parts[1])
        year = year or later
    return replace(told, artist=told.artist or artist, album=told.album or album, year=year)


def _without_year(album: str) -> tuple[str, int | None]:
    """An album's folder without the year in front of its title or behind it, and the year."""
    if match := _YEAR_FIRST.match(album):
        return album[match.end() :], int(match[2])
    match = _YEAR_LAST.search(album)
    return (album[: match.start()], int(match[1])) if match else (album, None)
