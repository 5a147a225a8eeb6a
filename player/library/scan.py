"""Scanning folders into the library: only what changed is opened, and nothing that was known is lost."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from player.errors import PlayerError
from player.library.file_reader import FailedReading, Reading, read_file
from player.library.files import FoundFile, Patterns, Walker, is_below, is_candidate
from player.library.paths import file_of, path_to_text
from player.library.scan_roots import CHANGED, enclosing_root, known_roots
from player.library.track_writer import (
    KnownFailure,
    KnownFile,
    Outcome,
    TrackWriter,
    forget_failures,
    join_compilations,
    load_failed,
    load_known,
    mark_missing,
    note_beside,
    rows_by_file,
)
from player.storage.database import Database
from player.storage.key_value import keep_fact

_BATCH_FILES = 256
"""Files a transaction: writing them takes about 30 ms, so a thumb given meanwhile does not wait noticeably."""
_BATCH_SECONDS = 2.0
"""On slow disks a batch is written sooner, so that an interrupted scan loses at most that much."""


class LibraryError(PlayerError):
    """The scan as a whole cannot go on; the text is one sentence for the listener."""


@dataclass(frozen=True, slots=True)
class FailedPath:
    """Something that could not be read; ``error`` is a sentence about "it", ``path`` safe to show."""

    path: str
    error: str


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """The progress of a scan: ``done`` of ``total`` files that are new or changed (0 while that is not known), ``rate`` a second."""

    stage: str
    done: int
    total: int
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class ScanReport:
    """The result of a scan, in files.

    Attributes:
        added: new files (a second copy of a known recording is a new file of the same track).
        updated: files that changed or came back.
        moved: files found under a new path while the old one is gone.
        missing: files that were there at the last scan and are gone.
        unchanged: files with the size and time they had; they were not opened.
        failed: what could not be read this time or, unchanged since, before.
        doubtful: what was read and is listed, though something about it is wrong.
        not_audio: paths of the other files, whose names do not say that they are audio and which are none.
        seconds: how long it took.
    """

    added: int
    updated: int
    moved: int
    missing: int
    unchanged: int
    failed: tuple[FailedPath, ...]
    doubtful: tuple[FailedPath, ...]
    not_audio: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """The listener's wishes for a scan.

    Attributes:
        patterns: which files.
        separators: texts between the artists of one tag.
        again: read files that did not change too.
    """

    patterns: Patterns = field(default_factory=Patterns)
    separators: tuple[str, ...] = ()
    again: bool = False


@dataclass(slots=True)
class _Plan:
    """The work that is left after walking."""

    to_read: list[FoundFile] = field(default_factory=list[FoundFile])
    returned: list[int] = field(default_factory=list[int])
    """Ids of files marked missing that are back as they were."""
    beside: dict[int, int] = field(default_factory=dict[int, int])
    """What lies beside files, by their ids, where only that changed."""
    failed: list[FailedPath] = field(default_factory=list[FailedPath])
    doubtful: list[FailedPath] = field(default_factory=list[FailedPath])
    not_audio: list[str] = field(default_factory=list[str])
    unchanged: int = 0

    def fail(self, path: str, error: str) -> None:
        """Note a file that cannot be read, or that never claimed to be audio."""
        if is_candidate(path):
            self.failed.append(FailedPath(path, error))
        else:
            self.not_audio.append(path)


@dataclass(frozen=True, slots=True)
class _Walked:
    """The files below the roots."""

    roots: tuple[str, ...]
    found: dict[str, FoundFile]
    unlisted: tuple[FailedPath, ...]
    """Folders that could not be listed: what they hold is unknown, not gone."""
    absent: tuple[FailedPath, ...]
    """Roots that are not there, as that of a drive that is not mounted: what they hold is missing."""

    def is_gone(self, path: str) -> bool:
        """True where a file that was below the roots is there no more."""
        return file_of(path) not in self.found and not any(is_below(path, folder.path) for folder in self.unlisted)


def scan(
    database: Database,
    roots: Sequence[Path],
    progress: Callable[[ScanProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    options: ScanOptions | None = None,
) -> ScanReport:
    """Bring the library up to date with ``roots`` (folders or files).

    A scan that is interrupted or stopped keeps what it has committed; the next one goes on from there.

    Args:
        database: the listener's.
        roots: what to look through; relative paths start at the working folder.
        progress: told after every batch.
        should_stop: asked after every batch; when true, the report covers what was done so far.
        options: which files, and how their artists are told apart.

    Raises:
        LibraryError: a root does not exist and held nothing before, or nothing in any of them is readable audio.
        PlayerError: the database cannot be written.
    """
    started = time.perf_counter()
    tell = progress or _ignore
    tell(ScanProgress("looking for music", 0, 0))
    options = options or ScanOptions()
    walked = _walk(roots, options.patterns, database)
    with database.reader() as session:
        known, failed_before = load_known(session, walked.roots), load_failed(session, walked.roots)
    if not walked.found and not known:
        raise LibraryError(_nothing_there(walked))
    plan = _make_plan(walked.found, known, failed_before, again=options.again)
    vanished = {row.id for path, row in known.items() if not row.missing and walked.is_gone(path)}
    writer = TrackWriter(walked.roots, walked.found, known, vanished)
    with database.session() as session:
        mark_missing(session, plan.returned, missing=False)
        note_beside(session, plan.beside)
    counts = Counter({Outcome.UPDATED: len(plan.returned)})
    whole = _write_all(database, writer, plan, counts, options, tell, should_stop or _never)
    if counts:
        with database.session() as session:
            join_compilations(session)
    if whole:
        with database.session() as session:
            mark_missing(session, writer.vanished)
            forget_failures(session, [path for path in failed_before if walked.is_gone(path)])
    if counts or writer.vanished or plan.beside:
        with database.session() as session:
            keep_fact(session, CHANGED, time.time_ns())
    if whole and plan.failed and not known and len(plan.failed) + len(plan.not_audio) == len(walked.found):
        raise LibraryError(_nothing_readable(walked, plan.failed))
    if whole and not known and len(plan.not_audio) == len(walked.found):
        raise LibraryError(_nothing_there(walked))
    return ScanReport(
        added=counts[Outcome.ADDED],
        updated=counts[Outcome.UPDATED],
        moved=counts[Outcome.MOVED],
        missing=len(writer.vanished) if whole else 0,
        unchanged=plan.unchanged,
        failed=(*walked.absent, *walked.unlisted, *_empty_roots(walked, known), *plan.failed),
        doubtful=tuple(plan.doubtful),
        not_audio=tuple(plan.not_audio),
        seconds=time.perf_counter() - started,
    )


def _ignore(_progress: ScanProgress) -> None:
    """Tell nobody."""


def _never() -> bool:
    """Go on."""
    return False


def _walk(roots: Sequence[Path], patterns: Patterns, database: Database) -> _Walked:
    """All files below ``roots``; raises LibraryError naming the first root that is not there or cannot hold music."""
    absolute = [_absolute(root) for root in roots]
    absent: list[FailedPath] = []
    for root in absolute:
        name = path_to_text(root)
        try:
            mode = root.stat().st_mode
        except FileNotFoundError as error:
            if not _holds_files(database, name):
                raise LibraryError(f"{name} does not exist; check the path.") from error
            absent.append(FailedPath(name, "it is not there; its tracks are missing until it is back"))
        except OSError as error:
            raise LibraryError(f"{name} cannot be read ({error.strerror}); check the path.") from error
        else:
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise LibraryError(f"{name} is neither a folder nor a file of audio; name one that is.")
    away = {root.path for root in absent}
    walker = Walker(patterns)
    there = [root for root in absolute if path_to_text(root) not in away]
    known = [path_to_text(root) for root in known_roots(database)]
    found = {file.path: file for root in there for file in walker.walk(root, enclosing_root(path_to_text(root), known))}
    unlisted = tuple(FailedPath(f.path, f"it cannot be listed ({f.error})") for f in walker.unreadable)
    return _Walked(tuple(map(path_to_text, absolute)), found, unlisted, tuple(absent))


def _holds_files(database: Database, root: str) -> bool:
    """True where the library has files below the root."""
    with database.reader() as session:
        return bool(load_known(session, [root]))


def _absolute(root: Path) -> Path:
    """``root`` from the top, without ``..`` or doubled slashes; links stay, so that paths are as the listener names them."""
    return Path("/" + os.path.abspath(root).lstrip("/"))  # noqa: PTH100 - Path.resolve would follow the links


def _make_plan(
    found: Mapping[str, FoundFile],
    known: Mapping[str, KnownFile],
    failed_before: Mapping[str, KnownFailure],
    *,
    again: bool,
) -> _Plan:
    """Sort the files found into those to read and those whose size and time say that nothing changed."""
    plan = _Plan()
    rows = rows_by_file(known.values())
    for path, file in found.items():
        failure, there = failed_before.get(path), [row for row in rows.get(path, ()) if not row.missing]
        if again:
            plan.to_read.append(file)
        elif failure and (failure.size, failure.mtime_ns) == (file.size, file.mtime_ns):
            plan.fail(path, failure.error)
        elif there and all(row.is_of(file) for row in there):
            plan.unchanged += 1
            plan.beside |= {row.id: file.beside for row in there if row.beside != file.beside}
        elif not there and (row := known.get(path)) and row.is_of(file) and len(rows[path]) == 1:
            plan.returned.append(row.id)
            plan.beside |= {row.id: file.beside} if row.beside != file.beside else {}
        else:
            plan.to_read.append(file)
    return plan


def _write_all(
    database: Database,
    writer: TrackWriter,
    plan: _Plan,
    counts: "Counter[Outcome]",
    options: ScanOptions,
    tell: Callable[[ScanProgress], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Read what is to be read and write it batch by batch; whether it came to the end."""
    done, started = 0, time.monotonic()
    for batch in _batches(plan.to_read, options.separators):
        readings = [item for item in batch if isinstance(item, Reading)]
        failures = [item for item in batch if isinstance(item, FailedReading)]
        with database.session() as session:
            outcomes = writer.put(session, readings)
            writer.put_failed(session, failures)
        counts.update(outcomes)
        plan.doubtful += [FailedPath(file_of(one.file.path), one.problem) for one in readings if one.problem]
        for failure in failures:
            plan.fail(failure.file.path, failure.error)
        done += len({file_of(item.file.path) for item in batch})
        tell(ScanProgress("reading music", done, len(plan.to_read), done / (time.monotonic() - started)))
        if done < len(plan.to_read) and should_stop():
            return False
    return True


