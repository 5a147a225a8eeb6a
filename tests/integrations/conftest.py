"""A library that is only in the database, and exports as the services write them."""

import json
import os
import zipfile

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded: the machine has other work too

import pytest

from player.integrations.history.archive import Export
from player.storage.models import Station, Track, TrackFile
from tests.support.library import new_database

SONGS = [
    ("The Beatles", "Yesterday", "Help!", 125.0),
    ("Björk", "Jóga", "Homogenic", 305.0),
    ("Kino; Viktor Tsoi", "Группа крови", "Группа крови", 285.0),
    ("Simon & Garfunkel", "The Boxer", "Bridge Over Troubled Water", 308.0),
    ("Nina Simone", "Feeling Good", "I Put a Spell on You", 175.0),
    ("Muse", "Feeling Good", "Origin of Symmetry", 199.0),
]
"""Artist, title, album, seconds; track ids from 1."""


@pytest.fixture
def database(tmp_path):
    """The songs above and a station, Evening."""
    opened = new_database(tmp_path / "data" / "player.db")
    with opened.session() as session:
        for number, (artist, title, album, seconds) in enumerate(SONGS, 1):
            session.add(library_track(number, artist, title, album, seconds))
            session.add(
                TrackFile(
                    track_id=number,
                    path=f"/music/{artist.split(';')[0]}/{title}.flac",
                    root="/music",
                    size=1,
                    mtime_ns=1,
                )
            )
        session.add(Station(id=1, name="Evening", noise_seed=1, created_us=1))
    yield opened
    opened.close()


def library_track(number, artist, title, album="", seconds=200.0) -> Track:
    return Track(
        id=number,
        fingerprint=f"print {number}",
        title=title,
        artist=artist,
        album=album,
        album_artist="",
        genre="",
        duration=seconds,
        codec="flac",
        sample_rate=44_100,
        channels=2,
        added_us=number,
    )


@pytest.fixture
def export(tmp_path):
    """Writes an export from {name: content}: one file, several in a folder, or a zip archive."""

    def write(files, *, kind="folder") -> Export:
        if kind == "file":
            ((name, content),) = files.items()
            (tmp_path / name).write_text(content, "utf-8")
            return Export(tmp_path / name)
        if kind == "zip":
            with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
            return Export(tmp_path / "export.zip")
        for name, content in files.items():
            path = tmp_path / "export" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        return Export(tmp_path / "export")

    return write


@pytest.fixture
def spotify_play():
    """One object of the extended streaming history."""

    def play(
        title="Yesterday", artist="The Beatles", *, at="2020-05-01T18:30:00Z", ms=125_000, end="trackdone", **more
    ):
        return {
            "ts": at,
            "ms_played": ms,
            "master_metadata_track_name": title,
            "master_metadata_album_artist_name": artist,
            "master_metadata_album_album_name": None,
            "spotify_track_uri": f"spotify:track:{title}",
            "reason_start": "trackdone",
            "reason_end": end,
            "skipped": False,
            **more,
        }

    return play


@pytest.fixture
def history(tmp_path):
    """Writes a Spotify history of these plays; returns its folder."""

    def write(*plays, name="Streaming_History_Audio_2020_0.json"):
        folder = tmp_path / "history"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(list(plays)), "utf-8")
        return folder

    return write
