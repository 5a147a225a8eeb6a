"""The library as plain rows: what lists, search and ranking work on."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from player.library.tracks import TrackRow
from player.storage.models import Track, TrackFile


def load_catalogue(session: Session) -> list[TrackRow]:
    """All tracks by artist, album, disc, track number and title; each with its first file that is there."""
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
