"""Recommenders that are known in advance, and random logs, shared by the tests of evaluation."""

import numpy as np
import pytest
from hypothesis import strategies as st

from recommender.events import EventLog, Outcome

OUTCOMES = np.array([Outcome.THUMB_UP, Outcome.THUMB_DOWN, Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.SKIP_LATE])


class Oracle:
    """Scores with a fixed table, and remembers what it was shown."""

    def __init__(self, table, name="oracle"):
        self.table = np.asarray(table, np.float32)
        self.name = name
        self.fitted = None
        self.contexts = []

    def fit(self, log):
        self.fitted = log

    def score(self, context):
        self.contexts.append(context)
        return self.table

    def explain(self, context, track):
        return f"{self.table[track]}"


class Forecaster(Oracle):
    """An oracle whose table holds probabilities."""

    def probability(self, scores):
        return scores


@pytest.fixture(scope="session")
def oracle():
    return Oracle


@pytest.fixture(scope="session")
def forecaster():
    return Forecaster


def random_log(seed, rows=60, listeners=4, tracks=8, moments=25, stations=2):
    """A log with ties in time, all sorts of outcomes and rows without a label."""
    rng = np.random.default_rng(seed)
    outcome = OUTCOMES[rng.integers(len(OUTCOMES), size=rows)]
    label = np.select(
        [np.isin(outcome, [Outcome.THUMB_UP, Outcome.FINISH]), rng.random(rows) < 0.9], [1, -1], 0
    ).astype(np.int8)
    return EventLog(
        listener=rng.integers(listeners, size=rows),
        station=rng.integers(stations, size=rows),
        track=rng.integers(tracks, size=rows),
        time=np.sort(rng.integers(moments, size=rows)).astype(np.float64) * 1000.0,
        outcome=outcome.astype(np.int8),
        label=label,
        weight=np.ones(rows, np.float32),
        explicit=np.isin(outcome, [Outcome.THUMB_UP, Outcome.THUMB_DOWN]),
        tracks=tracks,
    )


@pytest.fixture(scope="session")
def make_random_log():
    return random_log


@pytest.fixture(scope="session")
def logs():
    """A strategy of random logs of any size, one listener and one moment included."""
    return st.builds(
        random_log,
        seed=st.integers(0, 10_000),
        rows=st.integers(0, 60),
        listeners=st.integers(1, 5),
        tracks=st.integers(1, 9),
        moments=st.integers(1, 30),
    )
