"""A data set in memory – an interaction log, what its indices stand for, what was wrong with the file – and names of data sets."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.habits.plays import Plays


class DatasetError(Exception):
    """A data set that cannot be read; the message is one sentence that says what, where and the fix."""


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
        plays: one listener's plays with their artists, where the source tells them; None elsewhere.
        artist: (n,) int64 indices of the tracks' artists, below 0 where a track has none; None where nobody says.
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
    plays: Plays | None = None
    artist: NDArray[np.int64] | None = None


KINDS = ("mssd", "yambda", "piki", "movielens", "cm100k", "emotify", "csv", "parquet")
"""Every kind of set that is read here; a listener's own log and histories from other services are made by the player."""


def parse_name(name: str) -> tuple[str, Path]:
    """The kind and the path of ``KIND:PATH``; the path may hold further colons.

    Raises:
        DatasetError: there is no such kind, or no path.
    """
    kind, colon, path = name.partition(":")
    if not colon or not path.strip():
        raise DatasetError(f"{name!r} does not name a data set: write KIND:PATH, with KIND one of {', '.join(KINDS)}.")
    if kind not in KINDS:
        raise DatasetError(f"There is no kind of data set {kind!r}; there are {', '.join(KINDS)}.")
    return kind, Path(path).expanduser()


def parse_columns(text: str) -> dict[str, str]:
    """The pairs of ``listener=user,track=song,…``; raises DatasetError where one is not ``key=value`` or comes twice."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not key or not value:
            raise DatasetError(f"{part!r} says nothing about a column: write key=value, as in listener=user_id.")
        if key in pairs:
            raise DatasetError(f"The column of {key!r} is given twice, as {pairs[key]!r} and as {value!r}.")
        pairs[key] = value
    return pairs


def checked_options(kind: str, given: dict[str, str], allowed: tuple[str, ...]) -> dict[str, str]:
    """``given``, unless a key is not ``allowed`` for this kind; then DatasetError."""
    for key in given:
        if key not in allowed:
            known = ", ".join(allowed) if allowed else "none, for its columns are fixed"
            raise DatasetError(f"A data set of kind {kind} takes no {key!r} among its columns; it takes {known}.")
    return given
