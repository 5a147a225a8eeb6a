"""A log as the sequential model sees it: rows by listener, windows of them, and what each row should predict."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog

NO_TARGET = -1
"""Stands where there is no row to point to."""


def listener_rows(log: EventLog) -> list[NDArray[np.int64]]:
    """Rows of each listener, in time order."""
    order = np.argsort(log.listener, kind="stable")
    cuts = np.flatnonzero(np.diff(log.listener[order])) + 1
    return [part for part in np.split(order, cuts) if len(part)]


def following_positives(log: EventLog) -> NDArray[np.int64]:
    """For each row, the row of the listener's next positive in the order of the log, or ``NO_TARGET``.

    Rows of one moment follow each other here as they stand: else all but the first positive of a moment would never be
    a target, which for ratings given a page at a time are nearly half. No split divides a moment.
    """
    target = np.full(len(log), NO_TARGET, np.int64)
    for rows in listener_rows(log):
        positive = rows[log.label[rows] > 0]
        place = np.searchsorted(positive, rows, side="right")
        known = place < len(positive)
        target[rows[known]] = positive[place[known]]
    return target


def windows(log: EventLog, length: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Cut each listener's rows into windows of up to ``length`` rows, at places that differ with every epoch.

    Every row is in exactly one window, so each target is learned once an epoch, with contexts of all lengths.
    """
    for rows in listener_rows(log):
        first = int(rng.integers(1, length + 1)) if len(rows) > length else length
        yield from (part for part in np.split(rows, np.arange(first, len(rows), length)) if len(part))


def padded(parts: list[NDArray[np.int64]], length: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows (B, T) with row 0 after the end of a window, and where they are real; causality hides padding behind."""
    longest = min(length, max(len(part) for part in parts))
    rows = np.zeros((len(parts), longest), np.int64)
    real = np.zeros((len(parts), longest), np.bool_)
    for index, part in enumerate(parts):
        rows[index, : len(part)] = part
        real[index, : len(part)] = True
    return rows, real


def joined(first: EventLog, second: EventLog) -> tuple[EventLog, NDArray[np.bool_]]:
    """Two logs of one catalogue as one in time order, and which of its rows are the second's."""
    order = np.argsort(np.concatenate([first.time, second.time]), kind="stable")
    theirs = second.columns()
    both = {name: np.concatenate([ours, theirs[name]])[order] for name, ours in first.columns().items()}
    return replace(first, **both), order >= len(first)


def last_row_before(log: EventLog) -> NDArray[np.int64]:
    """For each row, the listener's last row of an earlier moment, or ``NO_TARGET``."""
    before = np.full(len(log), NO_TARGET, np.int64)
    for rows in listener_rows(log):
        place = np.searchsorted(log.time[rows], log.time[rows], side="left") - 1
        known = place >= 0
        before[rows[known]] = rows[place[known]]
    return before


def by_listener_and_station(log: EventLog, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The given rows by listener and station, each group in time order."""
    order = rows[np.lexsort((rows, log.station[rows], log.listener[rows]))]
    changed = (np.diff(log.listener[order]) != 0) | (np.diff(log.station[order]) != 0)
    return [part for part in np.split(order, np.flatnonzero(changed) + 1) if len(part)]
