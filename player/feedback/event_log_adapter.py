"""From the player's log to the recommender's: labelled events become rows of integers."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from player.feedback.labels import NO_STATION, Labels
from recommender.events import EventLog

Integers = NDArray[np.int64]
LEFT_OUT = -1
"""In place of the row of a track that is not in the catalogue."""


class InteractionRows:
    """Turns ids into the indices of one catalogue and its stations; what that takes is prepared once.

    Args:
        index: track id → row, for every track of the catalogue; events on others are left out.
        stations: station id → index; events without a station, or on one that is gone, get the index after the last.
    """

    def __init__(self, index: Mapping[int, int], stations: Mapping[int, int]) -> None:
        self._tracks = len(index)
        self._row_of = _table(index, LEFT_OUT)
        self._station_of = _table(stations, len(stations))

    def of(self, labels: Labels) -> EventLog:
        """The recommender's log of one listener; what needs no other numbers shares memory with ``labels``.

        Args:
            labels: events in time order.
        """
        columns = labels.columns
        track = _looked_up(self._row_of, columns.track)
        known = track != LEFT_OUT
        if not known.all():
            columns, track = columns.where(known), track[known]
        return EventLog(
            listener=np.zeros(len(columns), np.int64),
            station=_looked_up(self._station_of, columns.station),
            track=track,
            time=columns.time,
            outcome=columns.outcome,
            label=columns.label,
            weight=columns.weight,
            explicit=columns.explicit,
            tracks=self._tracks,
            share=columns.share,
        )


def build_log(labels: Labels, index: Mapping[int, int], stations: Mapping[int, int]) -> EventLog:
    """The recommender's log of one listener; the arguments are those of :class:`InteractionRows`."""
    return InteractionRows(index, stations).of(labels)


def _table(numbers: Mapping[int, int], otherwise: int) -> Integers:
    """(largest id + 2,) number of each id, ``otherwise`` for the others, the last entry among them.

    The database numbers its rows from 1, so this is hardly longer than what it is about.
    """
    ids = np.fromiter(numbers.keys(), np.int64, len(numbers))
    table = np.full(int(ids.max(initial=0)) + 2, otherwise, np.int64)
    table[ids] = np.fromiter(numbers.values(), np.int64, len(numbers))
    return table


def _looked_up(table: Integers, ids: Integers) -> Integers:
    """(m,) numbers of ids; those beyond the table, and ``NO_STATION``, meet its last entry."""
    assert NO_STATION == -1, "as an index it is the last entry"
    return table[np.minimum(ids, len(table) - 1)]
