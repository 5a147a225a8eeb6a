"""What an event says beside track and outcome: how much was played, how long after the event before, at what hour.

Numbers become buckets with an embedding each; bucket 0 stands for "not known" and adds what it has learned to add. A log without a clock
has one gap or an arbitrary one, which the training finds to be worth nothing.
"""

import numpy as np
from numpy.typing import NDArray

SHARE_BUCKETS = 11
"""Not known, then tenths of the track."""
GAP_BUCKETS = 24
"""Not known, then powers of two of 1 + seconds: the last begins at 2^22 s, 49 days."""
HOUR_BUCKETS = 25
"""Not known, then hours of the day on the log's clock; an offset of the clock is learned with the rest."""
SECONDS_PER_HOUR = 3600.0
HOURS = 24


def share_buckets(share: NDArray[np.float32]) -> NDArray[np.int64]:
    """Bucket of each share played 0…1; 0 for NaN."""
    known = np.isfinite(share)
    tenth = np.minimum(np.floor(np.where(known, share, 0.0) * (SHARE_BUCKETS - 1)), SHARE_BUCKETS - 2)
    return np.where(known, 1 + np.maximum(tenth, 0), 0).astype(np.int64)


def gap_buckets(time: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bucket of the time since the event before, along the last axis (oldest first); 0 for the first one."""
    buckets = np.zeros(time.shape, np.int64)
    gap = np.maximum(np.diff(time, axis=-1), 0.0)
    buckets[..., 1:] = np.minimum(1 + np.floor(np.log2(1.0 + gap)), GAP_BUCKETS - 1)
    return buckets


def hour_buckets(time: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bucket of the hour of the day of each moment in seconds; 0 for one that is not finite."""
    known = np.isfinite(time)
    hour = np.floor(np.where(known, time, 0.0) / SECONDS_PER_HOUR) % HOURS
    return np.where(known, 1 + hour, 0).astype(np.int64)
