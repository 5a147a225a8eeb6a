"""From a name, or from a log at hand, to a :class:`recommender.datasets.dataset.Dataset`, its columns in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

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


class _Columns:
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


def _log(columns: Columns, tracks: int) -> EventLog:
    assert set(columns) == {column.name for column in fields(EventLog)} - {"tracks"}
    return EventLog(**columns, tracks=tracks)  # pyright: ignore[reportArgumentType] - the types are those of FINAL


def open_dataset(
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Dataset:
    """Read a data set whole.

    Args:
        name: ``KIND:PATH``, with a kind of :data:`recommender.datasets.dataset.KINDS`.
        columns: which column is what (csv, parquet), or other options of the kind; see ``docs/research/datasets.md``.
        limit: read only the first listeners, whole, up to this many rows.

    Raises:
        DatasetError: the name, the columns or the files are not right, too many rows are malformed, or there is no positive
            or no negative feedback to learn from.
    """
    stream = stream_dataset(name, columns=columns, limit=limit)
    log, listeners = _collected(stream)
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
        artist=stream.artist(),
    )


def _collected(stream: DatasetStream) -> tuple[EventLog, NDArray[np.str_]]:
    """The whole log and the listeners' names."""
    store, sides = _Columns(), np.zeros(3, np.int64)
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
