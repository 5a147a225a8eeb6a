"""Runs on disk: every one in a folder of its own, finished or not, and none believed before it is checked.

``<root>/<id>/record.json`` is the record, beside it the pictures; ``parts/`` holds what an unfinished run has computed, so
that the same command goes on where it was interrupted. Files are written beside their place, synced and moved there.
"""

import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace
from threadpoolctl import threadpool_limits

from recommender.experiments.json_values import JsonObject, json_object, same
from recommender.experiments.records import (
    ID_PATTERN,
    MOST_BYTES,
    ExperimentError,
    FigureFile,
    Record,
    machine,
    record_from_json,
    record_to_json,
    versions,
)

RECORD = "record.json"
PARTS = "parts"
LOCK = "lock"
PREFIX_PATTERN = re.compile(r"[0-9a-f]{1,8}")
PART_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture to be made: ``name`` becomes ``name.png``, and ``draw`` writes it to the path it is given."""

    name: str
    title: str
    draw: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a study found: figures that a repetition must meet to the last digit, facts about the data, and pictures."""

    results: JsonObject
    dataset: JsonObject
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where an unfinished run keeps what it has computed."""

    folder: Path

    def load(self, name: str) -> bytes | None:
        """A part saved before, or None."""
        try:
            return (self.folder / _part(name)).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def save(self, name: str, content: bytes) -> None:
        """Keep a part, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / _part(name), content)


@dataclass(frozen=True, slots=True)
class Listing:
    """All runs that can be read, newest first, and a sentence for each that cannot."""

    records: tuple[Record, ...]
    problems: tuple[str, ...]


class RunStore:
    """The runs under one folder."""

    def __init__(self, root: Path) -> None:
        """Use ``root``, which is made when the first run begins."""
        self.root = root

    def listing(self) -> Listing:
        """Every run."""
        records: list[Record] = []
        problems: list[str] = []
        for name in self._ids():
            try:
                records.append(self.read(name))
            except ExperimentError as error:
                problems.append(str(error))
        return Listing(tuple(sorted(records, key=lambda each: (each.created, each.id), reverse=True)), tuple(problems))

    def find(self, prefix: str) -> Record:
        """The one run whose id begins like this.

        Raises:
            ExperimentError: there is none, there are several, or it is damaged.
        """
        if not PREFIX_PATTERN.fullmatch(prefix):
            raise ExperimentError(
                f"{prefix!r} is no id of an experiment: `player experiment list` shows those there are."
            )
        found = [name for name in self._ids() if name.startswith(prefix)]
        if not found:
            raise ExperimentError(f"There is no experiment {prefix}: `player experiment list` shows those there are.")
        if len(found) > 1:
            raise ExperimentError(f"Several experiments begin with {prefix} ({', '.join(found)}): give more digits.")
        return self.read(found[0])

    def read(self, identity: str) -> Record:
        """One run by its whole id.

        Raises:
            ExperimentError: it is damaged.
        """
        path = self.root / identity / RECORD
        try:
            with path.open("rb") as file:
                record = record_from_json(file.read(MOST_BYTES))  # cut off, a larger one is no JSON
        except FileNotFoundError:
            raise ExperimentError(f"Experiment {identity} has no record ({path}): remove its folder.") from None
        except OSError as error:
            raise ExperimentError(f"The record of {identity} cannot be read ({path}): {_why(error)}.") from error
        except ValueError as error:
            raise ExperimentError(
                f"The record of experiment {identity} is damaged ({path}: {_one_line(error)}): remove its folder."
            ) from None
        if record.id != identity:
            raise ExperimentError(
                f"The folder of experiment {identity} holds another one, {record.id}: rename it back."
            )
        return record

    def figure_path(self, record: Record, figure: FigureFile) -> Path:
        """Where a picture lies."""
        return self.root / record.id / figure.file

    def write(self, record: Record) -> None:
        """Write a record over what was there, whole or not at all."""
        folder = self.root / record.id
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / RECORD, record_to_json(record))

    def unfinished(self, kind: str, configuration: JsonObject, fingerprint: str) -> Record | None:
        """The newest run of this kind that was interrupted, asked the same about the same data with the same versions."""
        for record in self.listing().records:
            if (
                not record.finished
                and not record.repeats
                and (record.kind, record.fingerprint) == (kind, fingerprint)
                and same(record.configuration, configuration)
                and same(record.versions, json_object(versions()))
            ):
                return record
        return None

    def begin(self, kind: str, configuration: JsonObject, fingerprint: str, repeats: str) -> Record:
        """A new run, on disk before it computes anything."""
        record = Record(
            id=self._free_id(kind, fingerprint),
            kind=kind,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            finished=False,
            configuration=configuration,
            fingerprint=fingerprint,
            dataset={},
            versions=json_object(versions()),
            machine=json_object(machine()),
            seconds=0.0,
            results={},
            repeats=repeats,
        )
        self.write(record)
        return record

    def _free_id(self, kind: str, fingerprint: str) -> str:
        while True:
            identity = sha256(f"{kind} {fingerprint} {time.time_ns()} {os.getpid()}".encode()).hexdigest()[:8]
            if not (self.root / identity).exists():
                return identity

    def _ids(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if path.is_dir() and ID_PATTERN.fullmatch(path.name))


