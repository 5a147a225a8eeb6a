"""Logs and small worlds with a known taste, shared by the tests of learning."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from recommender.events import EventLog, Outcome
from recommender.models.content_space import ContentSpace
from recommender.models.model_card import FrontEndId
from recommender.models.model_scorer import Catalogue
from tests.support.random_logs import random_log

torch.set_num_threads(1)


@dataclass(frozen=True)
class World:
    """A listener whose likes follow from the sound, and the catalogue they listen to."""

    log: EventLog
    catalogue: Catalogue


def _log(rows, tracks):
    """A log from (listener, station, track, time, label) tuples; explicit thumbs, in the given order."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5)
    label = columns[:, 4].astype(np.int8)
    return EventLog(
        listener=columns[:, 0].astype(np.int64),
        station=columns[:, 1].astype(np.int64),
        track=columns[:, 2].astype(np.int64),
        time=columns[:, 3],
        outcome=np.where(label > 0, Outcome.THUMB_UP, Outcome.THUMB_DOWN).astype(np.int8),
        label=label,
        weight=np.ones(len(columns), np.float32),
        explicit=np.ones(len(columns), np.bool_),
        tracks=tracks,
    )


def _world(events=240, tracks=80, seed=0, dimension=12, stations=2, sharpness=3.0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(tracks, dimension)).astype(np.float32)
    track = rng.integers(tracks, size=events)
    odds = sharpness * vectors[track] @ np.eye(dimension)[:3].sum(axis=0)
    liked = rng.random(events) < 1.0 / (1.0 + np.exp(-odds))
    explicit = rng.random(events) < 0.4
    outcome = np.select(
        [liked & explicit, liked, explicit], [Outcome.THUMB_UP, Outcome.FINISH, Outcome.THUMB_DOWN], Outcome.SKIP_EARLY
    )
    log = EventLog(
        listener=np.zeros(events, np.int64),
        station=rng.integers(stations, size=events),
        track=track,
        time=np.cumsum(rng.exponential(400.0, size=events)),
        outcome=outcome.astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.ones(events, np.float32),
        explicit=explicit,
        tracks=tracks,
    )
    catalogue = Catalogue(
        track_ids=np.arange(tracks, dtype=np.int64) * 3 + 100,
        station_ids=np.arange(stations, dtype=np.int64) + 5,
        vectors=vectors,
        frontend=FrontEndId("test", "1", dimension),
        seed_similarity=np.zeros((stations, tracks), np.float32),
        space=content_space(vectors),
    )
    return World(log, catalogue)


def content_space(vectors):
    unknown = np.full(len(vectors), -1, np.int64)
    return ContentSpace.fit(vectors, unknown, unknown)


@pytest.fixture(scope="session")
def make_log():
    return _log


@pytest.fixture(scope="session")
def make_world():
    return _world


@pytest.fixture(scope="session")
def make_random_log():
    return random_log