def _batches(files: Sequence[FoundFile], separators: Sequence[str]) -> Iterator[list[Reading | FailedReading]]:
    """The contents of the files, in batches of so many files or seconds; no transaction is open while files are read."""
    batch: list[Reading | FailedReading] = []
    started = time.monotonic()
    for file in files:
        batch += read_file(file, separators)
        if len(batch) >= _BATCH_FILES or time.monotonic() - started > _BATCH_SECONDS:
            yield batch
            batch, started = [], time.monotonic()
    if batch:
        yield batch


def _empty_roots(walked: _Walked, known: Mapping[str, KnownFile]) -> list[FailedPath]:
    """Roots without any audio, where others have some."""
    taken = [*walked.found, *known, *(folder.path for folder in (*walked.unlisted, *walked.absent))]
    return [
        FailedPath(root, "it holds no audio files")
        for root in walked.roots
        if not any(is_below(path, root) for path in taken)
    ]


def _nothing_there(walked: _Walked) -> str:
    """The sentence for roots without any candidate."""
    if walked.unlisted:
        folder = walked.unlisted[0]
        return f"No audio was found: {folder.path}, {folder.error}; fix its permissions."
    where = ", ".join(walked.roots)
    return f"There are no audio files in {where}; name a folder that holds music."


def _nothing_readable(walked: _Walked, failed: Sequence[FailedPath]) -> str:
    """The sentence for roots with candidates of which none is audio."""
    first = failed[0]
    if len(failed) == 1:
        return f"{first.path} is not readable audio: {first.error}."
    where = ", ".join(walked.roots)
    return f"None of the {len(failed)} files in {where} is readable audio; the first, {first.path}: {first.error}."


def changed_paths(database: Database, paths: Sequence[Path]) -> list[Path]:
    """Those of ``paths`` that a scan can say anything about: that are there, or hold files of the library."""
    return [path for path in paths if path.exists() or _holds_files(database, path_to_text(path))]
