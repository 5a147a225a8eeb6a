"""From a name, or from a log at hand, to a :class:`recommender.datasets.dataset.Dataset`, its columns in memory or on disk."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import Dataset, DatasetError, Reading
from recommender.datasets.stream import Chunk, DatasetStream, stream_dataset
from recommender.events import EventLog

Columns = Mapping[str, NDArray[np.generic]]
FINAL: Mapping[str, type[np.generic]] = {
    "listener": np.int64,
    "station": np.int64,
    "track": np.int64,
    "time": np.float64,
    "outcome": np.int8,
    "label": np.int8,
    "weight": np.float32,
    "explicit": np.bool_,
    "share": np.float32,
    "known": np.int8,
}
"""The columns of a log and their types."""
WAITING: Mapping[str, type[np.generic]] = FINAL | {"listener": np.int32, "station": np.int32, "track": np.int32}
"""The same while they wait: no set at hand has two thousand million listeners."""
BUCKET_ROWS = 1 << 22
"""Rows sorted together in memory when a log on disk is put in time order."""
COPIED_ROWS = 1 << 20
SAMPLED_TIMES = 1 << 16


class Store(Protocol):
    """Takes chunks and gives them back as one log in time order."""

    def add(self, chunk: Chunk) -> None:
        """Append a chunk."""
        ...

    def log(self, tracks: int) -> EventLog:
        """All rows in time order, those of one moment in the order they came; ends the store's use."""
        ...

    def names(self) -> NDArray[np.str_]:
        """(L,) the listeners' names."""
        ...

    def close(self) -> None:
        """Let go of what is only needed while rows come; may be called at any time, and more than once."""
        ...


class MemoryStore:
    """Columns as lists of arrays."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[NDArray[np.generic]]] = {name: [] for name in WAITING}
        self._names: list[str] = []

    def add(self, chunk: Chunk) -> None:
        """Append a chunk."""
        for name, kind in WAITING.items():
            self._pieces[name].append(getattr(chunk, name).astype(kind))
        self._names.extend(chunk.new_listeners)

    def log(self, tracks: int) -> EventLog:
        """All rows in time order; one column at a time, so that at most one is held twice."""
        time = np.concatenate([np.empty(0), *self._pieces["time"]])
        order = np.argsort(time, kind="stable") if np.any(np.diff(time) < 0) else None
        columns: dict[str, NDArray[np.generic]] = {}
        for name, kind in FINAL.items():
            whole = np.concatenate([np.empty(0, kind), *self._pieces.pop(name)])
            columns[name] = whole if order is None else whole[order]
        return _log(columns, tracks)

    def names(self) -> NDArray[np.str_]:
        """(L,) the listeners' names."""
        return np.array(self._names, np.str_)

    def close(self) -> None:
        """Forget the pieces."""
        self._pieces.clear()


