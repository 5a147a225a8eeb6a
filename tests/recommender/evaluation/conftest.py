"""Recommenders that are known in advance, and random logs, shared by the tests of evaluation."""

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.support.random_logs import random_log


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
