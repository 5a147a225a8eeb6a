"""Scanning folders into the library: only what changed is opened, and nothing that was known is lost."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from player.errors import PlayerError
from player.library.file_reader import FailedReading, Reading, read_file
from player.library.files import FoundFile, Walker, is_below
from player.library.paths import path_to_text, text_to_path
from player.library.track_writer import (
    KnownFailure,
    KnownFile,
    Outcome,
    TrackWriter,
    forget_failures,
    load_failed,
    load_known,
    mark_missing,
)
from player.storage.database import Database
from player.storage.models import LibraryRoot

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
    """The progress of a scan: ``done`` of ``total`` files that are new or changed (0 while that is not known)."""

    stage: str
    done: int
    total: int


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
        seconds: how long it took.
    """

    added: int
    updated: int
    moved: int
    missing: int
    unchanged: int
    failed: tuple[FailedPath, ...]
    seconds: float


@dataclass(slots=True)
class _Plan:
    """The work that is left after walking."""

    to_read: list[FoundFile] = field(default_factory=list[FoundFile])
    returned: list[int] = field(default_factory=list[int])
    """Ids of files marked missing that are back as they were."""
    failed: list[FailedPath] = field(default_factory=list[FailedPath])
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class _Walked:
    """The files below the roots."""

    roots: tuple[str, ...]
    found: dict[str, FoundFile]
    unlisted: tuple[FailedPath, ...]
    """Folders that could not be listed: what they hold is unknown, not gone."""

    def is_gone(self, path: str) -> bool:
        """True where a file that was below the roots is there no more."""
        return path not in self.found and not any(is_below(path, folder.path) for folder in self.unlisted)