class DiskStore:
    """Columns as ``.npy`` files in a folder, never in memory as a whole."""

    def __init__(self, folder: Path) -> None:
        """Take over an empty folder, which is made if need be; raises DatasetError where it is not empty."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            taken = next(folder.iterdir(), None)
        except OSError as error:
            raise DatasetError(f"{folder} cannot be used for the columns of the log: {error.strerror}.") from error
        if taken is not None:
            raise DatasetError(f"{folder} is not empty; name a new folder for the columns of the log.")
        self._folder = folder
        self._waiting = TemporaryDirectory(dir=folder, prefix="waiting-")
        self._files = {name: self._path(name).open("wb") for name in WAITING}
        self._names = self._path("names").open("w", encoding="utf-8")
        self._listeners, self._longest, self._rows = 0, 1, 0

    def _path(self, name: str) -> Path:
        return Path(self._waiting.name) / name

    def add(self, chunk: Chunk) -> None:
        """Append a chunk."""
        for name, kind in WAITING.items():
            getattr(chunk, name).astype(kind).tofile(self._files[name])
        # Names with control characters never get here, so a line is a name.
        self._names.writelines(f"{name}\n" for name in chunk.new_listeners)
        self._listeners += len(chunk.new_listeners)
        self._longest = max(self._longest, *map(len, chunk.new_listeners), 1)
        self._rows += len(chunk)

    def log(self, tracks: int) -> EventLog:
        """All rows in time order, as memory maps."""
        for file in self._files.values():
            file.close()
        waiting: Columns = {
            name: np.memmap(self._path(name), kind, "r") if self._rows else np.empty(0, kind)
            for name, kind in WAITING.items()
        }
        paths = {name: self._folder / f"{name}.npy" for name in FINAL}
        final = {name: np.lib.format.open_memmap(paths[name], "w+", FINAL[name], shape=(self._rows,)) for name in FINAL}
        start = 0
        for rows in _in_time_order(np.asarray(waiting["time"], np.float64)):
            for name, column in waiting.items():
                final[name][start : start + len(rows)] = column[rows]
            start += len(rows)
        for column in final.values():
            column.flush()
        del waiting, final
        return _log({name: np.load(path, mmap_mode="r") for name, path in paths.items()}, tracks)

    def names(self) -> NDArray[np.str_]:
        """(L,) the listeners' names, as a memory map."""
        self._names.close()
        path = self._folder / "listeners.npy"
        names = np.lib.format.open_memmap(path, "w+", f"<U{self._longest}", shape=(self._listeners,))
        with self._path("names").open(encoding="utf-8", newline="\n") as lines:
            for index, line in enumerate(lines):
                names[index] = line.removesuffix("\n")
        names.flush()
        return np.load(path, mmap_mode="r")

    def close(self) -> None:
        """Remove the files of the columns as they came."""
        for file in (*self._files.values(), self._names):
            # On a full disk closing fails too, and why has been said by then.
            with suppress(OSError):
                file.close()
        self._waiting.cleanup()


def _log(columns: Columns, tracks: int) -> EventLog:
    assert set(columns) == {column.name for column in fields(EventLog)} - {"tracks"}
    return EventLog(**columns, tracks=tracks)  # pyright: ignore[reportArgumentType] - the types are those of FINAL