def conduct(
    store: RunStore,
    kind: str,
    configuration: JsonObject,
    fingerprint: str,
    study: Callable[[Workspace], Finding],
    *,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Run a study and keep its record; interrupted, it stays unfinished with the parts it saved.

    Args:
        store: where.
        kind: which experiment.
        configuration: everything that determines the results besides the data.
        fingerprint: of the data.
        study: computes; it may save parts and finds them again when it goes on.
        resume: whether an interrupted run of the same configuration, data and versions is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: the run cannot be stored, or the same run is going on in another process.
    """
    try:
        found = store.unfinished(kind, configuration, fingerprint) if resume else None
        record = found or store.begin(kind, configuration, fingerprint, repeats)
        with _alone(store.root / record.id / LOCK, record.id):
            return _carry_out(store, record, study)
    except OSError as error:
        where = error.filename or store.root
        raise ExperimentError(f"The experiment cannot be stored ({where}): {_why(error)}.") from error


def _carry_out(store: RunStore, record: Record, study: Callable[[Workspace], Finding]) -> Record:
    folder = store.root / record.id
    started = time.monotonic()
    try:
        with threadpool_limits(1):  # sums over several threads differ in the last digit with their number
            finding = study(Workspace(folder / PARTS))
    except BaseException:
        spent = record.seconds + time.monotonic() - started
        if (folder / PARTS).is_dir():
            store.write(replace(record, seconds=spent))
        else:
            shutil.rmtree(folder, ignore_errors=True)  # nothing was computed that the next attempt could use
        raise
    done = replace(
        record,
        finished=True,
        dataset=finding.dataset,
        results=finding.results,
        seconds=record.seconds + time.monotonic() - started,
        figures=tuple(_draw(folder, drawing) for drawing in finding.drawings),
    )
    store.write(done)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return done


def _draw(folder: Path, drawing: Drawing) -> FigureFile:
    file = f"{drawing.name}.png"
    temporary = folder / f".{file}-{os.getpid()}.png"
    try:
        drawing.draw(temporary)
        temporary.replace(folder / file)
    finally:
        temporary.unlink(missing_ok=True)
    return FigureFile(drawing.title, file)


@contextmanager
def _alone(path: Path, identity: str) -> Generator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ExperimentError(
                f"Experiment {identity}, the same as this, is running in another process: wait for it to end."
            ) from None
        yield


def _part(name: str) -> str:
    if not PART_PATTERN.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a part")
    return name


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
