"""The library as imported names are compared with it, and the MusicBrainz recordings in the tags of its files.

A scan does not keep recordings, so they are read when a history names recordings. Where they stand differs by format: Vorbis
comments and MP4 call the recording "MusicBrainz Track Id"; MP3 keeps it in a UFID frame, which tinytag passes over.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import select
from tinytag import TinyTag
from tinytag.tinytag import TinyTagException

from player.integrations.matching import LibraryTrack
from player.library.paths import text_to_path
from player.storage.database import Database
from player.storage.models import Track, TrackFile

_FIELDS = ("musicbrainz_trackid", "musicbrainz track id", "musicbrainz_recordingid", "musicbrainz recording id")
_RECORDING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UFID = re.compile(rb"UFID....(?:..)http://musicbrainz\.org\0([0-9a-f-]{36})", re.DOTALL)
_ID3_BYTES = 1 << 18
"""Of an MP3's beginning that is looked through for the frame; pictures come after it in what taggers write."""


def read_recordings(
    database: Database, progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> dict[int, str]:
    """Track id → MusicBrainz recording, for every track with one in the tags of a file that is there.

    Args:
        database: the listener's.
        progress: told how many files of how many are read.
        should_stop: asked after every file; when true, what was found so far is returned.
    """
    with database.reader() as session:
        listing = select(TrackFile.track_id, TrackFile.path).where(TrackFile.missing.is_(False))
        files = [(int(track_id), str(path)) for track_id, path in session.execute(listing)]
    found: dict[int, str] = {}
    for number, (track_id, path) in enumerate(files, 1):
        if track_id not in found and (recording := recording_of(path)):
            found[track_id] = recording
        progress(number, len(files))
        if should_stop():
            break
    return found


def recording_of(path: str) -> str:
    """The MusicBrainz recording in the tags of a file (its path as text); empty where there is none."""
    try:
        with text_to_path(path).open("rb") as file:
            head = file.read(_ID3_BYTES)
            if head.startswith(b"ID3"):
                frame = _UFID.search(head)
                return _checked([frame[1].decode("ascii")]) if frame else ""
            file.seek(0)
            other = TinyTag.get(file_obj=file, duration=False).other
    except (OSError, TinyTagException, MemoryError, ValueError):
        return ""
    return next((one for field in _FIELDS if (one := _checked(other.get(field) or ()))), "")


def _checked(values: Iterable[str]) -> str:
    found = (_RECORDING.fullmatch(str(value).strip().lower()) for value in values)
    return next((match[0] for match in found if match), "")


def load_tracks(database: Database, recordings: Mapping[int, str]) -> list[LibraryTrack]:
    """Every track with its files.

    Args:
        database: the listener's.
        recordings: track id → MusicBrainz recording, where it is known.
    """
    paths: dict[int, list[str]] = defaultdict(list)
    there: set[int] = set()
    columns = (Track.id, Track.artist, Track.title, Track.album, Track.album_artist, Track.duration)
    with database.reader() as session:
        for track_id, path, missing in session.execute(select(TrackFile.track_id, TrackFile.path, TrackFile.missing)):
            paths[track_id].append(path)
            if not missing:
                there.add(track_id)
        return [
            LibraryTrack(
                *row, paths=tuple(paths.get(row[0], ())), there=row[0] in there, recording_id=recordings.get(row[0], "")
            )
            for row in session.execute(select(*columns).order_by(Track.id))
        ]
