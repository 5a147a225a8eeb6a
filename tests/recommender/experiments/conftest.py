"""Small data sets with a known taste, and a store of runs, shared by the tests of experiments."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded: the machine has other work too

import numpy as np
import pytest

from recommender.datasets.dataset import Dataset, Reading
from recommender.datasets.opening import dataset_of
from recommender.events import EventLog, Outcome
from recommender.experiments.store import RunStore


def ratings(seed=0, listeners=12, tracks=30, rows=480, *, ordered=True, listened_again=False):
    """Everybody likes the higher tracks more often; every rating is an explicit thumb."""
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(listeners * tracks)[: min(rows, listeners * tracks)]
    if listened_again:
        pairs = rng.permutation(np.concatenate([pairs, pairs[: len(pairs) // 2]]))
    listener, track = pairs // tracks, pairs % tracks
    liked = rng.random(len(pairs)) < 0.15 + 0.7 * track / tracks
    log = EventLog(
        listener=listener.astype(np.int64),
        station=np.zeros(len(pairs), np.int64),
        track=track.astype(np.int64),
        time=np.arange(len(pairs), dtype=np.float64) * 7200.0,
        outcome=np.where(liked, Outcome.THUMB_UP, Outcome.THUMB_DOWN).astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.ones(len(pairs), np.float32),
        explicit=np.ones(len(pairs), np.bool_),
        tracks=tracks,
    )
    if ordered:
        return dataset_of(log, name="csv:made-up")
    return Dataset(
        name="csv:made-up",
        kind="csv",
        log=log,
        ordered=False,
        listeners=np.arange(listeners).astype(np.str_),
        tracks=np.arange(tracks).astype(np.str_),
        content=None,
        reading=Reading(len(log), 0, 0, ()),
    )


@pytest.fixture(scope="session")
def make_ratings():
    return ratings


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "experiments")
