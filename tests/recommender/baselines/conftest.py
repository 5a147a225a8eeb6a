"""Histories of one listener, row by row."""

import numpy as np
import pytest

from recommender.events import EventLog


def _history(rows, tracks, listener=0):
    """A listener's log from (track, time, outcome, label, share) tuples."""
    track, time, outcome, label, share = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    return EventLog(
        listener=np.full(count, listener),
        station=np.zeros(count, np.int64),
        track=track.astype(np.int64),
        time=time.astype(np.float64),
        outcome=outcome.astype(np.int8),
        label=label.astype(np.int8),
        weight=np.ones(count, np.float32),
        explicit=np.zeros(count, np.bool_),
        tracks=tracks,
        share=share.astype(np.float32),
    )


@pytest.fixture(scope="session")
def make_history():
    return _history
