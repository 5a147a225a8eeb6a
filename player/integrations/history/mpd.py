r"""MPD: its sticker database, in which clients keep counts and ratings, or its log.

The sticker database (SQLite, ``sticker.sql``) has one row a song and fact: ``rating`` 0…10, ``like`` 0, 1, 2 (dislike, neither,
like), ``playCount``, ``skipCount``, ``lastPlayed`` and ``lastSkipped`` (seconds since 1970), as myMPD, rmpc, Cantata and others write
them. The log has a line ``2024-05-01T18:30:00 player: played "Artist/Album/Song.flac"`` for every song played to its end; its times are
of the machine's own zone. Before MPD 0.22 its lines bear no year and cannot be dated.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from urllib.parse import quote

from player.feedback.events import MICROSECONDS
from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, ExportPart
from player.integrations.history.entries import (
    IMPOSSIBLE_DATE,
    End,
    Entry,
    Item,
    LeftOut,
    Malformed,
    PlayEntry,
    TrackName,
    key_of,
    possible,
)
from player.integrations.history.play_counts import Totals, entries_of
from player.library.paths import path_to_text

SOURCE = "mpd"
OTHER_LINE = "lines of the log that are about something else"
UNDATED = "lines of the log without a year"
NO_FACTS = "songs of which nothing is kept that counts"
_MAGIC = b"SQLite format 3\0"
_TENTHS = 2.0
"""MPD's clients rate in halves of a star."""
_DISLIKE, _LIKE = 0.0, 2.0
_LONGEST_LINE = 1 << 16
_PLAYED = re.compile(r'^(\S+) (?:\S+ )?player: played "(.*)"\s*$')
_OLD_PLAYED = re.compile(r'^\w{3} \d\d? \d\d:\d\d : player: played "')
_ESCAPE = re.compile(r'\\(["\\])')


def read_mpd(export: Export) -> Iterator[Item]:
    """The stickers or the log, whichever the file is."""
    if not export.single:
        raise ExportError(f"{export.shown} is no file; name MPD's sticker database (sticker.sql) or its log.")
    try:
        with export.path.open("rb") as file:
            stickers = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise ExportError(f"{export.shown} cannot be read ({error.strerror or error}).") from error
    return _stickers(export) if stickers else _log(export.parts()[0])


def _stickers(export: Export) -> Iterator[Item]:
    known = export.path.stat().st_mtime_ns // 1000
    try:
        # Read-only: MPD may be running, and its file is not ours to touch.
        with closing(sqlite3.connect(f"file:{quote(str(export.path.absolute()))}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT uri, name, value FROM sticker WHERE type = 'song' ORDER BY uri")
            for uri, facts in groupby(rows, key=lambda row: row[0]):
                yield from _song(str(uri), {str(name): value for _, name, value in facts}, known)
    except sqlite3.Error as error:
        raise ExportError(f"{export.shown} is no sticker database of MPD, or a damaged one ({error}).") from error


def _song(uri: str, facts: fields.Document, known_us: int) -> Iterator[Item]:
    like = fields.number(facts, "like")
    totals = Totals(
        identity=uri,
        name=TrackName("", "", path=path_to_text(uri)),
        known_us=known_us,
        plays=fields.number(facts, "playCount", "playcount", "play_count") or 0.0,
        last_played_us=_seconds(facts, "lastPlayed", "lastplayed"),
        last_skipped_us=_seconds(facts, "lastSkipped", "lastskipped"),
        stars=(fields.number(facts, "rating") or 0.0) / _TENTHS,
        liked=None if like not in {_DISLIKE, _LIKE} else like == _LIKE,
    )
    entries = list(entries_of(SOURCE, totals))
    yield from entries or [LeftOut(NO_FACTS)]


def _seconds(facts: fields.Document, *names: str) -> int | None:
    """The moment of a sticker; 0 stands for never."""
    return fields.moment(facts, *names) or None


def _log(part: ExportPart) -> Iterator[Item]:
    with part.text() as stream:
        line = 0
        while raw := stream.readline(_LONGEST_LINE):
            line += 1
            yield _line(part, line, raw)


def _line(part: ExportPart, line: int, raw: str) -> Item:
    found = _PLAYED.match(raw)
    if found is None:
        return LeftOut(UNDATED if _OLD_PLAYED.match(raw) else OTHER_LINE)
    ended, named = fields.parse_moment(found[1], local=True), fields.parse_moment(found[1])
    if ended is None or named is None:
        return Malformed(part.name, line, "the line does not begin with a time")
    if not possible(ended):
        return LeftOut(IMPOSSIBLE_DATE)
    uri = _ESCAPE.sub(r"\1", found[2])
    return Entry(
        key_of(SOURCE, "log", named // MICROSECONDS, uri),
        TrackName("", "", path=path_to_text(uri)),
        PlayEntry(End.FINISHED, ended_us=ended),
    )
