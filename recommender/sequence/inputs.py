"""Rows of a log as what the network takes: tracks, outcomes, stations, and the buckets of what a token says beside."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from recommender.events import EventLog
from recommender.models.token_features import gap_buckets, hour_buckets, share_buckets
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.tensors import on_device


def token_features(log: EventLog, rows: NDArray[np.int64], network: SequentialNetwork) -> Tensor | None:
    """Buckets (B, T, 3) of share, gap and hour of rows (B, T); None for a network that looks at none of them."""
    config = network.config
    if not (config.share_token or config.gap_token or config.hour_token):
        return None
    time = log.time[rows]
    buckets = np.stack([share_buckets(log.share[rows]), gap_buckets(time), hour_buckets(time)], axis=-1)
    return on_device(buckets, network.device)


def tokens(log: EventLog, rows: NDArray[np.int64], network: SequentialNetwork) -> tuple[Tensor, ...]:
    """The arguments of the network for rows (B, T)."""
    device = network.device
    return (
        on_device(log.track[rows], device),
        on_device(log.outcome[rows].astype(np.int64), device),
        on_device(log.station[rows], device),
        *((features,) if (features := token_features(log, rows, network)) is not None else ()),
    )