def scan(
    database: Database,
    roots: Sequence[Path],
    progress: Callable[[ScanProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> ScanReport:
    """Bring the library up to date with ``roots`` (folders or files).

    A scan that is interrupted or stopped keeps what it has committed; the next one goes on from there.

    Args:
        database: the listener's.
        roots: what to look through; relative paths start at the working folder.
        progress: told after every batch.
        should_stop: asked after every batch; when true, the report covers what was done so far.

    Raises:
        LibraryError: a root does not exist, or nothing in any of them is readable audio.
        PlayerError: the database cannot be written.
    """
    started = time.perf_counter()
    tell = progress or _ignore
    tell(ScanProgress("looking for music", 0, 0))
    walked = _walk(roots)
    with database.reader() as session:
        known, failed_before = load_known(session, walked.roots), load_failed(session, walked.roots)
    if not walked.found and not known:
        raise LibraryError(_nothing_there(walked))
    plan = _make_plan(walked.found, known, failed_before)
    vanished = {row.id for path, row in known.items() if not row.missing and walked.is_gone(path)}
    writer = TrackWriter(walked.roots, walked.found, known, vanished)
    with database.session() as session:
        mark_missing(session, plan.returned, missing=False)
    counts = Counter({Outcome.UPDATED: len(plan.returned)})
    whole = _write_all(database, writer, plan, counts, tell, should_stop or _never)
    if whole:
        with database.session() as session:
            mark_missing(session, writer.vanished)
            forget_failures(session, [path for path in failed_before if walked.is_gone(path)])
    if whole and plan.failed and len(plan.failed) == len(walked.found) and not known:
        raise LibraryError(_nothing_readable(walked, plan.failed))
    return ScanReport(
        added=counts[Outcome.ADDED],
        updated=counts[Outcome.UPDATED],
        moved=counts[Outcome.MOVED],
        missing=len(writer.vanished) if whole else 0,
        unchanged=plan.unchanged,
        failed=(*walked.unlisted, *_empty_roots(walked, known), *plan.failed),
        seconds=time.perf_counter() - started,
    )


def _ignore(_progress: ScanProgress) -> None:
    """Tell nobody."""


def _never() -> bool:
    """Go on."""
    return False


def _walk(roots: Sequence[Path]) -> _Walked:
    """All files below ``roots``; raises LibraryError naming the first root that does not exist or cannot hold music."""
    absolute = [_absolute(root) for root in roots]
    for root in absolute:
        try:
            mode = root.stat().st_mode
        except OSError as error:
            reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            raise LibraryError(f"{path_to_text(root)} {reason}; check the path.") from error
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise LibraryError(f"{path_to_text(root)} is neither a folder nor a file of audio; name one that is.")
    walker = Walker()
    found = {file.path: file for root in absolute for file in walker.walk(root)}
    unlisted = tuple(FailedPath(f.path, f"it cannot be listed ({f.error})") for f in walker.unreadable)
    return _Walked(tuple(map(path_to_text, absolute)), found, unlisted)


def _absolute(root: Path) -> Path:
    """``root`` from the top, without ``..`` or doubled slashes; links stay, so that paths are as the listener names them."""
    return Path("/" + os.path.abspath(root).lstrip("/"))  # noqa: PTH100 - Path.resolve would follow the links


def _make_plan(
    found: Mapping[str, FoundFile], known: Mapping[str, KnownFile], failed_before: Mapping[str, KnownFailure]
) -> _Plan:
    """Sort the files found into those to read and those whose size and time say that nothing changed."""
    plan = _Plan()
    for path, file in found.items():
        stamp = file.size, file.mtime_ns
        failure, row = failed_before.get(path), known.get(path)
        if failure and (failure.size, failure.mtime_ns) == stamp:
            plan.failed.append(FailedPath(path, failure.error))
        elif not row or (row.size, row.mtime_ns) != stamp:
            plan.to_read.append(file)
        elif row.missing:
            plan.returned.append(row.id)
        else:
            plan.unchanged += 1
    return plan


def _write_all(
    database: Database,
    writer: TrackWriter,
    plan: _Plan,
    counts: "Counter[Outcome]",
    tell: Callable[[ScanProgress], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Read what is to be read and write it batch by batch; whether it came to the end."""
    done = 0
    for batch in _batches(plan.to_read):
        readings = [item for item in batch if isinstance(item, Reading)]
        failures = [item for item in batch if isinstance(item, FailedReading)]
        with database.session() as session:
            outcomes = writer.put(session, readings)
            writer.put_failed(session, failures)
        counts.update(outcomes)
        plan.failed.extend(FailedPath(failure.file.path, failure.error) for failure in failures)
        done += len(batch)
        tell(ScanProgress("reading music", done, len(plan.to_read)))
        if done < len(plan.to_read) and should_stop():
            return False
    return True


def _batches(files: Sequence[FoundFile]) -> Iterator[list[Reading | FailedReading]]:
    """The contents of the files, in batches of so many files or seconds; no transaction is open while files are read."""
    batch: list[Reading | FailedReading] = []
    started = time.monotonic()
    for file in files:
        batch.append(read_file(file))
        if len(batch) == _BATCH_FILES or time.monotonic() - started > _BATCH_SECONDS:
            yield batch
            batch, started = [], time.monotonic()
    if batch:
        yield batch


def _empty_roots(walked: _Walked, known: Mapping[str, KnownFile]) -> list[FailedPath]:
    """Roots without any audio, where others have some."""
    taken = [*walked.found, *known, *(folder.path for folder in walked.unlisted)]
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
    return f"There are no audio files in {where}; name a folder that holds MP3, FLAC, Ogg, Opus, M4A, WAV, AIFF or WMA."


def _nothing_readable(walked: _Walked, failed: Sequence[FailedPath]) -> str:
    """The sentence for roots with candidates of which none is audio."""
    first = failed[0]
    if len(failed) == 1:
        return f"{first.path} is not readable audio: {first.error}."
    where = ", ".join(walked.roots)
    return f"None of the {len(failed)} files in {where} is readable audio; the first, {first.path}: {first.error}."


def known_roots(database: Database) -> list[Path]:
    """Every root, in the order it was added."""
    with database.reader() as session:
        texts = session.scalars(select(LibraryRoot.path).order_by(LibraryRoot.added_us)).all()
    return [text_to_path(text) for text in texts]


def remember_roots(database: Database, roots: Sequence[Path]) -> None:
    """Keep roots for later scans."""
    with database.session() as session:
        for root in roots:
            session.execute(
                insert(LibraryRoot)
                .values(path=path_to_text(root), added_us=time.time_ns() // 1000)
                .on_conflict_do_nothing()
            )
