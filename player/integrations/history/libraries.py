"""Libraries of other players: iTunes (Music), Rhythmbox and Quod Libet, with their ratings, counts and last plays.

Each writes ratings on a scale of its own: iTunes 0…100, Rhythmbox 0…5, Quod Libet 0…1; all are read as stars of five, of which
four and five are a like and one and two a dislike. A rating that iTunes computed from the album says nothing about the track.
The files are untrusted: XML with entities of its own is refused, and Quod Libet's pickle is read by a reader that makes nothing
but plain values.
"""

import io
import os
import pickle
import plistlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

from player.feedback.events import MICROSECONDS
from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, ExportPart
from player.integrations.history.entries import Item, LeftOut, Malformed, TrackName
from player.integrations.history.play_counts import Totals, entries_of
from player.library.paths import path_to_text

ITUNES, RHYTHMBOX, QUODLIBET = "itunes", "rhythmbox", "quodlibet"
NO_FACTS = "songs never played, rated or loved"
NOT_MUSIC = "podcasts, films and radio"
_LARGEST = 1 << 28
"""Bytes of a library's file; 100,000 songs take about half."""
_ITUNES_STAR, _QUODLIBET_STARS = 20.0, 5.0
_UNRATED = 0.5
"""Quod Libet's rating of a song that nobody rated; it is not written then, but some versions write it."""


def read_itunes(export: Export) -> Iterator[Item]:
    """The songs of "iTunes Library.xml" (or "Library.xml" as Music exports it)."""
    part = _single(export, (".xml",), "iTunes library (Library.xml)")
    data = _bytes(part)
    try:
        library = plistlib.loads(data)
    except (
        plistlib.InvalidFileException,
        ExpatError,
        ET.ParseError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        LookupError,
    ) as error:
        raise ExportError(f"{part.name} is no library that iTunes wrote, or a damaged one ({error}).") from error
    tracks = fields.document(fields.document(library).get("Tracks"))
    for number, (key, song) in enumerate(tracks.items(), 1):
        values = fields.document(song)
        if not values:
            yield Malformed(part.name, number, "it is no song")
        elif any(values.get(kind) is True for kind in ("Podcast", "Movie", "TV Show", "Music Video")):
            yield LeftOut(NOT_MUSIC)
        else:
            yield from _itunes_song(export, str(values.get("Persistent ID") or key), values)


def _itunes_song(export: Export, identity: str, values: fields.Document) -> Iterator[Item]:
    computed = values.get("Rating Computed") is True
    milliseconds = fields.number(values, "Total Time")
    totals = Totals(
        identity=identity,
        name=TrackName(
            fields.text(values, "Artist", "Album Artist"),
            fields.text(values, "Name"),
            fields.text(values, "Album"),
            path=_of_uri(values.get("Location")),
            seconds=None if milliseconds is None else milliseconds / 1000,
        ),
        known_us=_written_us(export),
        plays=fields.number(values, "Play Count") or 0.0,
        last_played_us=_utc(values.get("Play Date UTC")),
        last_skipped_us=_utc(values.get("Skip Date")),
        stars=0.0 if computed else (fields.number(values, "Rating") or 0.0) / _ITUNES_STAR,
        liked=True if values.get("Loved") is True else False if values.get("Disliked") is True else None,
    )
    yield from _told(ITUNES, totals)


def _utc(value: Any) -> int | None:
    """A date of a property list, which has no zone and is UTC."""
    if not isinstance(value, datetime):
        return None
    try:
        return round(value.replace(tzinfo=UTC).timestamp() * MICROSECONDS)
    except (OverflowError, ValueError):
        return None


