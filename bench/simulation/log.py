"""Simulated reactions as rows of a log: the very rows that the player would write for them."""

from dataclasses import dataclass
from math import nan

import numpy as np

from bench.simulation.listener import DURATION, Reaction
from bench.simulation.world import STATION
from recommender.events import EventLog, Outcome

FINISH_WEIGHT = 0.5
EARLY_WEIGHT = 0.7
LATE_WEIGHT = 0.5
"""The player's own weights; a test holds them against its feedback rules, which this package may not import."""
ROWS_A_PLAY = 2
"""At most: a thumb up, and the end of the play."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is learned from; the attributes are the columns of :class:`recommender.events.EventLog`."""

    time: float
    outcome: Outcome
    label: int
    weight: float
    explicit: bool
    share: float


def rows_of(reaction: Reaction, started: float) -> list[Row]:
    """What the player would note of a play that started at that second.

    A thumb up is given half-way. A thumb down ends the play, and the skip in it says nothing of its own.
    """
    ended = started + reaction.share * DURATION
    if reaction.thumb < 0:
        return [Row(ended, Outcome.THUMB_DOWN, -1, 1.0, explicit=True, share=nan)]
    rows: list[Row] = []
    if reaction.thumb > 0:
        halfway = (started + ended) / 2
        rows.append(Row(halfway, Outcome.THUMB_UP, 1, 1.0, explicit=True, share=nan))
    if reaction.finished:
        rows.append(Row(ended, Outcome.FINISH, 1, FINISH_WEIGHT, explicit=False, share=1.0))
    elif reaction.early:
        rows.append(Row(ended, Outcome.SKIP_EARLY, -1, EARLY_WEIGHT, explicit=False, share=reaction.share))
    else:
        weight = LATE_WEIGHT * (1.0 - reaction.share)
        rows.append(Row(ended, Outcome.SKIP_LATE, -1, weight, explicit=False, share=reaction.share))
    return rows


class GrowingLog:
    """One listener's log on one station, row by row, with room for a known number of plays.

    Args:
        tracks: size of the catalogue.
        plays: how many there will be at most.
    """

    def __init__(self, tracks: int, plays: int) -> None:
        room = ROWS_A_PLAY * plays
        self._columns = EventLog(
            listener=np.zeros(room, np.int64),
            station=np.full(room, STATION, np.int64),
            track=np.zeros(room, np.int64),
            time=np.zeros(room, np.float64),
            outcome=np.zeros(room, np.int8),
            label=np.zeros(room, np.int8),
            weight=np.zeros(room, np.float32),
            explicit=np.zeros(room, np.bool_),
            tracks=tracks,
            share=np.zeros(room, np.float32),
        )
        self._rows = 0
        self.thumb = np.zeros(tracks, np.int8)
        """(n,) the standing thumb of each track."""

    def add(self, track: int, rows: list[Row]) -> None:
        """Add the rows of one play; of several thumbs for a track only the last stays, as in the player."""
        for row in rows:
            if row.outcome in {Outcome.THUMB_UP, Outcome.THUMB_DOWN}:
                if self.thumb[track]:
                    self._drop_thumb(track)
                self.thumb[track] = row.label
            self._write(track, row)

    def log(self) -> EventLog:
        """The rows so far; the log shares memory with this one and is good until the next :meth:`add`."""
        return self._columns.first(self._rows)

    def _write(self, track: int, row: Row) -> None:
        columns, here = self._columns, self._rows
        columns.track[here] = track
        columns.time[here] = row.time
        columns.outcome[here] = row.outcome
        columns.label[here] = row.label
        columns.weight[here] = row.weight
        columns.explicit[here] = row.explicit
        columns.share[here] = row.share
        self._rows += 1

    def _drop_thumb(self, track: int) -> None:
        columns, rows = self._columns, self._rows
        explicit = columns.explicit[:rows] & (columns.track[:rows] == track)
        at = int(np.flatnonzero(explicit)[-1])
        for column in columns.columns().values():
            column[at : rows - 1] = column[at + 1 : rows]
        self._rows -= 1
