"""Navidrome: songs with play counts, ratings and stars, as JSON.

Three spellings are understood, since Navidrome has no export of its own: the answer of its web interface (``/api/song``:
``playCount``, ``playDate``, ``rating``, ``starred``, ``starredAt``), that of its Subsonic interface (``search3``, ``getStarred2``:
``playCount``, ``played``, ``userRating``, ``starred``), and ``sqlite3 -json`` over ``annotation`` joined with ``media_file``
(``play_count``, ``play_date``, ``rating``, ``starred``, ``starred_at``).
"""

import json
from collections.abc import Iterator
from typing import Any

from player.feedback.events import now_us
from player.integrations.history import fields
from player.integrations.history.archive import Export, ExportError, ExportPart
from player.integrations.history.entries import NO_NAME, Item, LeftOut, Malformed, TrackName
from player.integrations.history.json_stream import begins_with, json_items
from player.integrations.history.play_counts import Totals, entries_of
from player.library.paths import path_to_text

SOURCE = "navidrome-json"
NO_FACTS = "songs never played, rated or starred"
NOT_SONGS = "albums and artists"
_WHAT = "JSON of Navidrome"
_LARGEST_DOCUMENT = 1 << 28
"""Bytes of an answer that is one object and has to be read whole; 100,000 songs take about half."""
_DEEPEST = 6
_SONGS = frozenset({"song", "songs", "entry", "child"})


def read_navidrome(export: Export) -> Iterator[Item]:
    """The totals of every song in the JSON files."""
    known = now_us() if export.path.is_dir() else export.path.stat().st_mtime_ns // 1000
    for part in export.wanted(lambda part: part.basename.endswith((".json", ".jsonl")), _WHAT):
        for line, value in _objects(part):
            if isinstance(value, dict):
                yield from _song(value, known)
            else:
                yield Malformed(part.name, line, "it is no song")


def _objects(part: ExportPart) -> Iterator[tuple[int, Any]]:
    """Items of an array or of JSON lines; or the songs within one object, the answer of a server."""
    if begins_with(part, "["):
        yield from json_items(part)
        return
    if part.size > _LARGEST_DOCUMENT:
        raise ExportError(f"{part.name} is larger than {_LARGEST_DOCUMENT >> 20} MiB; save it as a list or in pieces.")
    with part.text() as stream:
        whole = stream.read()
    try:
        found = list(_songs_within(json.loads(whole)))
    except (ValueError, RecursionError):
        yield from json_items(part)
        return
    if not found:
        raise ExportError(f"{part.name} holds no songs; save the answer of /api/song, search3 or getStarred2.")
    yield from ((1, song) for song in found)


def _songs_within(value: Any, depth: int = 0) -> Iterator[Any]:
    values = fields.document(value)
    if depth == 0 and "title" in values:
        yield value
        return
    for name, inner in values.items():
        if name in _SONGS and isinstance(inner, list):
            yield from inner
        elif depth < _DEEPEST:
            yield from _songs_within(inner, depth + 1)


def _song(values: fields.Document, known_us: int) -> Iterator[Item]:
    if values.get("item_type", "media_file") != "media_file" or values.get("isDir") is True:
        yield LeftOut(NOT_SONGS)
        return
    path = values.get("path")
    name = TrackName(
        fields.text(values, "artist", "album_artist", "albumArtist"),
        fields.text(values, "title"),
        fields.text(values, "album"),
        recording_id=fields.text(
            values, "mbzRecordingId", "mbzRecordingID", "mbz_recording_id", "musicBrainzId"
        ).lower(),
        path=path_to_text(path) if isinstance(path, str) else "",
        seconds=fields.number(values, "duration"),
    )
    if not name.title or not (name.artist or name.path):
        yield LeftOut(NO_NAME)
        return
    starred = fields.flag(values, "starred")
    entries = list(
        entries_of(
            SOURCE,
            Totals(
                identity=fields.text(values, "item_id", "id") or name.path or str(name),
                name=name,
                known_us=known_us,
                plays=fields.number(values, "play_count", "playCount") or 0.0,
                last_played_us=fields.moment(values, "play_date", "playDate", "played"),
                stars=fields.number(values, "rating", "userRating") or 0.0,
                liked=True if starred else None,
                liked_us=_starred_at(values),
            ),
        )
    )
    yield from entries or [LeftOut(NO_FACTS)]


def _starred_at(values: fields.Document) -> int | None:
    written = values.get("starred")
    return fields.moment(values, "starred_at", "starredAt") or (
        fields.parse_moment(written) if isinstance(written, str) and len(written) > 1 else None
    )
