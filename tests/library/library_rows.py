"""Tracks put straight into a database: a library of any names and size, without files."""

from sqlalchemy import insert

from player.library.tracks import TrackRow, load_catalogue
from player.storage.database import Database
from player.storage.models import Track, TrackFile


def track(id_: int, title: str, artist="Artist", album="Album", genre="Genre", year: int | None = 2000, **more) -> dict:
    plain = {
        "album_artist": "",
        "duration": 180.0,
        "codec": "mp3",
        "sample_rate": 44_100,
        "channels": 2,
        "added_us": id_,
    }
    names = {"title": title, "artist": artist, "album": album, "genre": genre, "year": year}
    return {"id": id_, "fingerprint": f"f{id_}"} | names | plain | more


def put(database: Database, tracks: list[dict]) -> list[TrackRow]:
    """Write tracks, each with a file that is named after it; ``path`` names another."""
    files = [
        {
            "track_id": one["id"],
            "path": one.pop("path", f"/m/{one['id']}.mp3"),
            "root": "/m",
            "size": 1,
            "mtime_ns": 1,
            "missing": False,
        }
        for one in tracks
    ]
    with database.session() as session:
        session.execute(insert(Track), tracks)
        session.execute(insert(TrackFile), files)
    with database.reader() as session:
        return sorted(load_catalogue(session), key=lambda row: row.id)
