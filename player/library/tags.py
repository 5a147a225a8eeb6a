"""The tags of a file, made safe to show and to store. Tag text is untrusted."""

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tinytag import TinyTag
from tinytag.tinytag import TinyTagException

from player.library.containers import AudioInfo, NotAudioError, demuxed, demuxer_of

__all__ = ["UNKNOWN_ARTIST", "AudioInfo", "Tags", "clean_text", "read_tags"]

logger = logging.getLogger(__name__)

UNKNOWN_ARTIST = "Unknown artist"
"""Shown for a file without an artist; files without one are not taken to be by the same person anywhere else."""
_LONGEST = 500
"""Characters kept of one tag; the longest real titles (of symphonies) stay below 300."""
_LARGEST_NUMBER = 99_999
_SEPARATOR = "; "
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d{1,3}(?!\d))")
_KEPT_FORMAT = "\u200c\u200d"
"""Joiners, without which Persian words and some emoji fall apart; other invisible characters can turn text around."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags the player uses; empty text or None for what is not tagged.

    Attributes:
        title: never empty; the file's name without its ending when not tagged.
        artist: never empty; the album's artist or :data:`UNKNOWN_ARTIST` when not tagged. Several joined by "; ".
        album: as tagged.
        album_artist: as tagged.
        genre: as tagged, several joined by "; ".
        year: the first plausible one in the date.
        track_number, disc_number: from 1.
    """

    title: str
    artist: str
    album: str
    album_artist: str
    genre: str
    year: int | None
    track_number: int | None
    disc_number: int | None


def clean_text(text: str) -> str:
    """``text`` on one line, without control and invisible characters, in NFC, at most 500 characters."""
    if not (text.isascii() and text.isprintable()):
        kept = (_replacement(character) for character in text[: 4 * _LONGEST])
        text = unicodedata.normalize("NFC", "".join(kept))
    return " ".join(text.split())[:_LONGEST].rstrip()


def _replacement(character: str) -> str:
    """The character itself, a space for what separates lines or controls a terminal, nothing for what is invisible."""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    if category in {"Cs", "Cf", "Cn"} and character not in _KEPT_FORMAT:
        return ""
    return character


def read_tags(file: BinaryIO, size: int, name: str) -> Tags:
    """The tags of the open audio file called ``name`` (used where it has no title).

    tinytag reads them; FFmpeg is asked where that finds neither title nor artist (rarer containers).
    """
    fields = _or_none(lambda: _by_tinytag(file))
    if not fields.get("title") and not fields.get("artist"):
        fields = _or_none(lambda: _by_ffmpeg(file, size)) or fields
    stem = name.rsplit(".", 1)[0] or name
    album_artist = _joined(fields.get("albumartist", ()))
    return Tags(
        title=_joined(fields.get("title", ())[:1]) or clean_text(stem) or "Untitled",
        artist=_joined(fields.get("artist", ())) or album_artist or UNKNOWN_ARTIST,
        album=_joined(fields.get("album", ())[:1]),
        album_artist=album_artist,
        genre=_joined(fields.get("genre", ())),
        year=_year(fields.get("year", ())),
        track_number=_number(fields.get("track", ())),
        disc_number=_number(fields.get("disc", ())),
    )


_Fields = Mapping[str, tuple[str, ...]]
_NAMES = ("title", "artist", "album", "albumartist", "genre", "year", "track", "disc")
_FFMPEG_NAMES = {"album_artist": "albumartist", "album artist": "albumartist", "date": "year"}


def _by_tinytag(file: BinaryIO) -> _Fields:
    file.seek(0)
    found = TinyTag.get(file_obj=file, duration=False)
    fields: dict[str, tuple[str, ...]] = {}
    for name in _NAMES:
        value = getattr(found, name)
        more = found.other.get(name) or ()
        if value is not None:
            fields[name] = (str(value), *more)
    return fields


def _by_ffmpeg(file: BinaryIO, size: int) -> _Fields:
    demuxer = demuxer_of(file, size)
    found = demuxed.metadata(file, demuxer) if demuxer else {}
    return {_FFMPEG_NAMES.get(key, key): (value,) for key, value in found.items() if value}


def _or_none(read: Callable[[], _Fields]) -> _Fields:
    """The fields that ``read`` finds, or none: odd tags are no reason to do without the music.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        return read()
    except (TinyTagException, NotAudioError, MemoryError):
        return {}
    except OSError:
        raise
    except Exception:
        logger.exception("Reading the tags of a file failed unexpectedly")
        return {}


def _joined(values: Iterable[str]) -> str:
    """Distinct values in order, cleaned; one tag may itself hold several between NULs (ID3v2.4)."""
    parts = [clean_text(part) for value in values for part in value.split("\0")]
    return _SEPARATOR.join(dict.fromkeys(part for part in parts if part))[:_LONGEST]


def _year(values: Iterable[str]) -> int | None:
    found = next((match for value in values if (match := _YEAR.search(value[:_LONGEST]))), None)
    return int(found[1]) if found else None


def _number(values: Iterable[str]) -> int | None:
    """The number in front of a possible "/ total"; None for 0 and nonsense."""
    text = next(iter(values), "").split("/")[0].strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_NUMBER)) else 0
    return number or None
