"""From a stream of any size to shards of whole listeners.

The rows are dealt into piles by a hash of the listener, put in time order pile by pile, and written as shards. Of a sample
of the listeners the newest rows are kept apart: validation asks about them. The target is filled when all is there; a
conversion that was interrupted is begun again.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from pyarrow.dataset import dataset, partitioning, write_dataset

from recommender.datasets.opening import FINAL
from recommender.datasets.stream import DatasetStream
from recommender.evaluation.splits import split_listener_last
from recommender.events import EventLog, empty_log
from recommender.ranking.gumbel import GOLDEN, mix
from recommender.sequence.items import TrackCounts
from recommender.sequence.windows import joined
from recommender.training.progress import ConversionReport
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

PILES = 256
"""Files that listeners are dealt into by a hash; a shard is one pile or several, so memory holds a 256th of the log."""
BUFFERED_ROWS = 2048
"""Of each pile, before they are written: some 25 MB in all."""
PILE = "pile"
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


def convert(
    stream: DatasetStream,
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
        ShardError: the target is taken or cannot be written; or there is no row, or no positive among them.
        DatasetError: the stream cannot be read.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ShardError(f"{target} is not empty: name a new folder, or remove it.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as working:
            manifest = _Writer(Path(working), stream, shard_rows, asked_listeners, on_progress).run()
            target.mkdir(exist_ok=True)
            for path in sorted(Path(working).iterdir(), key=lambda path: path.name == MANIFEST):
                path.rename(target / path.name)  # what makes the folder whole comes last
    except OSError as error:
        where = error.filename or target
        raise ShardError(
            f"The shards cannot be written ({where}): {(error.strerror or str(error)).lower()}."
        ) from error
    return manifest


def mixed(listener: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 well-mixed bits of each listener's number (N,) from 0, by which listeners are dealt the same way wherever and whenever it is done."""
    return mix(listener.astype(np.uint64) + GOLDEN)


def part_of(listener: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """(N,) which of ``parts`` parts each listener is in."""
    return (mixed(listener) % np.uint64(parts)).astype(np.int64)


@dataclass(slots=True)
class _Writer:
    """One conversion."""

    folder: Path
    stream: DatasetStream
    shard_rows: int
    asked_listeners: int
    on_progress: Callable[[ConversionReport], None]
    read: int = 0
    written: int = 0
    held_out: list[EventLog] = field(default_factory=list[EventLog])
    history: list[EventLog] = field(default_factory=list[EventLog])
    shards: list[Shard] = field(default_factory=list[Shard])

    def run(self) -> Manifest:
        counts: TrackCounts | None = None
        for rows in self._groups():
            log = self._without_held_out(_log_of(rows, len(self.stream.tracks)))
            if len(log):
                self._write_shard(log)
                found = TrackCounts.of(log)
                counts = found if counts is None else counts + found
            self.on_progress(ConversionReport(self.read, self.written))
        if counts is None or not counts.liked.any():
            raise ShardError(f"{self.stream.name} holds no positive to learn from: name another data set.")
        return self._finish(counts)

    def _groups(self) -> Iterator[Any]:
        """The rows as tables of whole listeners, one in memory at a time; a listener's rows keep their order."""
        piles = self.folder / "piles"
        fields = {**FINAL, PILE: np.int16}
        schema = pa.schema([(name, pa.from_numpy_dtype(np.dtype(kind))) for name, kind in fields.items()])
        write_dataset(
            pa.RecordBatchReader.from_batches(schema, self._dealt(schema)),
            piles,
            format="arrow",
            partitioning=partitioning(pa.schema([schema.field(PILE)])),
            max_partitions=PILES,
            max_open_files=PILES + 1,
            min_rows_per_group=BUFFERED_ROWS,
            use_threads=False,
        )
        group: list[Any] = []
        for path in sorted(piles.iterdir()):
            pile = dataset(path, format="arrow").to_table(use_threads=False)
            if group and sum(map(len, group)) + len(pile) > self.shard_rows:
                yield pa.concat_tables(group)
                group = []
            group.append(pile)
            shutil.rmtree(path)
        piles.rmdir()
        yield pa.concat_tables(group)

    def _dealt(self, schema: Any) -> Iterator[Any]:
        """The rows as batches of Arrow, as they come, each with its pile."""
        for chunk in self.stream:
            columns = [pa.array(getattr(chunk, name)) for name in FINAL]
            piles = pa.array(part_of(chunk.listener, PILES).astype(np.int16))
            self.read += len(chunk)
            self.on_progress(ConversionReport(self.read, 0))
            yield pa.RecordBatch.from_arrays([*columns, piles], schema=schema)

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


def _log_of(rows: Any, tracks: int) -> EventLog:
    """The rows of a table as a log in time order."""
    order = np.argsort(rows.column("time").to_numpy(), kind="stable")
    columns = {name: rows.column(name).to_numpy()[order] for name in FINAL}
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
