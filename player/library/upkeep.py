"""The library's upkeep: its figures, files that are gone for good, and folders that lie elsewhere now."""

import json
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import text

from player.library.paths import path_to_text, text_to_path
from player.library.tracks import TrackRow, read_catalogue
from player.storage.database import Database

_SECONDS_PER_HOUR = 3600.0
_FIGURES = """
WITH there AS (SELECT * FROM track WHERE id IN (SELECT track_id FROM track_file WHERE NOT missing))
SELECT (SELECT count(*) FROM there), (SELECT count(DISTINCT coalesce(album_id, lower(artist || char(0) || album))) FROM there
    WHERE album != ''), (SELECT coalesce(sum(duration), 0) FROM there),
  (SELECT count(DISTINCT track_id) FROM track_file WHERE track_id NOT IN (SELECT id FROM there)),
  (SELECT coalesce(sum(size), 0) FROM (
    SELECT max(size) AS size FROM track_file WHERE NOT missing
    GROUP BY CASE instr(path, '//track') WHEN 0 THEN path ELSE substr(path, 1, instr(path, '//track')) END))
"""


def library_stats(database: Database) -> dict[str, float]:
    """Tracks, artists, albums, hours, missing tracks and bytes; but for "missing", of what is there."""
    with database.look_up() as connection:
        tracks, albums, seconds, missing, size = connection.execute(_FIGURES).fetchone()
        credits_ = connection.execute(
            "SELECT DISTINCT coalesce(nullif(artists, ''), artist) FROM track"
            " WHERE id IN (SELECT track_id FROM track_file WHERE NOT missing)"
        ).fetchall()
    artists = {name.casefold() for (names,) in credits_ for name in names.split("\n")}
    return {
        "tracks": tracks,
        "artists": len(artists),
        "albums": albums,
        "hours": round(seconds / _SECONDS_PER_HOUR, 2),
        "missing": missing,
        "bytes": size,
    }


def missing_tracks(database: Database) -> list[TrackRow]:
    """The tracks none of whose files is there."""
    with database.look_up() as connection:
        return [row for row in read_catalogue(connection) if row.missing and row.path]


def forget_files(database: Database, tracks: Collection[int]) -> None:
    """Take the missing files of these tracks off the list; the tracks keep their history."""
    with database.session() as session:
        session.execute(
            text("DELETE FROM track_file WHERE missing AND track_id IN (SELECT value FROM json_each(:tracks))"),
            {"tracks": json.dumps(sorted(tracks))},
        )


def move_root(database: Database, old: Path, new: Path) -> tuple[int, int]:
    """Let the files below one folder lie below another; how many are there, and how many are not.

    A file that is known at its new place already stays as it is known there.
    """
    before, after = path_to_text(old), path_to_text(new)
    moved = absent = 0
    with database.session() as session:
        rows = session.execute(text("SELECT path, id, root FROM track_file"))
        known = {path: (number, root) for path, number, root in rows}
        for path, (number, root) in known.items():
            if path != before and not path.startswith(before + "/"):
                continue
            place = after + path[len(before) :]
            there = text_to_path(place).exists()
            moved, absent = moved + there, absent + (not there)
            if place in known:
                session.execute(text("DELETE FROM track_file WHERE id = :number"), {"number": number})
                continue
            below = after + root[len(before) :] if root == before or root.startswith(before + "/") else root
            session.execute(
                text("UPDATE track_file SET path = :path, root = :root, missing = :missing WHERE id = :number"),
                {"path": place, "root": below, "missing": not there, "number": number},
            )
        session.execute(
            text("UPDATE OR REPLACE library_root SET path = :after WHERE path = :before"),
            {"after": after, "before": before},
        )
    return moved, absent


def events_between(database: Database, since_us: int, until_us: int) -> int:
    """How many events bear a time in a span."""
    with database.look_up() as connection:
        query = "SELECT count(*) FROM event WHERE time_us >= ? AND time_us < ?"
        return int(connection.execute(query, (since_us, until_us)).fetchone()[0])
