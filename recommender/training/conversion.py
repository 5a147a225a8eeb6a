"""From a stream of any size to shards of whole listeners, in bounded memory.

The rows are grouped by listener over files (:mod:`recommender.training.external_grouping`), put in time order group by group, and
written as one shard each. Of a sample of the listeners the newest rows are kept apart: validation asks about them.
Everything is written into a folder beside the target, which takes the target's name when all is there; a conversion that
was interrupted is begun again.
"""

import fcntl
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from recommender.datasets.opening import FINAL
from recommender.datasets.stream import Chunk
from recommender.evaluation.splits import split_listener_last
from recommender.events import EventLog, empty_log
from recommender.sequence.track_counts import TrackCounts
from recommender.sequence.windows import joined
from recommender.training.external_grouping import Records, grouped, records_of
from recommender.training.listener_parts import part_of
from recommender.training.shards import (
    CONTENT,
    FORMAT,
    HELD_OUT,
    HISTORY,
    MANIFEST,
    TRACKS,
    Manifest,
    Shard,
    ShardError,
    manifest_to_json,
    write_log,
)

SHARD_ROWS = 500_000
"""Rows of a shard: about 25 MB as columns, and some times that while it is learned from."""
ASKED_LISTENERS = 5_000
"""Listeners that validation asks; more would make the figure no steadier than the seed lets it be."""
HELD_OUT_SHARE = 0.2
"""Newest part of such a listener's rows that is kept apart: four of a session of twenty."""
HISTORY_ROWS = 400
"""Newest rows before those, which are what validation sees; the longest context that Mei et al. 2024 use."""
UNORDERED = "The set has no order: what is held out are the last rows of the file, not the newest."
SALT = 1 << 40
"""Added before hashing, so that the sample does not follow the shards."""


class RowStream(Protocol):
    """What is converted; :class:`recommender.datasets.stream.DatasetStream` is one."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether time means something."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said wherever figures are shown."""
        ...

    @property
    def tracks(self) -> Mapping[str, int]:
        """The tracks met so far, by name, in the order of their indices."""
        ...

    @property
    def stations(self) -> Mapping[str, int]:
        """The stations met so far, by name."""
        ...

    @property
    def listeners(self) -> int:
        """How many listeners were met so far."""
        ...

    def __iter__(self) -> Iterator[Chunk]:
        """The rows, from the start."""
        ...

    def content(self) -> NDArray[np.float32] | None:
        """(n, dim) vectors of the tracks met so far, where there are any."""
        ...


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """How far a conversion is: rows that were read, and rows that stand in shards."""

    read: int
    written: int


