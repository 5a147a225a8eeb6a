"""Writing what was read into the database: which track a file is, and what a scan counts it as."""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Any, TypeVar, cast

from sqlalchemy import Insert, Table, Update, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.orm import Session

from player.library.containers import AudioInfo
from player.library.file_reader import PART_MARK, READER, FailedReading, Reading
from player.library.files import FoundFile, is_below, sheets_in
from player.library.path_tags import without_disc_folder
from player.library.paths import FRAMES_PER_SECOND, file_of, text_to_path
from player.library.tags import VARIOUS, Tags, album_key
from player.storage.models import FailedFile, Track, TrackFile

_SOME = 500
"""Values in one statement; SQLite takes 32,766."""


_Value = TypeVar("_Value")


class Outcome(Enum):
    """The meaning for the library of a file that was read."""

    ADDED = auto()
    UPDATED = auto()
    MOVED = auto()


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file the library has a row for."""

    id: int
    track_id: int
    path: str
    size: int
    mtime_ns: int
    missing: bool
    reader: int
    beside: int

    def is_of(self, file: FoundFile) -> bool:
        """True where the file, and the cue sheets beside it, are as they were when this row was written."""
        same = (self.size, self.mtime_ns, self.reader) == (file.size, file.mtime_ns, READER)
        return same and sheets_in(self.beside) == file.sheets


def rows_by_file(rows: Iterable[KnownFile]) -> dict[str, list[KnownFile]]:
    """Rows by the path of the file, which has several where a cue sheet divides it."""
    found: dict[str, list[KnownFile]] = defaultdict(list)
    for row in rows:
        found[file_of(row.path)].append(row)
    return found


def load_known(session: Session, roots: Sequence[str]) -> dict[str, KnownFile]:
    """All files below ``roots``, by path."""
    columns = tuple(getattr(TrackFile, field.name) for field in fields(KnownFile))
    rows = (KnownFile(*row) for row in session.execute(select(*columns)))
    return {row.path: row for row in rows if any(is_below(row.path, root) for root in roots)}


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A file that could not be read when it had this size and time."""

    path: str
    size: int
    mtime_ns: int
    error: str


def load_failed(session: Session, roots: Sequence[str]) -> dict[str, KnownFailure]:
    """All files below ``roots`` that could not be read, by path."""
    columns = (FailedFile.path, FailedFile.size, FailedFile.mtime_ns, FailedFile.error)
    rows = (KnownFailure(*row) for row in session.execute(select(*columns)))
    return {row.path: row for row in rows if any(is_below(row.path, root) for root in roots)}


