"""Last.fm: scrobbles and loved tracks of the exporters in common use, and the logs that portable players keep for it.

Last.fm hands out nothing itself. Understood are files with a header that names artist, track and time in one of several
ways (``uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid`` and ``Artist;Album;AlbumId;Track;Date#NAME``
among them), and files without one whose columns are artist, album, track and "01 Jan 2024 18:30".
"""

import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from player.feedback.events import MICROSECONDS
from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, ExportPart
from player.integrations.history.entries import (
    IMPOSSIBLE_DATE,
    NO_NAME,
    End,
    Entry,
    Item,
    Judgement,
    LeftOut,
    Malformed,
    PlayEntry,
    TrackName,
    key_of,
    possible,
)
from player.integrations.history.json_stream import begins_with
from player.storage.event_kinds import Kind

SOURCE = "lastfm"
NO_DATE = "without a date (playing while the export was made)"
_WHAT = "Last.fm export (a .csv file, JSON of lastfmstats, or .scrobbler.log)"
_LOVED = "love"
"""In the name of a file of loved tracks; all others hold scrobbles."""
_ENDINGS = (".csv", ".json", ".scrobbler.log")
_LARGEST_DOCUMENT = 1 << 28
_PORTABLE_CELLS = 7
_LOOKED_AT = 20
"""Lines that a file's format is judged by: the first may be a track that was just playing, without a date."""
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
    part: ExportPart
    places: Mapping[str, int]
    loved: bool


def read_lastfm(export: Export) -> Iterator[Item]:
    """The scrobbles, and the loved tracks of files whose name says "love"."""
    for part in export.wanted(lambda part: part.basename.endswith(_ENDINGS), _WHAT):
        if begins_with(part, "{"):
            yield from _json(part)
        elif begins_with(part, "#"):
            yield from _portable(part)
        else:
            yield from _read(part)


def _json(part: ExportPart) -> Iterator[Item]:
    """What lastfmstats.com hands out: one object with a list of scrobbles, their dates in milliseconds."""
    if part.size > _LARGEST_DOCUMENT:
        raise ExportError(f"{part.name} is larger than {_LARGEST_DOCUMENT >> 20} MiB; fetch it in pieces.")
    with part.text() as stream:
        try:
            found = fields.document(json.load(stream)).get("scrobbles")
        except RecursionError:
            raise ExportError(f"{part.name} is damaged (nested too deeply); fetch it anew.") from None
        except ValueError as error:
            raise ExportError(f"{part.name} is damaged ({error}); fetch it anew.") from error
    if not isinstance(found, list):
        raise ExportError(f"{part.name} holds no scrobbles; name a file of lastfmstats.com or a CSV.")
    for number, one in enumerate(found, 1):
        values = fields.document(one)
        row = [str(values.get(name) or "") for name in ("artist", "album", "track", "date")]
        yield _item(_Table(part, _HEADERLESS, loved=False), number, row)


def _portable(part: ExportPart) -> Iterator[Item]:
    """``.scrobbler.log`` of Rockbox and other portable players: tabs between artist, album, title, number, length, L or S, time.

    Without a zone its times are those of the player's clock, which is taken to be set as this machine's.
    """
    local, shift = False, 0
    with part.text() as stream:
        for number, raw in enumerate(stream, 1):
            line = raw.rstrip("\r\n")
            if line.startswith("#"):
                local |= line.upper().startswith("#TZ/UNKNOWN")
                continue
            cells = line.split("\t")
            if len(cells) < _PORTABLE_CELLS:
                if line.strip():
                    yield Malformed(part.name, number, f"the line has only {len(cells)} columns")
                continue
            seconds = fields.number({"time": cells[6]}, "time")
            if seconds is None:
                yield Malformed(part.name, number, "the time is none that is understood")
                continue
            if local:
                shift = _zone_shift(seconds)
            yield _portable_item(cells, round((seconds - shift) * MICROSECONDS))


def _zone_shift(seconds: float) -> int:
    """How far this machine's clock was ahead of UTC then, in seconds."""
    try:
        return time.localtime(seconds).tm_gmtoff
    except (OverflowError, ValueError, OSError):
        return 0


def _portable_item(cells: Sequence[str], at: int) -> Item:
    values = {"artist": cells[0], "album": cells[1], "title": cells[2], "length": cells[4]}
    name = TrackName(
        fields.text(values, "artist"),
        fields.text(values, "title"),
        fields.text(values, "album"),
        recording_id=fields.text({"id": cells[7] if len(cells) > _PORTABLE_CELLS else ""}, "id").lower(),
        seconds=fields.number(values, "length"),
    )
    if not name.title or not name.artist:
        return LeftOut(NO_NAME)
    if not possible(at):
        return LeftOut(IMPOSSIBLE_DATE)
    end = End.NEXT if cells[5].strip().upper() == "S" else End.FINISHED
    return Entry(key_of(SOURCE, "scrobble", at, name.artist, name.title), name, PlayEntry(end, started_us=at))


def _read(part: ExportPart) -> Iterator[Item]:
    with part.text() as stream:
        first = stream.readline(1 << 16)
        if not first.strip():
            return
        separator = max(_SEPARATORS, key=first.count)
        header = next(csv.reader([first], delimiter=separator), [])
        places = _places(header)
        table = _Table(part, places or _HEADERLESS, loved=_LOVED in part.basename)
        if places is None:
            looked_at = [header, *csv.reader(_ahead(part), delimiter=separator)]
            dated = any(len(row) == len(_HEADERLESS) and fields.parse_moment(row[-1]) is not None for row in looked_at)
            if not dated:
                raise ExportError(
                    f"{part.name}, line 1: there are no columns for artist, track and time; name a CSV of scrobbles."
                )
            yield _item(table, 1, header)
        yield from _rows(table, stream, separator)


def _ahead(part: ExportPart) -> list[str]:
    """The first lines of a file."""
    with part.text() as stream:
        return [line for line in islice(stream, _LOOKED_AT) if len(line) < 1 << 16]


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
    said = Judgement(Kind.UP, at) if table.loved else PlayEntry(End.FINISHED, started_us=at)
    what = "loved" if table.loved else "scrobble"
    return Entry(key_of(SOURCE, what, at, name.artist, name.title), name, said)
