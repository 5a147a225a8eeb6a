"""What every reader makes of a file: an interaction log, what its indices stand for, and what was wrong with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog


class DatasetError(Exception):
    """A data set that cannot be read; the message is one sentence that says what, where and the mend."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out."""

    file: str
    line: int
    """From 1, the header included."""
    reason: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that a rule of the reader left out though nothing is wrong with them."""

    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reading went.

    Attributes:
        rows: read, the malformed included.
        malformed: left out because they could not be understood.
        excluded: left out by a filter of the reader (a rating of neither kind, another kind of listening).
        problems: the first malformed rows.
        exclusions: the excluded rows by reason.
    """

    rows: int
    malformed: int
    excluded: int
    problems: tuple[Problem, ...]
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """An interaction log from a file.

    Attributes:
        name: as it was asked for, ``KIND:PATH``.
        kind: the reader.
        log: its rows; where the file has no time, ``time`` counts the rows and means nothing.
        ordered: whether time means something.
        listeners: (L,) what the file calls each listener.
        tracks: (n,) what the file calls each track.
        content: (n, dim) float32 vectors of the tracks, NaN rows where unknown; None when there is no audio.
        reading: how the reading went.
        notes: what has to be said wherever figures on this set are shown (grouped listeners, a missing clock), a sentence each.
    """

    name: str
    kind: str
    log: EventLog
    ordered: bool
    listeners: NDArray[np.str_]
    tracks: NDArray[np.str_]
    content: NDArray[np.float32] | None
    reading: Reading
    notes: tuple[str, ...] = ()