def _in_time_order(time: NDArray[np.float64]) -> Iterator[NDArray[np.int64]]:
    """Row numbers in time order, stable, some millions at a time.

    A sorted column is passed through. Otherwise the rows are dealt into buckets between sampled times, and each bucket is
    sorted in memory; rows of one single moment are always in one bucket.
    """
    if _sorted(time):
        for start in range(0, len(time), COPIED_ROWS):
            yield np.arange(start, min(len(time), start + COPIED_ROWS))
        return
    buckets = -(-len(time) // BUCKET_ROWS)
    sample = np.sort(time[:: max(1, len(time) // SAMPLED_TIMES)])
    edges = np.unique(sample[np.linspace(0, len(sample) - 1, buckets + 1).astype(np.int64)[1:-1]])
    bounds = [-np.inf, *edges.tolist(), np.inf]
    for low, high in pairwise(bounds):
        rows = np.concatenate([np.empty(0, np.int64), *_between(time, low, high)])
        yield rows[np.argsort(time[rows], kind="stable")]


def _between(time: NDArray[np.float64], low: float, high: float) -> Sequence[NDArray[np.int64]]:
    """Rows with low ≤ time < high."""
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(time), COPIED_ROWS):
        part = time[start : start + COPIED_ROWS]
        found.append(np.flatnonzero((part >= low) & (part < high)) + start)
    return found


def _sorted(time: NDArray[np.float64]) -> bool:
    return all(
        bool(np.all(np.diff(time[start : start + COPIED_ROWS + 1]) >= 0)) for start in range(0, len(time), COPIED_ROWS)
    )


def open_dataset(
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    memmap: Path | None = None,
) -> Dataset:
    """Read a data set whole.

    Args:
        name: ``KIND:PATH``, with a kind of :data:`recommender.datasets.dataset.KINDS`.
        columns: which column is what (csv, parquet), or other options of the kind; see ``docs/research/datasets.md``.
        limit: read only the first listeners, whole, up to this many rows.
        memmap: an empty folder for the columns, which then stay on disk.

    Raises:
        DatasetError: the name, the columns or the files are not right, too many rows are malformed, or there is no positive
            or no negative feedback to learn from.
    """
    stream = stream_dataset(name, columns=columns, limit=limit)
    with closing(DiskStore(memmap) if memmap is not None else MemoryStore()) as store:
        try:
            log, listeners = _collected(stream, store)
        except OSError as error:
            raise DatasetError(f"The columns cannot be written to {memmap}: {error.strerror or error}.") from error
    left_out = tuple(f"Left out: {part.rows:,} rows ({part.reason})." for part in stream.reading.exclusions)
    return Dataset(
        name=name,
        kind=stream.kind,
        log=log,
        ordered=stream.ordered,
        listeners=listeners,
        tracks=np.array(list(stream.tracks), np.str_),
        content=stream.content(),
        reading=stream.reading,
        notes=(*stream.notes, *left_out),
    )


def _collected(stream: DatasetStream, store: Store) -> tuple[EventLog, NDArray[np.str_]]:
    """The whole log and the listeners' names."""
    sides = np.zeros(3, np.int64)
    for chunk in stream:
        store.add(chunk)
        sides += np.bincount(chunk.label + 1, minlength=3)
    negative, _, positive = sides.tolist()
    _refuse_one_sided(stream.name, stream.reading, positive, negative)
    return store.log(len(stream.tracks)), store.names()


def dataset_of(
    log: EventLog,
    *,
    name: str = "log",
    listeners: Sequence[str] | None = None,
    tracks: Sequence[str] | None = None,
    content: NDArray[np.float32] | None = None,
    notes: tuple[str, ...] = (),
    artist: NDArray[np.int64] | None = None,
) -> Dataset:
    """A data set made of a log at hand, for example the player's own.

    Args:
        log: with a clock that means something.
        name: what figures about it are headed with.
        listeners: their names by index; the indices themselves where left out.
        tracks: the same for the tracks.
        content: (log.tracks, dim) vectors of the tracks, NaN rows where unknown.
        notes: what has to be said wherever figures are shown.
        artist: (log.tracks,) indices of their artists, below 0 for none.

    Raises:
        ValueError: names or vectors do not match the log.
    """
    count = int(log.listener.max()) + 1 if len(log) else 0
    people = _names(listeners, count, "listeners")
    if content is not None and len(content) != log.tracks:
        raise ValueError(f"content has {len(content)} rows for {log.tracks} tracks")
    return Dataset(
        name=name,
        kind=name.partition(":")[0],
        log=log,
        ordered=True,
        listeners=people,
        tracks=_names(tracks, log.tracks, "tracks"),
        content=content,
        reading=Reading(rows=len(log), malformed=0, excluded=0, problems=()),
        notes=notes,
        artist=artist,
    )


def _names(given: Sequence[str] | None, count: int, what: str) -> NDArray[np.str_]:
    if given is None:
        return np.arange(count).astype(np.str_)
    if len(given) < count:
        raise ValueError(f"{len(given)} names for {count} {what}")
    return np.array(given, np.str_)


def _refuse_one_sided(name: str, reading: Reading, positive: int, negative: int) -> None:
    """Raise DatasetError where there is nothing to tell apart."""
    if not reading.rows:
        raise DatasetError(f"{name} holds no rows below its header; there is nothing to learn from.")
    if positive and negative:
        return
    kinds = " and ".join(kind for kind, count in (("positive", positive), ("negative", negative)) if not count)
    because = "".join(f"; {part.rows} rows are left out: {part.reason}" for part in reading.exclusions)
    raise DatasetError(
        f"{name} holds no {kinds} feedback in {reading.rows} rows, and likes and dislikes are what is compared{because}."
    )
