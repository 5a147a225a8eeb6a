"""What the log says about taste, as columns kept up event by event.

An event that comes in order is written behind the rows that are there, and everything that was handed out before stays as
it was. What changes the past (a thumb that replaces another one, a burst of skips that turns out to be browsing) copies the
columns first: a millisecond at 100,000 rows.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from player.feedback.events import LoggedEvent
from player.feedback.signals import Signal
from recommender.events import EventLog

NO_STATION = -1
"""In the column of stations: told on none."""
FEWEST_ROWS = 64
"""Room made at least when the columns grow."""
GROWTH = 8
"""They grow by an eighth, so that a row costs the same however many there are, and little room lies idle."""


@dataclass(frozen=True, slots=True)
class LabelledEvent:
    """An event that stands, with what it says about taste."""

    event: LoggedEvent
    signal: Signal
    share: float
    """How much of the track was played, 0…1; NaN where that is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelColumns:
    """Labelled events by column.

    Attributes:
        event, track: (m,) int64 ids.
        station: (m,) int64 ids, ``NO_STATION`` for none.
        time: (m,) float64 seconds since 1970, never decreasing.
        outcome: (m,) int8 values of :class:`recommender.events.Outcome`.
        label: (m,) int8, +1, -1 or 0.
        weight: (m,) float32, 0…1.
        explicit: (m,) bool, whether the listener said so.
        share: (m,) float32, how much of the track was played; NaN where that is not known.
    """

    event: NDArray[np.int64]
    track: NDArray[np.int64]
    station: NDArray[np.int64]
    time: NDArray[np.float64]
    outcome: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    explicit: NDArray[np.bool_]
    share: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.event)

    @staticmethod
    def of(items: Sequence[LabelledEvent]) -> "LabelColumns":
        """The columns of some events."""
        count = len(items)
        return LabelColumns(
            event=np.fromiter((item.event.id for item in items), np.int64, count),
            track=np.fromiter((item.event.track_id for item in items), np.int64, count),
            station=np.fromiter((_station(item.event) for item in items), np.int64, count),
            time=np.fromiter((item.event.seconds for item in items), np.float64, count),
            outcome=np.fromiter((item.signal.outcome for item in items), np.int8, count),
            label=np.fromiter((item.signal.label for item in items), np.int8, count),
            weight=np.fromiter((item.signal.weight for item in items), np.float32, count),
            explicit=np.fromiter((item.signal.explicit for item in items), np.bool_, count),
            share=np.fromiter((item.share for item in items), np.float32, count),
        )

    def first(self, count: int) -> "LabelColumns":
        """The first rows, sharing memory with these."""
        return LabelColumns(*(column[:count] for column in self._columns()))

    def where(self, mask: NDArray[np.bool_]) -> "LabelColumns":
        """The rows where ``mask`` (m,) is true."""
        return LabelColumns(*(column[mask] for column in self._columns()))

    def with_room(self, rows: int) -> "LabelColumns":
        """A copy with so many rows more, of no meaning yet."""
        return LabelColumns(*(np.concatenate([column, np.empty(rows, column.dtype)]) for column in self._columns()))

    def with_gap(self, row: int) -> "LabelColumns":
        """A copy with one row more at that place, of no meaning yet."""
        return LabelColumns(*(np.insert(column, row, 0) for column in self._columns()))

    def without(self, row: int) -> "LabelColumns":
        """A copy without one row."""
        return LabelColumns(*(np.delete(column, row) for column in self._columns()))

    def write(self, row: int, item: LabelledEvent) -> None:
        """Put an event into a row."""
        self.event[row] = item.event.id
        self.track[row] = item.event.track_id
        self.station[row] = _station(item.event)
        self.time[row] = item.event.seconds
        self.outcome[row] = item.signal.outcome
        self.label[row] = item.signal.label
        self.weight[row] = item.signal.weight
        self.explicit[row] = item.signal.explicit
        self.share[row] = item.share

    def _columns(self) -> Iterator[NDArray[Any]]:
        return (getattr(self, field.name) for field in fields(self))


def _station(event: LoggedEvent) -> int:
    return NO_STATION if event.station_id is None else event.station_id


class Labels(Sequence[LabelledEvent]):
    """What the log says about taste at one moment, in time order; what is logged later does not change it.

    Attributes:
        columns: of the events.
    """

    def __init__(self, items: list[LabelledEvent], columns: LabelColumns) -> None:
        # The list may grow behind these rows; where it changes, it is another list.
        self._items = items
        self.columns = columns

    @staticmethod
    def of(items: Iterable[LabelledEvent]) -> "Labels":
        """Of events in time order."""
        kept = list(items)
        return Labels(kept, LabelColumns.of(kept))

    def __len__(self) -> int:
        return len(self.columns)

    @overload
    def __getitem__(self, place: int) -> LabelledEvent: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[LabelledEvent]: ...
    def __getitem__(self, place: int | slice) -> LabelledEvent | Sequence[LabelledEvent]:
        rows = range(len(self))[place]
        return self._items[rows] if isinstance(rows, int) else [self._items[row] for row in rows]

    def __iter__(self) -> Iterator[LabelledEvent]:
        return islice(self._items, len(self))

    def __eq__(self, other: object) -> bool:
        """Whether the other sequence holds the same events."""
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as of a list: equal by its items


NOTHING_SAID = Labels.of(())
"""Of a log that says nothing about taste."""


class GrowingLabels:
    """Labelled events while more come; :meth:`now` hands them out.

    Args:
        items: those there are, in time order.
    """

    def __init__(self, items: Iterable[LabelledEvent]) -> None:
        self._items = list(items)
        self._columns = LabelColumns.of(self._items)
        self._now: Labels | None = None

    def now(self) -> Labels:
        """Those there are now; the same object until something changes."""
        if self._now is None:
            self._now = Labels(self._items, self._columns.first(len(self._items)))
        return self._now

    def append(self, item: LabelledEvent) -> None:
        """Add the newest."""
        count = len(self._items)
        if count == len(self._columns):
            self._columns = self._columns.with_room(max(FEWEST_ROWS, count // GROWTH))
        self._columns.write(count, item)
        self._items.append(item)
        self._now = None

    def replace(self, item: LabelledEvent) -> None:
        """Let an event that is there say something else.

        Raises:
            KeyError: it is not there.
        """
        row = self._row(item.event.id)
        self._items = [*self._items]
        self._items[row] = item
        self._columns = self._columns.with_room(0)
        self._columns.write(row, item)
        self._now = None

    def insert(self, item: LabelledEvent) -> None:
        """Add one that is not the newest, in its place in time."""
        row = bisect_right(self._items, item.event.moment, key=lambda other: other.event.moment)
        self._items = [*self._items[:row], item, *self._items[row:]]
        self._columns = self._columns.first(len(self._items) - 1).with_gap(row)
        self._columns.write(row, item)
        self._now = None

    def remove(self, event_id: int) -> None:
        """Take an event away.

        Raises:
            KeyError: it is not there.
        """
        row = self._row(event_id)
        self._items = [*self._items[:row], *self._items[row + 1 :]]
        self._columns = self._columns.without(row)
        self._now = None

    def _row(self, event_id: int) -> int:
        """The row of an event. Ids do not follow time, so it is looked for; at 100,000 rows that takes microseconds."""
        rows = np.flatnonzero(self._columns.event[: len(self._items)] == event_id)
        if not len(rows):
            raise KeyError(event_id)
        return int(rows[0])


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
