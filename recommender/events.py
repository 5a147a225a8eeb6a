"""The interaction log as columns: what a listener did with which track, on which station, when.

Everything in this package learns from an :class:`EventLog` and nothing else, so a log can come from the player's
database, from a public data set or from a test. Tracks, listeners and stations are integers from 0 (indices into the
caller's tables); rows are in time order.
"""

from dataclasses import dataclass, field, fields, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Outcome(IntEnum):
    """What a row says happened; each has its own input embedding in the sequential model (arXiv 2406.04488)."""

    PADDING = 0
    THUMB_UP = 1
    THUMB_DOWN = 2
    FINISH = 3
    REPLAY = 4
    SKIP_EARLY = 5
    SKIP_LATE = 6
    CHOSEN = 7
    """The listener picked this track by hand."""
    LEFT = 8
    """The listener left this track for one picked by hand."""
    NEVER = 9


JUDGED = (Outcome.THUMB_UP, Outcome.THUMB_DOWN, Outcome.FINISH, Outcome.REPLAY, Outcome.SKIP_EARLY, Outcome.NEVER)
"""Outcomes that are measured on. A late skip, a track left for another or chosen by hand is too ambiguous to be right or
wrong about; it is learned from, by its weight, but never a target of the evaluation."""
THUMBS = (Outcome.THUMB_UP, Outcome.THUMB_DOWN)
ENDS = (Outcome.FINISH, Outcome.SKIP_EARLY)
"""How a play ends that is measured on."""


CHECKED_AT_A_TIME = 1 << 20
"""Rows whose order is checked at once, so that a log that lies on disk is never read into memory whole."""


def _starts(count: int) -> range:
    return range(0, count, CHECKED_AT_A_TIME)


@dataclass(frozen=True, slots=True)
class EventLog:
    """Rows of feedback in time order.

    Attributes:
        listener, station, track: (N,) int64 indices from 0.
        time: (N,) float64 seconds since any fixed moment, never decreasing.
        outcome: (N,) int8 values of :class:`Outcome`.
        label: (N,) int8, +1 positive, -1 negative, 0 neither (history, but never a target).
        weight: (N,) float32 in 0…1, how strongly the label is meant.
        explicit: (N,) bool, whether the listener said so (thumb, never) rather than showed it (skip, finish).
        tracks: size of the catalogue; every ``track`` is below it.
        share: (N,) float32, how much of the track was played, 0…1; NaN where that is not known. Left out: not known.
        known: (N,) int8, whether the listener knew the track before, 1 or 0; -1 where nobody said. Left out: nobody said.
    """

    listener: NDArray[np.int64]
    station: NDArray[np.int64]
    track: NDArray[np.int64]
    time: NDArray[np.float64]
    outcome: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    explicit: NDArray[np.bool_]
    tracks: int
    share: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    known: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))

    def __post_init__(self) -> None:
        """Fill in the columns left out and check that all belong together; raises ValueError naming what is wrong."""
        count = len(self.track)
        if len(self.share) == 0:
            object.__setattr__(self, "share", np.full(count, np.nan, np.float32))
        if len(self.known) == 0:
            object.__setattr__(self, "known", np.full(count, -1, np.int8))
        for column in fields(self):
            if column.name != "tracks" and len(getattr(self, column.name)) != count:
                raise ValueError(f"column {column.name} has {len(getattr(self, column.name))} rows, track has {count}")
        if count and (self.track.min() < 0 or self.track.max() >= self.tracks):
            raise ValueError(f"track indices must lie in 0…{self.tracks - 1}")
        if any(np.any(np.diff(self.time[first : first + CHECKED_AT_A_TIME + 1]) < 0) for first in _starts(count)):
            raise ValueError("rows must be in time order")

    def __len__(self) -> int:
        return len(self.track)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """The (N,) columns by name."""
        return {column.name: getattr(self, column.name) for column in fields(self) if column.name != "tracks"}

    def where(self, mask: NDArray[np.bool_]) -> "EventLog":
        """The rows where ``mask`` (N,) is true, in the same order."""
        return replace(self, **{name: column[mask] for name, column in self.columns().items()})

    def first(self, count: int) -> "EventLog":
        """The first ``count`` rows, sharing memory with this log."""
        return replace(self, **{name: column[:count] for name, column in self.columns().items()})

    @property
    def judged(self) -> NDArray[np.bool_]:
        """(N,) the rows that evaluation measures on: labelled, with an outcome that is clear enough, and not foretold.

        The end of a play during which a thumb was given is foretold by that thumb: whoever knows the row before knows it.
        """
        clear = (self.label != 0) & np.isin(self.outcome, JUDGED)
        ends = clear & np.isin(self.outcome, ENDS)
        thumbs = np.isin(self.outcome, THUMBS)
        if ends.any() and thumbs.any():
            order = np.argsort(self.listener, kind="stable")
            row, before = order[1:], order[:-1]
            same = (self.listener[row] == self.listener[before]) & (self.track[row] == self.track[before])
            clear[row[same & thumbs[before] & ends[row]]] = False
        return clear

    @property
    def positives(self) -> int:
        """How many rows are positive."""
        return int(np.count_nonzero(self.label > 0))

    @property
    def negatives(self) -> int:
        """How many rows are negative."""
        return int(np.count_nonzero(self.label < 0))


def empty_log(tracks: int) -> EventLog:
    """A log without rows over a catalogue of ``tracks``."""
    return EventLog(
        listener=np.empty(0, np.int64),
        station=np.empty(0, np.int64),
        track=np.empty(0, np.int64),
        time=np.empty(0, np.float64),
        outcome=np.empty(0, np.int8),
        label=np.empty(0, np.int8),
        weight=np.empty(0, np.float32),
        explicit=np.empty(0, np.bool_),
        tracks=tracks,
    )


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """A log cut in time: ``train`` | ``validation`` (stopping, blend, calibration) | ``gate`` (test)."""

    train: EventLog
    validation: EventLog
    gate: EventLog


def split_by_time(log: EventLog, validation_share: float = 0.15, gate_share: float = 0.15) -> TimeSplit:
    """Cut at two moments so that about these shares of the rows fall after them; rows of one moment stay together."""
    count = len(log)
    if count == 0:
        return TimeSplit(log, log, log)

    def moment(share: float) -> float:
        row = min(count - 1, max(0, round(count * (1.0 - share))))
        return float(log.time[row])

    gate_from = moment(gate_share)
    validation_from = min(moment(gate_share + validation_share), gate_from)
    return TimeSplit(
        train=log.where(log.time < validation_from),
        validation=log.where((log.time >= validation_from) & (log.time < gate_from)),
        gate=log.where(log.time >= gate_from),
    )