def convert(
    stream: RowStream,
    target: Path,
    *,
    shard_rows: int = SHARD_ROWS,
    asked_listeners: int = ASKED_LISTENERS,
    on_progress: Callable[[ConversionReport], None] = lambda _: None,
) -> Manifest:
    """Write the rows of a stream as shards into a new folder.

    Memory holds the names and counts of the tracks, a few shards' worth of rows, and the rows of the listeners that
    validation asks (at most ``asked_listeners`` times :data:`HISTORY_ROWS` and what is held out), never the log. The disk
    needs about 44 bytes a row while it works, beside the shards.

    Args:
        stream: the rows.
        target: the folder; must not exist, or be empty.
        shard_rows: rows of a shard at most, unless one listener has more.
        asked_listeners: about how many listeners validation asks; 0 for none.
        on_progress: told after every chunk and every shard.

    Raises:
        ShardError: the target is taken, cannot be written, or is being written by another process; or there is no row, or
            no positive among them.
        DatasetError: the stream cannot be read.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ShardError(f"{target} is not empty: name a new folder, or remove it.")
    working = target.with_name(f".{target.name}.converting")
    try:
        with _alone_in(working):
            writer = _Writer(working, stream, shard_rows, asked_listeners, on_progress)
            manifest = writer.run()
            (working / LOCK).unlink()
            if target.exists():
                target.rmdir()
            working.rename(target)
    except OSError as error:
        where = error.filename or target
        raise ShardError(
            f"The shards cannot be written ({where}): {(error.strerror or str(error)).lower()}."
        ) from error
    return manifest


LOCK = "lock"
SPILLED = "spilled"


@contextmanager
def _alone_in(working: Path) -> Generator[None]:
    """An empty folder that is this process's; what an interrupted conversion left in it is removed."""
    working.mkdir(parents=True, exist_ok=True)
    with (working / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ShardError(f"{working} is being written by another process: wait for it to end.") from None
        for path in working.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()
        yield


@dataclass(slots=True)
class _Writer:
    """One conversion."""

    folder: Path
    stream: RowStream
    shard_rows: int
    asked_listeners: int
    on_progress: Callable[[ConversionReport], None]
    read: int = 0
    written: int = 0
    held_out: list[EventLog] = field(default_factory=list[EventLog])
    history: list[EventLog] = field(default_factory=list[EventLog])
    shards: list[Shard] = field(default_factory=list[Shard])

    def run(self) -> Manifest:
        spilled = self.folder / SPILLED
        spilled.mkdir()
        counts: TrackCounts | None = None
        for records in grouped(self._records(), spilled, self.shard_rows):
            log = self._without_held_out(_log_of(records, len(self.stream.tracks)))
            if len(log):
                self._write_shard(log)
                found = TrackCounts.of(log)
                counts = found if counts is None else counts + found
            self.on_progress(ConversionReport(self.read, self.written))
        if counts is None or not counts.liked.any():
            raise ShardError(f"{self.stream.name} holds no positive to learn from: name another data set.")
        shutil.rmtree(spilled)
        return self._finish(counts)

    def _records(self) -> Iterable[Records]:
        for chunk in self.stream:
            self.read += len(chunk)
            yield records_of(chunk)
            self.on_progress(ConversionReport(self.read, 0))

    def _without_held_out(self, log: EventLog) -> EventLog:
        """The log without the newest rows of the listeners that validation asks, which are put aside."""
        if not self.asked_listeners:
            return log
        one_in = max(1, round(self.stream.listeners / self.asked_listeners))
        asked = part_of(log.listener + SALT, one_in) == 0
        split = split_listener_last(log.where(asked), test=HELD_OUT_SHARE, validation=0.0)
        self.held_out.append(split.test)
        self.history.append(_newest(split.train, HISTORY_ROWS))
        return joined(log.where(~asked), split.train)[0]

    def _write_shard(self, log: EventLog) -> None:
        path = self.folder / f"shard-{len(self.shards):05d}.parquet"
        write_log(path, log)
        with path.open("rb") as file:
            self.shards.append(Shard(path.name, len(log), file_digest(file, "sha256").hexdigest()))
        self.written += len(log)

    def _finish(self, counts: TrackCounts) -> Manifest:
        stream, tracks = self.stream, len(self.stream.tracks)
        held_out, history = _together(self.held_out, tracks), _together(self.history, tracks)
        write_log(self.folder / HELD_OUT, held_out)
        write_log(self.folder / HISTORY, history)
        names = pa.array(stream.tracks, pa.string())
        table = {"name": names, "heard": counts.heard, "liked": counts.liked, "disliked": counts.disliked}
        parquet.write_table(pa.table(table), self.folder / TRACKS, compression="zstd", write_page_checksum=True)
        content = stream.content()
        if content is not None:
            np.save(self.folder / CONTENT, content.astype(np.float32), allow_pickle=False)
        manifest = Manifest(
            format=FORMAT,
            source=stream.name,
            ordered=stream.ordered,
            notes=stream.notes if stream.ordered else (*stream.notes, UNORDERED),
            listeners=stream.listeners,
            tracks=tracks,
            stations=len(stream.stations),
            rows=self.written,
            positives=int(counts.liked.sum()),
            negatives=int(counts.disliked.sum()),
            held_out=len(held_out),
            largest=max(shard.rows for shard in self.shards),
            dimension=0 if content is None else content.shape[1],
            shards=tuple(self.shards),
        )
        (self.folder / MANIFEST).write_text(manifest_to_json(manifest), "utf-8")
        return manifest


def _log_of(records: Records, tracks: int) -> EventLog:
    """Records as a log in time order."""
    ordered = records[np.argsort(records["time"], kind="stable")]
    columns = {name: np.ascontiguousarray(ordered[name]) for name in FINAL}
    return EventLog(**columns, tracks=tracks)


def _newest(log: EventLog, rows: int) -> EventLog:
    """Of each listener the newest rows."""
    order = np.argsort(log.listener, kind="stable")
    listener = log.listener[order]
    ends = np.searchsorted(listener, listener, side="right")
    kept = np.zeros(len(log), np.bool_)
    kept[order[ends - np.arange(len(log)) <= rows]] = True
    return log.where(kept)


def _together(logs: list[EventLog], tracks: int) -> EventLog:
    """Logs of different listeners as one, in time order."""
    if not logs:
        return empty_log(tracks)
    columns = {name: np.concatenate([getattr(log, name) for log in logs]) for name in FINAL}
    order = np.argsort(columns["time"], kind="stable")
    return EventLog(**{name: column[order] for name, column in columns.items()}, tracks=tracks)
