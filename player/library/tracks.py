"""The library as plain rows: one track as lists, search, ranking and the screen see it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

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


def load_catalogue(session: "Session") -> list[TrackRow]:
    """All tracks by artist, album, disc, track number and title; each with its first file that is there."""
    from sqlalchemy import func, select  # noqa: PLC0415 - the screen names a TrackRow before its first frame, and needs no database

    from player.storage.models import Track, TrackFile  # noqa: PLC0415 - as above

    connection = session.connection()  # rows straight from Core: the ORM's handling of each takes as long again
    files: dict[int, tuple[str, bool]] = {}
    # Later rows win: missing files first, and of those alike the oldest last.
    listing = select(TrackFile.track_id, TrackFile.path, TrackFile.missing)
    for track_id, path, missing in connection.execute(listing.order_by(TrackFile.missing.desc(), TrackFile.id.desc())):
        files[track_id] = path, missing
    tracks = connection.execute(
        select(Track.id, Track.title, Track.artist, Track.album, Track.genre, Track.year, Track.duration).order_by(
            func.lower(Track.artist),
            func.lower(Track.album),
            Track.disc_number,
            Track.track_number,
            Track.title,
            Track.id,
        )
    )
    absent = "", True
    rows: list[TrackRow] = []
    for track_id, title, artist, album, genre, year, duration in tracks:
        path, missing = files.get(track_id, absent)
        rows.append(TrackRow(track_id, path, title, artist, album, genre, year, duration, missing))
    return rows
