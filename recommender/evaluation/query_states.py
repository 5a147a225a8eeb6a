"""The situations in which recommenders are asked: who listens, to which station, with what behind them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import sessions_of
from recommender.evaluation.splits import Part, Split
from recommender.events import EventLog
from recommender.interfaces import Context

MOST_ROWS = 1000
"""Newest judged rows of a listener that are measured on; more narrow no interval that matters and take minutes."""


class State(StrEnum):
    """What is input when a test row is predicted."""

    FROZEN = "frozen"
    """Each listener and station is scored once, knowing the listener's past; no test row is ever input."""
    WALKING = "walking"
    """Each test row is scored knowing all the listener's earlier rows, those of the test included: as the player lives."""


MEANING = {
    State.FROZEN: "Each listener and station is scored once, in the state at the cut: no test row is input.",
    State.WALKING: "Each test row is scored with all the listener's earlier rows as input, earlier test rows included.",
}


@dataclass(frozen=True, slots=True)
class ListenerStates:
    """One listener's judged test rows, and the situations in which they are predicted.

    Attributes:
        listener: who.
        rows: (R,) places in the log, in time order; the other arrays are of these rows.
        track, station, label, explicit: (R,) of the rows.
        heard: (R,) bool, whether the listener had any row about the track before the state it is predicted in.
        contexts: (S) the situations.
        predicted: (S) places in ``rows`` that each situation predicts: all of a station, or a single one.
        groups: places in ``rows`` of each station that has both labels, in time order.
        sessions: the same of each session, whatever its stations.
        past_share: share of likes among the judged rows of the past; NaN without any.
        station_share: the same within each group's station.
    """

    listener: int
    rows: NDArray[np.int64]
    track: NDArray[np.int64]
    station: NDArray[np.int64]
    label: NDArray[np.int8]
    explicit: NDArray[np.bool_]
    heard: NDArray[np.bool_]
    contexts: tuple[Context, ...]
    predicted: tuple[NDArray[np.int64], ...]
    groups: tuple[NDArray[np.int64], ...]
    sessions: tuple[NDArray[np.int64], ...]
    past_share: float
    station_share: tuple[float, ...]

    @property
    def pairs(self) -> int:
        """How many (+, -) pairs of one station there are."""
        return sum(int((self.label[g] > 0).sum() * (self.label[g] < 0).sum()) for g in self.groups)


