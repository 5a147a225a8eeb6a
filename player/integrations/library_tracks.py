"""The library as imported names are compared with it."""

from collections import defaultdict

from sqlalchemy import select

from player.integrations.matching import LibraryTrack
from player.storage.database import Database
from player.storage.models import Track, TrackFile


def load_tracks(database: Database) -> list[LibraryTrack]:
    """Every track with its files and its MusicBrainz recording, where one is tagged."""
    paths: dict[int, list[str]] = defaultdict(list)
    there: set[int] = set()
    columns = (Track.id, Track.artist, Track.title, Track.album, Track.album_artist, Track.duration)
    with database.reader() as session:
        for track_id, path, missing in session.execute(select(TrackFile.track_id, TrackFile.path, TrackFile.missing)):
            paths[track_id].append(path)
            if not missing:
                there.add(track_id)
        tagged = select(Track.id, Track.musicbrainz_recording).where(Track.musicbrainz_recording.is_not(None))
        recordings = {track: recording or "" for track, recording in session.execute(tagged)}
        return [
            LibraryTrack(
                *row, paths=tuple(paths.get(row[0], ())), there=row[0] in there, recording_id=recordings.get(row[0], "")
            )
            for row in session.execute(select(*columns).order_by(Track.id))
        ]