def read_rhythmbox(export: Export) -> Iterator[Item]:
    """The songs of ``rhythmdb.xml``."""
    part = _single(export, (".xml",), "Rhythmbox library (rhythmdb.xml)")
    data = _bytes(part)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ExportError(f"{part.name} declares entities of its own, which Rhythmbox never does.")
    try:
        root = ET.fromstring(data)  # noqa: S314 - without entities there is nothing to expand
    except ET.ParseError as error:
        raise ExportError(f"{part.name} is no library of Rhythmbox, or a damaged one ({error}).") from error
    if root.tag != "rhythmdb":
        raise ExportError(f"{part.name} is no library of Rhythmbox; name rhythmdb.xml.")
    for entry in root.iter("entry"):
        if entry.get("type") != "song":
            yield LeftOut(NOT_MUSIC)
            continue
        values = {child.tag: child.text or "" for child in entry}
        totals = Totals(
            identity=values.get("location", "") or str(values),
            name=TrackName(
                fields.text(values, "artist"),
                fields.text(values, "title"),
                fields.text(values, "album"),
                recording_id=fields.text(values, "mb-trackid").lower(),
                path=_of_uri(values.get("location")),
                seconds=fields.number(values, "duration"),
            ),
            known_us=_written_us(export),
            plays=fields.number(values, "play-count") or 0.0,
            last_played_us=fields.moment(values, "last-played") or None,
            stars=fields.number(values, "rating") or 0.0,
        )
        yield from _told(RHYTHMBOX, totals)


class _Song(dict[Any, Any]):
    """In place of every class of Quod Libet's: all of its songs are dictionaries."""

    def __setstate__(self, _state: object) -> None:
        """Keep nothing but the dictionary."""


class _PlainUnpickler(pickle.Unpickler):
    """Makes plain values and :class:`_Song`; whatever else a file asks for is refused."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The one class there is, for the names of Quod Libet's formats."""
        if module_name.partition(".")[0] in {"quodlibet", "formats"} and global_name[:1].isupper():
            return _Song
        if (module_name, global_name) in {("copyreg", "__newobj__"), ("copy_reg", "__newobj__")}:
            return lambda kind, *_arguments: _Song() if kind is _Song else None
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def read_quodlibet(export: Export) -> Iterator[Item]:
    """The songs of Quod Libet's ``songs`` file."""
    part = _single(export, ("songs",), "Quod Libet library (the file “songs”)")
    try:
        songs: Any = _PlainUnpickler(io.BytesIO(_bytes(part))).load()
    except Exception as error:  # a pickle that is none fails in every way there is
        raise ExportError(f"{part.name} is no library of Quod Libet, or a damaged one ({error}).") from error
    found: list[Any] = list(songs) if isinstance(songs, list | tuple | set | frozenset) else []
    for number, song in enumerate(found, 1):
        if not isinstance(song, dict):
            yield Malformed(part.name, number, "it is no song")
            continue
        values = {_word(key): _word(value) for key, value in cast("dict[Any, Any]", song).items()}
        rating = fields.number(values, "~#rating")
        stars = 0.0 if rating is None or rating == _UNRATED else rating * _QUODLIBET_STARS
        place = values.get("~filename")
        totals = Totals(
            identity=str(place or values),
            name=TrackName(
                fields.text(values, "artist").replace("\n", ", "),
                fields.text(values, "title"),
                fields.text(values, "album"),
                recording_id=fields.text(values, "musicbrainz_trackid").lower(),
                path=path_to_text(place) if isinstance(place, str) else "",
                seconds=fields.number(values, "~#length"),
            ),
            known_us=_written_us(export),
            plays=fields.number(values, "~#playcount") or 0.0,
            last_played_us=fields.moment(values, "~#lastplayed") or None,
            stars=stars,
        )
        yield from _told(QUODLIBET, totals)


def _word(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _told(source: str, totals: Totals) -> Iterator[Item]:
    entries = list(entries_of(source, totals))
    yield from entries or [LeftOut(NO_FACTS)]


def _written_us(export: Export) -> int:
    """When the library was written: the moment of what has no date of its own."""
    return export.path.stat().st_mtime_ns // 1000


def _single(export: Export, endings: tuple[str, ...], what: str) -> ExportPart:
    return export.wanted(lambda part: part.basename.endswith(endings), what)[0]


def _bytes(part: ExportPart) -> bytes:
    """All of a file, within limits.

    Raises:
        ExportError: it is too large or cannot be read.
    """
    if part.size > _LARGEST:
        raise ExportError(f"{part.name} is larger than {_LARGEST >> 20} MiB, which no library is.")
    with part.binary() as file:
        return file.read(_LARGEST)


def _of_uri(value: Any) -> str:
    """The path that a file's URI names, as text; empty for others."""
    if not isinstance(value, str) or not value.startswith("file:"):
        return ""
    return path_to_text(os.fsdecode(os.fsencode(unquote(urlsplit(value).path, errors="surrogateescape"))))