class States:
    """All listeners with judged test rows, one after the other; a listener's history is a slice of their own block.

    Args:
        split: what is past and what is test.
        state: what is input.
        most_listeners: more are not visited: a seeded sample of this size is.
        most_rows: newest judged test rows of a listener that are predicted at most.
        seed: of the sample.

    Raises:
        ValueError: a walk through a log without order is asked for.
    """

    def __init__(self, split: Split, state: State, most_listeners: int | None, most_rows: int, seed: int) -> None:
        if state is State.WALKING and not split.ordered:
            raise ValueError("a log without order in time cannot be walked through; measure it frozen")
        self._split = split
        self._state = state
        self._most_rows = most_rows
        log = split.log
        self._judged = log.judged
        tested = (split.part == Part.TEST) & self._judged
        everyone = np.unique(log.listener[tested])
        self.listeners = everyone
        """(L,) who is visited, rising."""
        self.notes: tuple[str, ...] = ()
        if most_listeners is not None and len(everyone) > most_listeners:
            drawn = np.random.default_rng(seed).choice(everyone, most_listeners, replace=False)
            self.listeners = np.sort(drawn)
            self.notes = (f"Measured on {most_listeners} of {len(everyone)} listeners, drawn at random (seed {seed}).",)
        self._blocks, self._starts = self._sort_by_listener()
        self.rows = np.concatenate([self._predicted(i) for i in range(len(self.listeners))] or [np.empty(0, np.int64)])
        """(R,) all judged rows that are predicted, listener by listener."""
        cut = int(np.isin(log.listener[tested], self.listeners).sum()) - len(self.rows)
        if cut:
            self.notes += (
                f"Of each listener the {most_rows} newest judged test rows are predicted; {cut} older are not.",
            )

    def __len__(self) -> int:
        return len(self.listeners)

    def __iter__(self) -> Iterator[ListenerStates]:
        return (self._of(place) for place in range(len(self.listeners)))

    def _sort_by_listener(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that may be input or are predicted, by listener, past before test, each in time order; and where each begins."""
        log, part = self._split.log, self._split.part
        wanted = np.zeros(int(log.listener.max(initial=-1)) + 1, np.bool_)
        wanted[self.listeners] = True
        rows = np.flatnonzero(wanted[log.listener] & (part != Part.UNUSED))
        key = log.listener[rows] * 2 + (part[rows] == Part.TEST)
        order = np.argsort(key, kind="stable")
        starts = np.searchsorted(key[order], self.listeners * 2)
        return rows[order], np.append(starts, len(rows))

    def _block(self, place: int) -> NDArray[np.int64]:
        return self._blocks[self._starts[place] : self._starts[place + 1]]

    def _predicted(self, place: int) -> NDArray[np.int64]:
        block = self._block(place)
        return block[(self._split.part[block] == Part.TEST) & self._judged[block]][-self._most_rows :]

    def _of(self, place: int) -> ListenerStates:
        log, listener, block = self._split.log, int(self.listeners[place]), self._block(place)
        past = int(np.count_nonzero(self._split.part[block] != Part.TEST))
        own = _rows(log, block if self._state is State.WALKING else block[:past])
        rows = self._predicted(place)
        if self._state is State.WALKING:
            contexts, predicted = self._walking(listener, own, rows)
        else:
            opening = float(log.time[block[past]])
            contexts, predicted = self._frozen(listener, own, rows, opening)
        before = block[:past][self._judged[block[:past]]]
        groups = station_groups(log.station[rows], log.label[rows])
        return ListenerStates(
            listener=listener,
            rows=rows,
            track=log.track[rows],
            station=log.station[rows],
            label=log.label[rows],
            explicit=log.explicit[rows],
            heard=_heard(own, log.track[rows], log.time[rows] if self._state is State.WALKING else None),
            contexts=contexts,
            predicted=predicted,
            groups=groups,
            sessions=station_groups(sessions_of(log.time[rows]), log.label[rows]),
            past_share=_like_share(log.label[before]),
            station_share=tuple(
                _like_share(log.label[before[log.station[before] == log.station[rows[group[0]]]]]) for group in groups
            ),
        )

    def _frozen(
        self, listener: int, past: EventLog, rows: NDArray[np.int64], opening: float
    ) -> tuple[tuple[Context, ...], tuple[NDArray[np.int64], ...]]:
        """One situation a station, at the listener's first test row (in a log without order: once all is past)."""
        now = max(opening, float(past.time[-1])) if len(past) else opening
        stations, first = np.unique(self._split.log.station[rows], return_index=True)
        stations = stations[np.argsort(first)]
        return (
            tuple(Context(listener, int(station), now, past) for station in stations),
            tuple(np.flatnonzero(self._split.log.station[rows] == station) for station in stations),
        )

    def _walking(
        self, listener: int, own: EventLog, rows: NDArray[np.int64]
    ) -> tuple[tuple[Context, ...], tuple[NDArray[np.int64], ...]]:
        """One situation a row; rows of one moment do not know each other."""
        log = self._split.log
        earlier = np.searchsorted(own.time, log.time[rows], side="left")
        contexts = tuple(
            Context(listener, int(log.station[row]), float(log.time[row]), own.first(int(count)))
            for row, count in zip(rows, earlier, strict=True)
        )
        return contexts, tuple(np.array([place]) for place in range(len(rows)))


def station_groups(station: NDArray[np.int64], label: NDArray[np.int8]) -> tuple[NDArray[np.int64], ...]:
    """Places (in order) of each station that has both labels."""
    order = np.argsort(station, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(station[order])) + 1) if len(order) else []
    return tuple(part for part in parts if np.any(label[part] > 0) and np.any(label[part] < 0))


def _rows(log: EventLog, rows: NDArray[np.int64]) -> EventLog:
    """The rows at these rising places."""
    return replace(log, **{name: column[rows] for name, column in log.columns().items()})


def _heard(own: EventLog, track: NDArray[np.int64], time: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Whether each track occurs in the listener's rows, before its time where times are given."""
    known, first = np.unique(own.track, return_index=True)
    place = np.searchsorted(known, track)
    found = np.zeros(len(track), np.bool_)
    inside = np.flatnonzero(place < len(known))
    found[inside] = known[place[inside]] == track[inside]
    if time is not None:
        found[found] = own.time[first[place[found]]] < time[found]
    return found


def _like_share(label: NDArray[np.int8]) -> float:
    return float(np.mean(label > 0)) if len(label) else float("nan")