@dataclass(slots=True)
class TrackWriter:
    """Puts readings into the library, a batch and a transaction at a time.

    Attributes:
        roots: what is being scanned.
        present: the paths of all files found there.
        known: files below the roots that have a row, by path.
        vanished: ids of those that were there and are not; one that turns up elsewhere is taken out.
    """

    roots: Sequence[str]
    present: Collection[str]
    known: dict[str, KnownFile]
    vanished: set[int]
    _rows: Mapping[str, Sequence[KnownFile]] | None = None

    def put(self, session: Session, readings: Sequence[Reading]) -> list[Outcome]:
        """Write ``readings``; the outcomes are in their order."""
        tracks = _find_tracks(session, {reading.fingerprint for reading in readings})
        renewed = self._same_files(readings)
        self._supersede(readings)
        unknown = [reading for reading in readings if reading.fingerprint not in tracks]
        remuxed = _find_remuxed(session, unknown) | _find_shifted(session, unknown, set(tracks.values()))
        tracks |= remuxed | renewed
        new = {reading.fingerprint: reading for reading in readings if reading.fingerprint not in tracks}
        tracks |= _add_tracks(session, list(new.values()))
        gone = self._gone_files(session, set(tracks.values()))
        placed = [self._place(reading, gone.get(tracks[reading.fingerprint], [])) for reading in readings]
        _write(
            session,
            insert(_FILES),
            [
                {**_reading_values(reading), "track_id": tracks[reading.fingerprint], "missing": False}
                for reading, (_outcome, file_id) in zip(readings, placed, strict=True)
                if file_id is None
            ],
        )
        _write(
            session,
            update(TrackFile),
            [
                {**_reading_values(reading), "track_id": tracks[reading.fingerprint], "missing": False, "id": file_id}
                for reading, (_outcome, file_id) in zip(readings, placed, strict=True)
                if file_id is not None
            ],
        )
        _write(
            session,
            update(Track),
            [
                {**_track_values(reading), "id": tracks[reading.fingerprint]}
                for reading, (_outcome, file_id) in zip(readings, placed, strict=True)
                if file_id is not None
            ],
        )
        # A file that took another's place is what its track is found by from now on.
        moved = {
            reading.fingerprint for reading, (_, file_id) in zip(readings, placed, strict=True) if file_id is not None
        }
        renewed |= {fingerprint: track for fingerprint, track in remuxed.items() if fingerprint in moved}
        for fingerprint, track in renewed.items():
            free = select(Track.id).where(Track.fingerprint == fingerprint)
            if session.scalar(free) is None:
                session.execute(update(Track).where(Track.id == track).values(fingerprint=fingerprint))
        forget_failures(session, [reading.file.path for reading in readings])
        return [outcome for outcome, _file_id in placed]

    def put_failed(self, session: Session, failures: Sequence[FailedReading]) -> None:
        """Remember files that could not be read; one that was a track is missing until it can be read again."""
        for failure in failures:
            values = {**_file_values(failure.file), "error": failure.error}
            session.execute(
                upsert(FailedFile).values(values).on_conflict_do_update(index_elements=["path"], set_=values)
            )
        rows = self._rows_by_file()
        mark_missing(session, [row.id for failure in failures for row in rows.get(failure.file.path, ())])

    def _supersede(self, readings: Sequence[Reading]) -> None:
        """Count as vanished what the files that were read held before and hold no more, as a cue sheet came or changed."""
        paths = {reading.file.path for reading in readings}
        rows = self._rows_by_file()
        for file in {file_of(path) for path in paths}:
            self.vanished |= {row.id for row in rows.get(file, ()) if row.path not in paths and not row.missing}

    def _rows_by_file(self) -> Mapping[str, Sequence[KnownFile]]:
        if self._rows is None:
            self._rows = rows_by_file(self.known.values())
        return self._rows

    def _same_files(self, readings: Sequence[Reading]) -> dict[str, int]:
        """Track ids by fingerprint of files that did not change and are read again by a newer reader: they stay what they are."""
        known = [(reading, self.known.get(reading.file.path)) for reading in readings]
        return {
            reading.fingerprint: row.track_id
            for reading, row in known
            if row and row.reader != READER and (row.size, row.mtime_ns) == (reading.file.size, reading.file.mtime_ns)
        }

    def _place(self, reading: Reading, gone: list[int]) -> tuple[Outcome, int | None]:
        """The file's row: its own when the path is known, that of a copy that went away, or None for a new one."""
        if known := self.known.get(reading.file.path):
            return Outcome.UPDATED, known.id
        if gone:
            file_id = gone.pop()
            self.vanished.discard(file_id)
            return Outcome.MOVED, file_id
        return Outcome.ADDED, None

    def _gone_files(self, session: Session, track_ids: Collection[int]) -> dict[int, list[int]]:
        """By track, the ids of files no longer where they were: a new file of that track is one of them, moved."""
        gone: dict[int, list[int]] = {}
        columns = (TrackFile.id, TrackFile.track_id, TrackFile.path, TrackFile.missing)
        for some in _portions(list(track_ids)):
            rows = session.execute(select(*columns).where(TrackFile.track_id.in_(some)))
            for file_id, track_id, path, missing in rows:
                if self._is_gone(file_id, path, missing=missing):
                    gone.setdefault(track_id, []).append(file_id)
        return gone

    def _is_gone(self, file_id: int, path: str, *, missing: bool) -> bool:
        """True where a file has left its place; one outside the roots may have moved into them."""
        if path in self.present:
            return False
        if missing or file_id in self.vanished:
            return True
        return not any(is_below(path, root) for root in self.roots) and not text_to_path(path).exists()


_SAME_LENGTH = 0.25
"""Seconds by which containers differ in how they count an encoder's delay and padding."""


def _find_remuxed(session: Session, readings: Sequence[Reading]) -> dict[str, int]:
    """Track ids by fingerprint of recordings that are known from another container, by their edges, codec and length."""
    wanted = {reading.edges: reading for reading in readings if reading.edges}
    found: dict[str, int] = {}
    columns = (Track.id, Track.edges, Track.codec, Track.duration, TrackFile.container)
    for some in _portions(list(wanted)):
        rows = session.execute(select(*columns).join(TrackFile).where(Track.edges.in_(some)))
        for track, edges, codec, duration, container in rows:
            reading = wanted[str(edges)]
            alike = codec == reading.info.codec and abs(duration - reading.info.duration) <= _SAME_LENGTH
            if alike and container != reading.container:
                found.setdefault(reading.fingerprint, track)
    return found


_SHIFT_FRAMES = 3 * FRAMES_PER_SECOND
"""By which the beginning of a track is moved when a sheet is mended; pre-gaps have two seconds."""
_LAST_DIGIT = ":"
"""Comes behind all digits, so that an index finds all that begin alike."""


def _find_shifted(session: Session, readings: Sequence[Reading], taken: Collection[int]) -> dict[str, int]:
    """Track ids by fingerprint of tracks within files, where a changed cue sheet lets them begin a little elsewhere."""
    found: dict[str, int] = {}
    left = set(taken)
    for reading in readings:
        content, mark, start = reading.fingerprint.partition(PART_MARK)
        if not mark:
            continue
        within = Track.fingerprint.between(content + mark, content + mark + _LAST_DIGIT)
        known = session.execute(select(Track.fingerprint, Track.id).where(within))
        near = [(abs(int(other.partition(mark)[2]) - int(start)), track) for other, track in known if track not in left]
        if near and min(near)[0] <= _SHIFT_FRAMES:
            found[reading.fingerprint] = min(near)[1]
            left.add(min(near)[1])
    return found


