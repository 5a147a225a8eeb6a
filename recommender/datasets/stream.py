"""A data set as a stream of chunks in constant memory: names become indices, bad rows are counted, nothing piles up.

What grows is the table of track names, and that of listeners where their rows are scattered; where a listener's rows
stand together (sessions), listeners are numbered as they pass and forgotten.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError, Exclusion, Problem, Reading, parse_name
from recommender.datasets.emotify import emotify
from recommender.datasets.generic_table import csv_table, parquet_table
from recommender.datasets.mssd import mssd
from recommender.datasets.ratings import cm100k, movielens, piki
from recommender.datasets.rows import ArrowColumn, DatasetSource, Fault, Rows
from recommender.datasets.yambda import yambda

MALFORMED_SHARE = 0.01
"""Above this share of malformed rows, what is left cannot be trusted to be what the file meant to say."""
JUDGED_FROM_ROWS = 100_000
"""From so many rows on, the share is looked at while reading, so that a hopeless file is given up early."""
PROBLEMS_KEPT = 20
LONGEST_NAME = 256
"""Characters; a longer name of a track or listener is a sign of a broken row, and all names take the longest's room."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_READERS = {
    "mssd": mssd,
    "yambda": yambda,
    "piki": piki,
    "movielens": movielens,
    "cm100k": cm100k,
    "emotify": emotify,
    "csv": csv_table,
    "parquet": parquet_table,
}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of a file, in its order (not in time order); (N,) each, as in an ``EventLog``.

    Attributes:
        new_listeners: names of the listeners that no earlier chunk had, in the order of their indices.
    """

    listener: NDArray[np.int64]
    station: NDArray[np.int64]
    track: NDArray[np.int64]
    time: NDArray[np.float64]
    outcome: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    explicit: NDArray[np.bool_]
    share: NDArray[np.float32]
    known: NDArray[np.int8]
    new_listeners: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.track)


class DatasetStream:
    """Chunks of a data set; every iteration reads it anew.

    After (and while) iterating, ``tracks`` and ``stations`` map the names met so far to their indices, and ``reading``
    says how it went.
    """

    def __init__(self, name: str, source: DatasetSource, listeners: int | None = None) -> None:
        """A stream of ``source``, of its first ``listeners`` only where that is given."""
        self.name = name
        self.kind = source.kind
        self.ordered = source.ordered
        self.consecutive = source.consecutive
        self.notes = source.notes
        self._source = source
        self._allowed = listeners
        self._pass = _Pass(source.consecutive, listeners)

    def __iter__(self) -> Iterator[Chunk]:
        """Read from the start; raises DatasetError where the file is bad, or more than one row in a hundred is."""
        self._pass = state = _Pass(self.consecutive, self._allowed)
        for rows in self._source.read():
            chunk = state.chunk(rows)
            state.check(self.name, at_end=False)
            if len(chunk):
                yield chunk
            if state.full:
                break
        state.check(self.name, at_end=True)

    @property
    def tracks(self) -> Mapping[str, int]:
        """The tracks met so far, by name."""
        return self._pass.tracks

    @property
    def stations(self) -> Mapping[str, int]:
        """The stations met so far, by name."""
        return self._pass.stations

    @property
    def listeners(self) -> int:
        """How many listeners were met so far."""
        return self._pass.listeners

    @property
    def reading(self) -> Reading:
        """How it went so far."""
        return self._pass.reading

    def content(self) -> NDArray[np.float32] | None:
        """(n, dim) vectors of the tracks met so far, where the data set has any."""
        return self._source.content(self.tracks) if self._source.content else None

    def artist(self) -> NDArray[np.int64] | None:
        """(n,) codes of the artists of the tracks met so far, where the data set names any."""
        return self._source.artist(self.tracks) if self._source.artist else None

    def first_listeners(self, rows: int) -> "DatasetStream":
        """The stream of the first listeners that have together at most this many rows, but of one at least."""
        if rows < 1:
            raise DatasetError(f"A limit of {rows} rows leaves nothing to read; give 1 or more.")
        counts = np.zeros(0, np.int64)
        for chunk in self:
            counts = np.pad(counts, (0, max(0, self.listeners - len(counts))))
            counts += np.bincount(chunk.listener, minlength=len(counts))
            if self.consecutive and counts.sum() > rows:
                break
        whole = int(np.searchsorted(np.cumsum(counts), rows, side="right"))
        return DatasetStream(self.name, self._source, max(1, whole))


def stream_dataset(name: str, *, columns: Mapping[str, str] | None = None, limit: int | None = None) -> DatasetStream:
    """The data set ``KIND:PATH`` as a stream.

    Args:
        name: kind and path.
        columns: which column is what (csv, parquet), or other options of the kind; see ``docs/research/datasets.md``.
        limit: read only the first listeners, whole, up to this many rows.

    Raises:
        DatasetError: the name, the columns or the files are not right.
    """
    kind, path = parse_name(name)
    stream = DatasetStream(name, source_of(kind, path, columns or {}))
    return stream if limit is None else stream.first_listeners(limit)


def source_of(kind: str, path: Path, columns: Mapping[str, str]) -> DatasetSource:
    """The reader of a kind, set on a path."""
    return _READERS[kind](path, columns)


@dataclass(slots=True)
class _Pass:
    """What one reading remembers."""

    consecutive: bool
    allowed: int | None
    tracks: dict[str, int] = field(default_factory=dict[str, int])
    stations: dict[str, int] = field(default_factory=dict[str, int])
    listeners: int = 0
    full: bool = False
    """Whether all allowed listeners have passed."""
    _known_listeners: dict[str, int] = field(default_factory=dict[str, int])
    _last_listener: str = ""
    _rows: int = 0
    _kept: int = 0
    _malformed: int = 0
    _problems: list[Problem] = field(default_factory=list[Problem])
    _exclusions: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def reading(self) -> Reading:
        exclusions = tuple(Exclusion(reason, rows) for reason, rows in self._exclusions.items() if rows)
        left_out = sum(exclusion.rows for exclusion in exclusions)
        return Reading(self._rows, self._malformed, left_out, tuple(self._problems), exclusions)

    def check(self, name: str, *, at_end: bool) -> None:
        """Raise DatasetError where too many rows are malformed."""
        if (at_end or self._rows >= JUDGED_FROM_ROWS) and self._malformed > MALFORMED_SHARE * self._rows:
            first = self._problems[0]
            raise DatasetError(
                f"{name}: {self._malformed} of {self._rows} rows are malformed, which is more than {MALFORMED_SHARE:.0%}; the"
                f" first is {first.file}, line {first.line}: {first.reason}."
            )

    def chunk(self, rows: Rows) -> Chunk:
        """A batch as indices, without what is malformed or excluded."""
        listener, track = rows.listener.encoded(), rows.track.encoded()
        named = [
            Fault(_unnameable(column.values)[column.codes], f"the name of the {role} is empty, endless or unprintable")
            for role, column in (("listener", listener), ("track", track))
        ]
        good = self._sifted(rows, [*rows.faults, *named])
        index, new = self._listener_index(listener.values, listener.codes[good])
        over = index < 0
        if over.any():
            self._count("beyond the limit", int(np.count_nonzero(over)))
            good, index = good[~over], index[~over]
        time = rows.time[good] if rows.time is not None else np.arange(self._kept, self._kept + len(good), dtype=float)
        self._kept += len(good)
        said = rows.judgements
        return Chunk(
            listener=index,
            station=self._station_index(rows.station, good),
            track=_indices(self.tracks, track.values, track.codes[good]),
            time=time,
            outcome=said.outcome[good],
            label=said.label[good],
            weight=said.weight[good],
            explicit=said.explicit[good],
            share=said.share[good],
            known=rows.known[good] if rows.known is not None else np.full(len(good), -1, np.int8),
            new_listeners=new,
        )

    def _sifted(self, rows: Rows, faults: list[Fault]) -> NDArray[np.int64]:
        """The rows that are neither malformed nor excluded; the others are counted, under their first reason."""
        batch = rows.batch
        self._rows += len(batch.lines) + len(batch.problems) + sum(exclusion.rows for exclusion in rows.filtered)
        for exclusion in rows.filtered:
            self._count(exclusion.reason, exclusion.rows)
        good = np.ones(len(batch.lines), np.bool_)
        problems = list(batch.problems)
        for fault in faults:
            found = np.flatnonzero(fault.rows & good)
            self._malformed += len(found)
            good[found] = False
            shown = found[:PROBLEMS_KEPT].tolist()
            problems += [Problem(batch.file, int(batch.lines[row]), fault.reason_of(row)) for row in shown]
        self._malformed += len(batch.problems)
        room = PROBLEMS_KEPT - len(self._problems)
        self._problems += sorted(problems, key=lambda problem: problem.line)[:room]
        for exclusion in rows.exclusions:
            self._count(exclusion.reason, int(np.count_nonzero(exclusion.rows & good)))
            good &= ~exclusion.rows
        return np.flatnonzero(good)

    def _count(self, reason: str, rows: int) -> None:
        self._exclusions[reason] = self._exclusions.get(reason, 0) + rows

    def _station_index(self, station: ArrowColumn | None, good: NDArray[np.int64]) -> NDArray[np.int64]:
        if station is None:
            self.stations.setdefault("", 0)
            return np.zeros(len(good), np.int64)
        codes, values = station.encoded()
        return _indices(self.stations, values, codes[good])

    def _listener_index(self, names: list[str], codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """(N,) indices of the listeners, -1 beyond the limit, and the names of the new ones."""
        if self.consecutive:
            return self._consecutive_index(names, codes)
        before = self.listeners
        index = _indices(self._known_listeners, names, codes, self.allowed)
        self.listeners = len(self._known_listeners)
        newest = islice(reversed(self._known_listeners), self.listeners - before)
        return index, tuple(newest)[::-1]

    def _consecutive_index(
        self, names: list[str], codes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        if not len(codes):
            return codes, ()
        changed = np.diff(codes, prepend=-1) != 0
        changed[0] = names[codes[0]] != self._last_listener or not self.listeners
        index = self.listeners - 1 + np.cumsum(changed)
        new = [names[code] for code in codes[changed]]
        self._last_listener = names[codes[-1]]
        if self.allowed is not None and index[-1] >= self.allowed:
            self.full = True
            new = new[: self.allowed - self.listeners]
            index[index >= self.allowed] = -1
        self.listeners += len(new)
        return index, tuple(new)


def _indices(
    table: dict[str, int], names: list[str], codes: NDArray[np.int64], most: int | None = None
) -> NDArray[np.int64]:
    """(N,) the names' indices; new ones enter the table in the order of the rows, as long as it has fewer than ``most``."""
    index = np.fromiter(map(table.get, names, repeat(-1)), np.int64, len(names))
    new, first = np.unique(codes[index[codes] < 0], return_index=True)
    room = len(new) if most is None else max(0, most - len(table))
    for code in new[np.argsort(first, kind="stable")][:room].tolist():
        index[code] = table[names[code]] = len(table)
    return index[codes]


def _unnameable(names: list[str]) -> NDArray[np.bool_]:
    """(N,) which names are blank, endless or hold control characters."""
    short = all(map(str.strip, names)) and max(map(len, names), default=0) <= LONGEST_NAME
    if short and not _CONTROL.search("".join(names)):
        # Nearly always; all names are searched at once.
        return np.zeros(len(names), np.bool_)
    return np.array(
        [not name.strip() or len(name) > LONGEST_NAME or _CONTROL.search(name) is not None for name in names], np.bool_
    )
