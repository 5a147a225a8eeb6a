"""Columns that wait until the last row has come: in memory, or on disk for logs that do not fit."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError
from recommender.datasets.stream import Chunk
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