_TRACKS, _FILES = cast("Table", Track.__table__), cast("Table", TrackFile.__table__)
"""Written as tables: as objects the rows take half as long again."""


def _write(session: Session, statement: Insert | Update, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(statement, rows)


def mark_missing(session: Session, file_ids: Collection[int], *, missing: bool = True) -> None:
    """Mark files as missing, or as there again."""
    for some in _portions(list(file_ids)):
        session.execute(update(TrackFile).where(TrackFile.id.in_(some)).values(missing=missing))


def forget_failures(session: Session, paths: Collection[str]) -> None:
    """Remove the notes about files that are gone or can be read again."""
    for some in _portions(list(paths)):
        session.execute(delete(FailedFile).where(FailedFile.path.in_(some)))


def _file_values(file: FoundFile) -> dict[str, Any]:
    return {"path": file.path, "root": file.root, "size": file.size, "mtime_ns": file.mtime_ns}


def _reading_values(reading: Reading) -> dict[str, Any]:
    values = {"container": reading.container, "reader": READER, "beside": reading.file.beside}
    return {**_file_values(reading.file), **values}


def _track_values(reading: Reading) -> dict[str, Any]:
    told = {"artists": "\n".join(reading.tags.artists), "edges": reading.edges, "duration": reading.info.duration}
    return {**_columns(reading.tags), **told}


def _columns(values: Tags | AudioInfo) -> dict[str, Any]:
    """The values by name; ``dataclasses.asdict`` copies each, which takes a tenth of a scan."""
    return {name: getattr(values, name) for name in values.__slots__}


def note_beside(session: Session, bits: Mapping[int, int]) -> None:
    """Note by file id what lies beside files that did not change themselves."""
    _write(session, update(TrackFile), [{"id": file_id, "beside": value} for file_id, value in bits.items()])


def _find_tracks(session: Session, fingerprints: Collection[str]) -> dict[str, int]:
    """Track ids by fingerprint, of those that exist."""
    found: dict[str, int] = {}
    for some in _portions(list(fingerprints)):
        rows = session.execute(select(Track.fingerprint, Track.id).where(Track.fingerprint.in_(some)))
        found.update(dict(list(rows)))
    return found


def _add_tracks(session: Session, readings: Sequence[Reading]) -> dict[str, int]:
    """Insert a track for each reading; ids by fingerprint."""
    now = time.time_ns() // 1000
    rows = [
        {**_track_values(reading), **_columns(reading.info), "fingerprint": reading.fingerprint, "added_us": now}
        for reading in readings
    ]
    if not rows:
        return {}
    added = session.execute(insert(_TRACKS).returning(_TRACKS.c.fingerprint, _TRACKS.c.id), rows)
    return dict(list(added))


def _portions(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    for start in range(0, len(values), _SOME):
        yield values[start : start + _SOME]


_MOST_BY_ONE = 0.5
"""The share of an album's tracks by one artist from which it is theirs, with guests; below, it is a compilation."""


def join_compilations(session: Session) -> None:
    """Give tracks of several artists that share a folder and an album's title one album.

    Only where neither an album's artist nor a release of MusicBrainz is tagged; those say it better than a folder.
    """
    groups: dict[tuple[str, str | None], list[_AlbumRow]] = defaultdict(list)
    columns = (Track.id, Track.album, Track.artists, Track.compilation, Track.album_id, TrackFile.path)
    untold = (Track.album != "", Track.album_artist == "", Track.musicbrainz_release.is_(None))
    for track, album, artists, compilation, key, path in session.execute(
        select(*columns).join(TrackFile).where(*untold)
    ):
        row = _AlbumRow(track, album, artists, compilation, key)
        groups[without_disc_folder(file_of(path).rpartition("/")[0]), album_key("", row.album)].append(row)
    changed: list[dict[str, object]] = []
    for rows in groups.values():
        artists = Counter(row.first_artist for row in rows)
        if len(artists) == 1:
            continue
        artist, count = artists.most_common(1)[0]
        various = count < _MOST_BY_ONE * len(rows) or any(row.compilation for row in rows)
        for row in rows:
            now = album_key(VARIOUS if various else artist, row.album), various
            if (row.album_id, row.compilation) != now:
                changed.append({"id": row.id, "album_id": now[0], "compilation": various})
    if changed:
        session.execute(update(Track), changed)


@dataclass(frozen=True, slots=True)
class _AlbumRow:
    id: int
    album: str
    artists: str
    compilation: bool
    album_id: str | None

    @property
    def first_artist(self) -> str:
        return self.artists.split("\n")[0].casefold()
