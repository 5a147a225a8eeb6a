"""Logs drawn at random, for what must hold of any log."""

import numpy as np

from recommender.events import EventLog, Outcome

OUTCOMES = np.array([Outcome.THUMB_UP, Outcome.THUMB_DOWN, Outcome.FINISH, Outcome.SKIP_EARLY, Outcome.SKIP_LATE])


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
