"""The library as plain rows: one track as lists, search, ranking and the screen see it."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.orm import Session

    from player.storage.database import Database

GENRE_SEPARATOR = "; "
"""Between the genres of a track that is tagged with several."""


@dataclass(frozen=True, slots=True)
class TrackRow:
    """One track of the library.

    Attributes:
        id: the track's id in the database.
        path: where it lies, as text safe to show; ``paths.text_to_path`` gives the path to open. Empty where no file of
            the track is known any more (its file was replaced by other audio).
        title, artist, album: as tagged; title and artist are never empty.
        genre: as tagged, several joined by "; ".
        year: or None.
        duration: seconds.
        missing: no file of it was there at the last scan.
        artists: everyone in the credit where it names several.
        album_artist: as tagged.
        album_id: what the tracks of one album have in common; None off albums.
        number, disc: its place on the album, as tagged.
    """

    id: int
    path: str
    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    duration: float
    missing: bool
    artists: tuple[str, ...] = ()
    album_artist: str = ""
    album_id: str | None = None
    number: int | None = None
    disc: int | None = None

    @property
    def all_artists(self) -> tuple[str, ...]:
        """Everyone who is searched, seeded and spaced as this track's artist."""
        return self.artists or (self.artist,)

    @property
    def album_key(self) -> str:
        """The album's identity, by its names where the file was not read again since there are identities."""
        return self.album_id or f"{self.album_artist or self.artist}\0{self.album}".casefold()


_NAMES = """
SELECT id, title, artist, album, genre, year, duration, artists, album_artist, album_id, track_number, disc_number
FROM track {only}
ORDER BY lower(artist), lower(album), disc_number, track_number, title, id
"""
_FILES = "SELECT track_id, path, missing FROM track_file {only} ORDER BY missing DESC, id DESC"
"""Later rows win: missing files first, and of those alike the oldest last."""


def load_catalogue(session: "Session") -> list[TrackRow]:
    """All tracks by artist, album, disc, track number and title; each with its first file that is there."""
    from player.storage.database import driver_connection  # noqa: PLC0415 - the screen names a TrackRow before its first frame

    return read_catalogue(driver_connection(session))


def read_catalogue(connection: "sqlite3.Connection", only: Collection[int] | None = None) -> list[TrackRow]:
    """The same by plain SQL, which takes a third of the time; ``only`` some tracks where their ids are given."""
    names, files, wanted = _NAMES.format(only=""), _FILES.format(only=""), ()
    if only is not None:
        among = "IN (SELECT value FROM json_each(?))"
        names, files = _NAMES.format(only=f"WHERE id {among}"), _FILES.format(only=f"WHERE track_id {among}")
        wanted = (json.dumps(sorted(only)),)
    places = {track: (path, bool(missing)) for track, path, missing in connection.execute(files, wanted)}
    rows: list[TrackRow] = []
    for track, title, artist, album, genre, year, duration, artists, *of_album in connection.execute(names, wanted):
        path, missing = places.get(track, ("", True))
        several = tuple(artists.split("\n")) if artists and artists != artist else ()
        rows.append(TrackRow(track, path, title, artist, album, genre, year, duration, missing, several, *of_album))
    return rows


def find_tracks(database: "Database", ids: Collection[int]) -> dict[int, TrackRow]:
    """The tracks of these ids that there are, by id."""
    with database.look_up() as connection:
        return {row.id: row for row in read_catalogue(connection, ids)}
