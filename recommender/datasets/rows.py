"""What a reader makes of a batch: whom each row is about, what it says about taste, and which rows are faulty."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.arrow_column import Column
from recommender.datasets.dataset import Exclusion, Problem
from recommender.events import Outcome


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of a file.

    Attributes:
        file: its name, for messages.
        columns: by the reader's names, (N,) each.
        lines: (N,) the line (Parquet: the row) of each row, from 1.
        problems: rows that could not even be cut into columns; they are not in ``columns``.
    """

    file: str
    columns: Mapping[str, Column]
    lines: NDArray[np.int64]
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Signal:
    """What a row says about taste; the meanings are those of :class:`recommender.events.EventLog`."""

    outcome: Outcome
    label: int
    weight: float
    explicit: bool
    share: float = np.nan


UP = Signal(Outcome.THUMB_UP, 1, 1.0, explicit=True)
DOWN = Signal(Outcome.THUMB_DOWN, -1, 1.0, explicit=True)
NEVER = Signal(Outcome.NEVER, -1, 1.0, explicit=True)
FINISH = Signal(Outcome.FINISH, 1, 0.5, explicit=False, share=1.0)
REPLAY = Signal(Outcome.REPLAY, 1, 0.9, explicit=False, share=1.0)
CHOSEN = Signal(Outcome.CHOSEN, 1, 0.3, explicit=False)
LEFT = Signal(Outcome.LEFT, -1, 0.15, explicit=False)
SKIP_EARLY = Signal(Outcome.SKIP_EARLY, -1, 0.7, explicit=False)
SKIP = Signal(Outcome.SKIP_LATE, -1, 0.3, explicit=False)
"""A skip of which nobody says how far the track had played."""
NEITHER = Signal(Outcome.CHOSEN, 0, 0.0, explicit=True)
"""A middling rating: the listener picked the track to rate it, which is history, and did not take sides."""


@dataclass(frozen=True, slots=True)
class Taste:
    """The columns of a log that say what happened, (N,) each, as in :class:`recommender.events.EventLog`."""

    outcome: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    explicit: NDArray[np.bool_]
    share: NDArray[np.float32]

    @classmethod
    def of(cls, signals: Sequence[Signal], codes: NDArray[np.int64]) -> "Taste":
        """The signal that each of ``codes`` (N,) points to."""
        return cls(
            outcome=np.array([signal.outcome for signal in signals], np.int8)[codes],
            label=np.array([signal.label for signal in signals], np.int8)[codes],
            weight=np.array([signal.weight for signal in signals], np.float32)[codes],
            explicit=np.array([signal.explicit for signal in signals], np.bool_)[codes],
            share=np.array([signal.share for signal in signals], np.float32)[codes],
        )

    @classmethod
    def of_ratings(cls, ratings: NDArray[np.float64], *, positive: float, negative: float) -> "Taste":
        """Thumbs: up from ``positive`` on, down up to ``negative``, neither between (NaN, which is malformed, too)."""
        return cls.of((NEITHER, UP, DOWN), np.where(ratings >= positive, 1, np.where(ratings <= negative, 2, 0)))


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that are malformed, or excluded, for one reason."""

    rows: NDArray[np.bool_]
    reason: str
    value: Column | None = None
    """Where the reason has ``{}``, it is this column's value."""

    def reason_of(self, row: int) -> str:
        """The reason, with the row's value."""
        return self.reason if self.value is None else self.reason.format(self.value.shown(row))


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch, understood; (N,) each.

    Attributes:
        batch: where the rows come from.
        listener, track: their names.
        station: their stations' names; None where all rows are of one.
        time: seconds; None where the file has no clock.
        taste: what they say.
        known: as in :class:`recommender.events.EventLog`; None where nobody said.
        faults: which are malformed.
        exclusions: which are left out by the reader's rules though well-formed.
        filtered: rows that the reader has already taken out of the batch by its rules.
    """

    batch: Batch
    listener: Column
    track: Column
    taste: Taste
    station: Column | None = None
    time: NDArray[np.float64] | None = None
    known: NDArray[np.int8] | None = None
    faults: Sequence[Fault] = ()
    exclusions: Sequence[Fault] = ()
    filtered: Sequence[Exclusion] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that can be read from its start as often as needed.

    Attributes:
        kind: the reader.
        read: one pass over the rows.
        ordered: whether there is a clock.
        consecutive: whether the rows of a listener stand together, so that nobody need remember all listeners.
        notes: what has to be said wherever figures are shown.
        content: from {track name: index}, the (n, dim) float32 vectors of the tracks; None where there are none.
    """

    kind: str
    read: Callable[[], Iterator[Rows]]
    ordered: bool
    notes: tuple[str, ...] = ()
    consecutive: bool = False
    content: Callable[[Mapping[str, int]], NDArray[np.float32]] | None = None
