"""A recording keeps its track, whatever becomes of its files: random sequences of what listeners and tools do to them."""

import os
import shutil
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from player.library.scan import scan
from player.library.tracks import load_catalogue
from player.storage.database import Database
from player.storage.models import Track, TrackFile
from tests.library.audio_files import FORMATS, encode, remux
from tests.support.library import new_database

KINDS = ("flac", "opus", "mp3")


def to_matroska(source: Path, target: Path) -> None:
    """The same packets in another container."""
    with av.open(str(source)) as before, av.open(str(target), "w", format="matroska") as after:
        stream = before.streams.audio[0]
        copy = after.add_stream_from_template(stream)
        for packet in before.demux(stream):
            if packet.size:
                packet.stream = copy
                after.mux(packet)


class Shelf:
    """Two folders, one of them on a drive that may be away, and the track that each recording was given first."""

    def __init__(self, folder: Path, originals: list[Path]) -> None:
        self.here, self.drive, self.away = folder / "here", folder / "drive", folder / "away"
        self.here.mkdir()
        self.drive.mkdir()
        (self.drive / "kept.flac").write_bytes(encode(folder / "kept.flac", "flac", seconds=0.3, seed=99).read_bytes())
        self.database = new_database(folder / "player.db")
        self.files: dict[Path, int] = {}
        for number, original in enumerate(originals):
            self.files[Path(shutil.copy(original, self.here / f"{number}{original.suffix}"))] = number
        self.counter = 0
        self.look()
        self.first = {number: self.track_at(path) for path, number in self.files.items()}

    def look(self) -> None:
        scan(self.database, [self.here, self.drive])

    def track_at(self, path: Path) -> int:
        with self.database.reader() as session:
            return session.scalars(select(TrackFile.track_id).where(TrackFile.path == str(path))).one()

    def fresh(self, folder: Path, suffix: str) -> Path:
        self.counter += 1
        return folder / f"new {self.counter}{suffix}"

    def do(self, what: str, which: int) -> None:
        """One thing that happens to the drive, or to one of the files that are there."""
        if what == "mount" and self.away.exists():
            shutil.rmtree(self.drive, ignore_errors=True)
            self.away.rename(self.drive)
        elif what == "unmount" and not self.away.exists():
            self.drive.rename(self.away)
        elif present := sorted(path for path in self.files if path.exists()):
            path = present[which % len(present)]
            folder = self.drive if which % 2 and self.drive.exists() else self.here
            self.change(what, path, self.fresh(folder, path.suffix))

    def change(self, what: str, path: Path, target: Path) -> None:
        """One thing that happens to the file ``path``, of which another may come to be at ``target``."""
        number, remuxed = self.files[path], path.suffix == ".mka"
        if what == "move":
            path.rename(target)
        elif what == "copy":
            shutil.copy(path, target)
        elif what == "remux" and not remuxed:
            target = target.with_suffix(".mka")
            to_matroska(path, target)
            path.unlink()
        elif what == "delete":
            path.unlink()
            target = path
        elif what == "retag" and not remuxed:
            kind = next(kind for kind in KINDS if FORMATS[kind].ending == path.suffix[1:])
            remux(path, target, kind, {"title": target.stem, "artist": "Someone else"})
            target.replace(path)
            target = path
        else:
            return
        self.files[target] = number


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recordings")
    return [
        encode(folder / f"{seed}.{FORMATS[kind].ending}", kind, seconds=0.5, seed=seed, tags={"title": f"Song {seed}"})
        for seed, kind in enumerate(KINDS)
    ]


STEPS = st.lists(
    st.tuples(st.sampled_from(["move", "copy", "retag", "remux", "delete", "mount", "unmount"]), st.integers(0, 20)),
    min_size=3,
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_a_recording_is_one_track_for_ever(steps, recordings, tmp_path_factory):
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), recordings)
    for what, which in steps:
        shelf.do(what, which)
        if which % 3:  # else more happens before somebody looks
            shelf.look()
    shelf.look()
    there = {path: number for path, number in shelf.files.items() if path.exists()}
    assert {path: shelf.track_at(path) for path in there} == {
        path: shelf.first[number] for path, number in there.items()
    }
    with shelf.database.reader() as session:
        assert session.scalars(select(Track.id)).all() == sorted(session.scalars(select(Track.id)))
        assert len(session.scalars(select(Track.id)).all()) == len(recordings) + 1  # nothing became two
        missing = {row.id: row.missing for row in load_catalogue(session)}
    for number, track in shelf.first.items():
        assert missing[track] == (number not in there.values())
    shelf.database.close()


def test_files_read_by_an_older_reader_are_read_again_and_stay_the_tracks_they_are(
    database: Database, originals, tmp_path
):
    path = Path(shutil.copy(originals("flac"), tmp_path / "a.flac"))
    scan(database, [tmp_path / "a.flac"])
    with database.session() as session:
        track = session.scalars(select(Track)).one()
        kept, track.fingerprint, track.title = track.id, "of an older scheme", "Old"
        session.scalars(select(TrackFile)).one().reader = 0
    report = scan(database, [path])
    assert report.updated == 1
    with database.reader() as session:
        (track,) = session.scalars(select(Track)).all()
        assert (track.id, track.title) == (kept, "First Song")
    moved = tmp_path / "b.flac"
    os.rename(path, moved)  # noqa: PTH104 - of one line
    scan(database, [path, moved])
    with database.reader() as session:
        assert session.scalars(select(TrackFile.path)).all() == [str(moved)]
