"""A log in shards: Parquet files of whole listeners in a folder, read one at a time.

``manifest.json`` is written last, so a folder that has one is whole. ``tracks.parquet`` holds each track's name and counts,
``history.parquet`` and ``held-out.parquet`` the listeners that validation asks, ``content.npy`` the tracks' vectors where
the data set has any. The held-out rows are in no shard.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec.json import decode
from numpy.typing import NDArray
from pyarrow import parquet

from recommender.datasets.opening import FINAL
from recommender.events import EventLog, Outcome
from recommender.sequence.items import TrackCounts

FORMAT = 1
"""Raised whenever the files change their meaning; other formats are refused."""
MANIFEST = "manifest.json"
TRACKS = "tracks.parquet"
HISTORY = "history.parquet"
HELD_OUT = "held-out.parquet"
CONTENT = "content.npy"
FILE_NAME = re.compile(r"shard-\d{5,}\.parquet", re.ASCII)
SMALLEST_STATION = -1
"""Feedback given on no station."""


class ShardError(Exception):
    """Shards that cannot be read or written; the message is one sentence that says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file: its name, its rows, and its SHA-256."""

    file: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of shards holds.

    Attributes:
        format: of the files.
        source: the data set's name.
        ordered: whether time means something.
        notes: what has to be said wherever figures are shown.
        listeners, tracks, stations: how many there are.
        rows: in the shards.
        positives, negatives: of these.
        held_out: rows kept apart for validation.
        largest: rows of the largest shard.
        dimension: of the content vectors; 0 where there are none.
        shards: the files.
    """

    format: int
    source: str
    ordered: bool
    notes: tuple[str, ...]
    listeners: int
    tracks: int
    stations: int
    rows: int
    positives: int
    negatives: int
    held_out: int
    largest: int
    dimension: int
    shards: tuple[Shard, ...]


def manifest_to_json(manifest: Manifest) -> str:
    """The manifest as a JSON document."""
    return json.dumps(asdict(manifest), indent=1, allow_nan=False) + "\n"


def write_log(path: Path, log: EventLog) -> None:
    """The columns of a log as a Parquet file, with a checksum for every page."""
    table = pa.table({name: pa.array(column) for name, column in log.columns().items()})
    parquet.write_table(table, path, compression="zstd", write_page_checksum=True)


def read_log(path: Path, tracks: int, stations: int) -> EventLog:
    """Read what :func:`write_log` wrote, trusting nothing.

    Raises:
        ShardError: it is missing or damaged, or holds what a log of so many tracks and stations cannot.
    """
    try:
        # Not on threads: the memory would depend on the machine.
        table = parquet.read_table(path, use_threads=False, page_checksum_verification=True)
        columns = {name: _values(table.column(name), name, np.dtype(kind)) for name, kind in FINAL.items()}
        log = EventLog(**columns, tracks=tracks)  # pyright: ignore[reportArgumentType] - the types are those of FINAL
        _check(log, stations)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise ShardError(f"{path} is missing or damaged ({_one_line(error)}): convert the data set anew.") from None
    return log


def _values(column: Any, name: str, kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    if column.null_count:
        raise ValueError(f"column {name} has gaps")
    values = np.ascontiguousarray(column.to_numpy())
    if values.dtype != kind:
        raise ValueError(f"column {name} is {values.dtype}, not {kind}")
    return values


def _counted(column: Any, name: str, tracks: int) -> NDArray[np.int64]:
    counts = _values(column, name, np.dtype(np.int64)).astype(np.int64)
    if len(counts) != tracks or np.any(counts < 0):
        raise ValueError(f"column {name} does not count {tracks} tracks")
    return counts


def _check(log: EventLog, stations: int) -> None:
    if not len(log):
        return
    ranges = (
        ("listener", log.listener, 0, np.iinfo(np.int64).max),
        ("station", log.station, SMALLEST_STATION, stations - 1),
        ("outcome", log.outcome, min(Outcome), max(Outcome)),
        ("label", log.label, -1, 1),
        ("weight", log.weight, 0.0, 1.0),
        ("time", log.time, np.finfo(np.float64).min, np.finfo(np.float64).max),
    )
    for name, column, low, high in ranges:
        if not (low <= column.min() and column.max() <= high):  # also where there is a NaN
            raise ValueError(f"column {name} holds values outside {low}…{high}")


class ShardFolder:
    """A log in shards as training takes it: all feedback meant alike, for how strongly is no part of Mei et al. 2024.

    Args:
        folder: as ``recommender.training.conversion`` leaves it.

    Raises:
        ShardError: it is no finished folder of shards.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            text = (folder / MANIFEST).read_bytes()
        except OSError:
            raise ShardError(
                f"{folder} is no finished folder of shards, for it has no {MANIFEST}: convert the data set into it."
            ) from None
        self.fingerprint = sha256(text).hexdigest()
        try:
            self.manifest = decode(text, type=Manifest)
        except (ValueError, RecursionError):
            raise ShardError(f"{folder / MANIFEST} is damaged: convert the data set anew.") from None
        manifest = self.manifest
        if manifest.format != FORMAT or not all(FILE_NAME.fullmatch(shard.file) for shard in manifest.shards):
            raise ShardError(f"{folder / MANIFEST} is not of format {FORMAT}: convert the data set anew.")
        self.parts = len(manifest.shards)
        self.rows = manifest.rows
        self.stations = manifest.stations
        self.counts = self._counts()

    def _counts(self) -> TrackCounts:
        path = self._folder / TRACKS
        try:
            table = parquet.read_table(path, columns=["heard", "liked", "disliked"], page_checksum_verification=True)
            counts = TrackCounts(
                *(_counted(table.column(name), name, self.manifest.tracks) for name in table.column_names)
            )
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise ShardError(f"{path} is missing or damaged ({_one_line(error)}): convert the data set anew.") from None
        return counts

    def read(self, part: int) -> EventLog:
        """The rows of one shard.

        Raises:
            ShardError: it is missing or damaged.
        """
        return self._log(self.manifest.shards[part].file)

    def validation(self) -> tuple[EventLog, EventLog]:
        """Newest shard rows of the listeners that validation asks, and their held-out rows."""
        return self._log(HISTORY), self._log(HELD_OUT)

    def content(self) -> NDArray[np.float32] | None:
        """(tracks, dim) vectors of the tracks, NaN rows where unknown; None where the data set has none.

        Raises:
            ShardError: the file is missing or damaged.
        """
        if not self.manifest.dimension:
            return None
        path, shape = self._folder / CONTENT, (self.manifest.tracks, self.manifest.dimension)
        try:
            vectors = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ShardError(f"{path} is missing or damaged ({_one_line(error)}): convert the data set anew.") from None
        if vectors.shape != shape or vectors.dtype != np.float32:
            raise ShardError(f"{path} does not hold {shape[0]} vectors of {shape[1]}: convert the data set anew.")
        return vectors

    def _log(self, file: str) -> EventLog:
        log = read_log(self._folder / file, self.manifest.tracks, self.manifest.stations)
        return replace(log, weight=np.ones(len(log), np.float32))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
