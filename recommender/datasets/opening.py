"""From a name, or from a log at hand, to a :class:`recommender.datasets.dataset.Dataset`."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.column_buffer import DiskStore, MemoryStore, Store
from recommender.datasets.dataset import Dataset, DatasetError, Reading
from recommender.datasets.stream import DatasetStream, stream_dataset
from recommender.events import EventLog


def open_dataset(
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    memmap: Path | None = None,
) -> Dataset:
    """Read a data set whole.

    Args:
        name: ``KIND:PATH``, with a kind of :data:`recommender.datasets.dataset_spec.KINDS`.
        columns: which column is what (csv, parquet), or other options of the kind; see ``docs/datasets.md``.
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
) -> Dataset:
    """A data set made of a log at hand, for example the player's own.

    Args:
        log: with a clock that means something.
        name: what figures about it are headed with.
        listeners: their names by index; the indices themselves where left out.
        tracks: the same for the tracks.
        content: (log.tracks, dim) vectors of the tracks, NaN rows where unknown.
        notes: what has to be said wherever figures are shown.

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
