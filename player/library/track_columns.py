"""More about tracks than a list of them shows, by plain SQL."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from player.library.files import ART_BESIDE, LYRICS_BESIDE
from player.library.paths import file_of

_NAMES = (
    *("composer", "work", "movement", "movement_number", "original_year", "track_number", "track_total", "disc_number"),
    *("disc_total", "lufs", "musicbrainz_recording", "musicbrainz_release", "acoustid", "codec"),
)
REFERENCE_LUFS = -18.0
"""The loudness to which a tagged gain brings a track."""
_AMONG = "IN (SELECT value FROM json_each(?))"
_FILES = f"SELECT track_id, path, beside FROM track_file WHERE track_id {_AMONG} ORDER BY missing, id"  # noqa: S608 - the text above
_LUFS = f"round(coalesce({REFERENCE_LUFS} - track_gain, lufs), 2)"
_VALUES = ", ".join(_LUFS if name == "lufs" else name for name in _NAMES)
_COLUMNS = f"SELECT id, compilation, has_lyrics, has_art, {_VALUES} FROM track WHERE id {_AMONG}"  # noqa: S608 - the names above


def load_columns(connection: sqlite3.Connection, tracks: Collection[int]) -> dict[int, dict[str, Any]]:
    """By track: what is tagged and measured, ``has_lyrics`` and ``has_art`` (in a file or beside it), and all ``files``.

    Files are listed as ``paths.path_to_text`` has them, those that are there first.
    """
    wanted = (json.dumps(list(tracks)),)
    files: dict[int, list[str]] = defaultdict(list)
    beside: dict[int, int] = defaultdict(int)
    for track, path, bits in connection.execute(_FILES, wanted):
        files[track].append(file_of(path))
        beside[track] |= bits
    return {
        track: {
            **dict(zip(_NAMES, values, strict=True)),
            "compilation": bool(compilation),
            "has_lyrics": bool(lyrics or beside[track] & LYRICS_BESIDE),
            "has_art": bool(art or beside[track] & ART_BESIDE),
            "files": files[track],
        }
        for track, compilation, lyrics, art, *values in connection.execute(_COLUMNS, wanted)
    }
