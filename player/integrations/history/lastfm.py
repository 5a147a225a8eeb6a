"""Last.fm: scrobbles and loved tracks as CSV, of the exporters in common use.

Last.fm hands out nothing itself. Understood are files with a header that names artist, track and time in one of several
ways (``uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid`` and ``Artist;Album;AlbumId;Track;Date#NAME``
among them), and files without one whose columns are artist, album, track and "01 Jan 2024 18:30".
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, Part
from player.integrations.history.entries import (
    IMPOSSIBLE_DATE,
    NO_NAME,
    End,
    Entry,
    Item,
    Judgement,
    LeftOut,
    Malformed,
    Play,
    TrackName,
    key_of,
    possible,
)
from player.storage.event_kinds import Kind

SOURCE = "lastfm"
NO_DATE = "without a date (playing while the export was made)"
_WHAT = "Last.fm export (a .csv file)"
_LOVED = "love"
"""In the name of a file of loved tracks; all others hold scrobbles."""
_SEPARATORS = (",", ";", "\t")
_NAMES = {
    "time": ("uts", "timestamp", "date_uts", "date", "utc_time", "time", "datetime"),
    "artist": ("artist", "artist_name", "artist name"),
    "title": ("track", "title", "track_name", "track name", "name", "song"),
    "album": ("album", "album_name", "album name", "release"),
    "recording": ("track_mbid", "mbid"),
}
"""What exporters call a column, best first."""
_HEADERLESS = {"artist": 0, "album": 1, "title": 2, "time": 3}


@dataclass(frozen=True, slots=True)
class _Table:
    part: Part
    places: Mapping[str, int]
    loved: bool


def read_lastfm(export: Export) -> Iterator[Item]:
    """The scrobbles, and the loved tracks of files whose name says "love"."""
    for part in export.wanted(lambda part: part.basename.endswith(".csv"), _WHAT):
        yield from _read(part)


def _read(part: Part) -> Iterator[Item]:
    with part.text() as stream:
        first = stream.readline(1 << 16)
        if not first.strip():
            return
        separator = max(_SEPARATORS, key=first.count)
        header = next(csv.reader([first], delimiter=separator), [])
        places = _places(header)
        table = _Table(part, places or _HEADERLESS, loved=_LOVED in part.basename)
        if places is None:
            if len(header) != len(_HEADERLESS) or fields.parse_moment(header[-1]) is None:
                raise ExportError(
                    f"{part.name}, line 1: there are no columns for artist, track and time; name a CSV of scrobbles."
                )
            yield _item(table, 1, header)
        yield from _rows(table, stream, separator)


def _places(header: Sequence[str]) -> dict[str, int] | None:
    """Which column is what; None where the line is no header."""
    called = [cell.partition("#")[0].strip().lower() for cell in header]
    places = {
        role: called.index(name)
        for role, names in _NAMES.items()
        if (name := next((name for name in names if name in called), None)) is not None
    }
    return places if places.keys() >= {"artist", "title", "time"} else None


def _rows(table: _Table, stream: TextIO, separator: str) -> Iterator[Item]:
    reader = csv.reader(stream, delimiter=separator)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Malformed(table.part.name, reader.line_num + 1, str(error))
            continue
        if any(cell.strip() for cell in row):
            # The header was read before the reader began to count.
            yield _item(table, reader.line_num + 1, row)


def _item(table: _Table, line: int, row: Sequence[str]) -> Item:
    if len(row) <= max(table.places.values()):
        return Malformed(table.part.name, line, f"the line has only {len(row)} columns")
    values = {role: row[place] for role, place in table.places.items()}
    if not values["time"].strip():
        return LeftOut(NO_DATE)
    at = fields.moment(values, "time")
    if at is None:
        return Malformed(table.part.name, line, "the time is none that is understood")
    name = TrackName(
        fields.text(values, "artist"),
        fields.text(values, "title"),
        fields.text(values, "album"),
        recording_id=fields.text(values, "recording").lower(),
    )
    if not name.title or not name.artist:
        return LeftOut(NO_NAME)
    if not possible(at):
        return LeftOut(IMPOSSIBLE_DATE)
    said = Judgement(Kind.UP, at) if table.loved else Play(End.FINISHED, started_us=at)
    what = "loved" if table.loved else "scrobble"
    return Entry(key_of(SOURCE, what, at, name.artist, name.title), name, said)
