"""Logs of many listeners, streams of them in chunks, and shards."""

from dataclasses import fields, replace

import numpy as np
import pytest

from recommender.configuration import SequentialConfig
from recommender.datasets.stream import Chunk
from recommender.events import EventLog, Outcome
from recommender.training.conversion import convert

SMALL = SequentialConfig(
    width=16, blocks=1, heads=2, length=12, epochs=2, patience=5, batch=16, learning_rate=0.01, id_shrinkage=0.0
)


class LogStream:
    """A log at hand as a stream of chunks, its rows in the order of the log."""

    name = "test"
    ordered = True
    notes = ("made for a test",)

    def __init__(self, log, rows=97, fail_after=None):
        self._log = log
        self._rows = rows
        self._fail_after = fail_after
        self.tracks = {f"t{index}": index for index in range(log.tracks)}
        self.stations = {"a": 0, "b": 1}
        self.listeners = len(np.unique(log.listener))

    def content(self):
        return None

    def __iter__(self):
        for start in range(0, len(self._log), self._rows):
            if self._fail_after is not None and start >= self._fail_after:
                raise RuntimeError("the plug was pulled")
            rows = slice(start, start + self._rows)
            columns = {name: column[rows] for name, column in self._log.columns().items()}
            yield Chunk(**columns, new_listeners=())


def _many(listeners=60, rows=2400, tracks=30, seed=0):
    """Listeners who each like the tracks of one half."""
    rng = np.random.default_rng(seed)
    listener = (listeners * rng.random(rows) ** 2).astype(np.int64)
    track = rng.integers(tracks, size=rows)
    liked = rng.random(rows) < np.where((track % 2) == (listener % 2), 0.97, 0.05)
    return EventLog(
        listener=listener * 7 + 3,
        station=rng.integers(-1, 2, size=rows),
        track=track,
        time=np.cumsum(rng.integers(0, 3, size=rows)).astype(float),
        outcome=np.where(liked, Outcome.FINISH, Outcome.SKIP_EARLY).astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.ones(rows, np.float32),
        explicit=np.zeros(rows, np.bool_),
        tracks=tracks,
        share=np.where(liked, 1.0, np.nan).astype(np.float32),
    )


def rows_of(log):
    """The rows of a log in an order that depends on nothing but the rows."""
    columns = [np.nan_to_num(getattr(log, column.name), nan=-1.0) for column in fields(log) if column.name != "tracks"]
    table = np.stack([column.astype(np.float64) for column in columns], axis=1)
    return table[np.lexsort(table.T)]


@pytest.fixture(scope="session")
def make_many():
    return _many


@pytest.fixture(scope="session")
def make_stream():
    return LogStream


@pytest.fixture
def sorted_rows():
    return rows_of


@pytest.fixture
def small():
    return replace(SMALL)


@pytest.fixture
def make_shards(tmp_path):
    def make(log, shard_rows, asked_listeners=0, name="shards"):
        convert(LogStream(log), tmp_path / name, shard_rows=shard_rows, asked_listeners=asked_listeners)
        return tmp_path / name

    return make
