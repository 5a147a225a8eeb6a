"""From the player's log to the recommender's: events become rows of integers with labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from player.listening.feedback import Signal
from player.listening.log import LoggedEvent
from recommender.events import EventLog


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """An event that stands, with what it says about taste."""

    event: LoggedEvent
    signal: Signal
    share: float
    """How much of the track was played, 0…1; NaN where that is not known."""


def build_log(labelled: Sequence[LabelledEvent], index: Mapping[int, int], stations: Mapping[int, int]) -> EventLog:
    """The recommender's log of one listener.

    Args:
        labelled: events in time order.
        index: track id → row, for every track of the catalogue; events on others are left out.
        stations: station id → index; events without a station get the index after the last.
    """
    kept = [item for item in labelled if item.event.track_id in index]
    nowhere = len(stations)
    return EventLog(
        listener=np.zeros(len(kept), np.int64),
        station=np.array([_station(item.event.station_id, stations, nowhere) for item in kept], np.int64),
        track=np.array([index[item.event.track_id] for item in kept], np.int64),
        time=np.array([item.event.seconds for item in kept], np.float64),
        outcome=np.array([item.signal.outcome for item in kept], np.int8),
        label=np.array([item.signal.label for item in kept], np.int8),
        weight=np.array([item.signal.weight for item in kept], np.float32),
        explicit=np.array([item.signal.explicit for item in kept], np.bool_),
        tracks=len(index),
        share=np.array([item.share for item in kept], np.float32),
    )


def _station(station_id: int | None, stations: Mapping[int, int], nowhere: int) -> int:
    return nowhere if station_id is None else stations.get(station_id, nowhere)
