"""A batch of a file's rows: its columns, and what a reader makes of them – whom a row is about, what it says, whether it is faulty.

Columns are the only place that touches Arrow's arrays, which carry no types.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError, Exclusion, Problem
from recommender.events import Outcome

ArrowArray = Any
"""A ``pyarrow.Array``; pyarrow ships no types."""
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
SHOWN = 40
"""Characters of a bad value that a message shows."""


class Encoded(NamedTuple):
    """Text as indices into its distinct values."""

    codes: NDArray[np.int64]
    """(N,) indices into ``values``."""
    values: list[str]


class ArrowColumn:
    """The values of one column, as text (from CSV) or typed (from Parquet)."""

    def __init__(self, name: str, array: ArrowArray) -> None:
        """Wrap an Arrow array; ``name`` is what the file calls it."""
        self.name = name
        self._array = array

    @classmethod
    def of_texts(cls, name: str, texts: Sequence[str]) -> "ArrowColumn":
        """A column of these texts."""
        return cls(name, pa.array(texts, pa.string()))

    def __len__(self) -> int:
        return len(self._array)

    def where(self, mask: NDArray[np.bool_]) -> "ArrowColumn":
        """The rows where ``mask`` (N,) is true."""
        return ArrowColumn(self.name, self._array.filter(pa.array(mask)))

    def encoded(self) -> Encoded:
        """The values as text, by index; what is missing is the empty text."""
        coded = self._text().dictionary_encode()
        return Encoded(coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary.to_pylist())

    def mapped(self, meaning: Callable[[str], float]) -> NDArray[np.float64]:
        """(N,) what ``meaning`` makes of each value's text; called once for each distinct value."""
        codes, values = self.encoded()
        return np.array([meaning(value) for value in values], np.float64)[codes]

    def numbers(self) -> NDArray[np.float64]:
        """(N,) the values as finite numbers, NaN where one is not."""
        array = self._array
        if pa.types.is_boolean(array.type) or not _is_text(array.type):
            return _finite(self._cast(array, pa.float64()))
        try:
            return _finite(array.cast(pa.float64()))
        except pa.ArrowInvalid:
            return self.mapped(_number)

    def moments(self) -> NDArray[np.float64]:
        """(N,) seconds since 1970 (numbers as they are, dates and times in UTC unless they say otherwise), NaN where bad."""
        kind = self._array.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            microseconds = self._array.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
            return _finite(microseconds.cast(pa.float64(), safe=False)) / 1e6
        if not _is_text(kind):
            return self.numbers()
        seconds = self.numbers()
        written = np.isnan(seconds)
        if written.any():
            seconds[written] = self.where(written).mapped(_moment)
        return seconds

    def shown(self, row: int) -> str:
        """The value of a row for a message: short, and with control characters escaped."""
        value = str(self._array[row].as_py())
        return (
            ascii(value if len(value) <= SHOWN else value[:SHOWN] + "…") if not value.isprintable() else _quoted(value)
        )

    def _text(self) -> ArrowArray:
        array = self._array
        if not pa.types.is_string(array.type):
            array = self._cast(array, pa.string())
        return array.fill_null("") if array.null_count else array

    def _cast(self, array: ArrowArray, kind: Any) -> ArrowArray:
        try:
            return array.cast(kind, safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DatasetError(
                f"Column {self.name!r} is of type {array.type}, which cannot be read as {kind}; choose another column."
            ) from error


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _quoted(value: str) -> str:
    return f"'{value}'" if len(value) <= SHOWN else f"'{value[:SHOWN]}…'"


def _finite(array: ArrowArray) -> NDArray[np.float64]:
    values = np.array(array.to_numpy(zero_copy_only=False), np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        return np.nan
    value = float(text)
    return value if np.isfinite(value) else np.nan


def _moment(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Some consecutive rows of a file.

    Attributes:
        file: its name, for messages.
        columns: by the reader's names, (N,) each.
        lines: (N,) the line (Parquet: the row) of each row, from 1.
        problems: rows that could not even be cut into columns; they are not in ``columns``.
    """

    file: str
    columns: Mapping[str, ArrowColumn]
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
class Judgements:
    """The columns of a log that say what happened, (N,) each, as in :class:`recommender.events.EventLog`."""

    outcome: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    explicit: NDArray[np.bool_]
    share: NDArray[np.float32]

    @classmethod
    def of(cls, signals: Sequence[Signal], codes: NDArray[np.int64]) -> "Judgements":
        """The signal that each of ``codes`` (N,) points to."""
        return cls(
            outcome=np.array([signal.outcome for signal in signals], np.int8)[codes],
            label=np.array([signal.label for signal in signals], np.int8)[codes],
            weight=np.array([signal.weight for signal in signals], np.float32)[codes],
            explicit=np.array([signal.explicit for signal in signals], np.bool_)[codes],
            share=np.array([signal.share for signal in signals], np.float32)[codes],
        )

    @classmethod
    def of_ratings(cls, ratings: NDArray[np.float64], *, positive: float, negative: float) -> "Judgements":
        """Thumbs: up from ``positive`` on, down up to ``negative``, neither between (NaN, which is malformed, too)."""
        return cls.of((NEITHER, UP, DOWN), np.where(ratings >= positive, 1, np.where(ratings <= negative, 2, 0)))


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that are malformed, or excluded, for one reason."""

    rows: NDArray[np.bool_]
    reason: str
    value: ArrowColumn | None = None
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
        judgements: what they say.
        known: as in :class:`recommender.events.EventLog`; None where nobody said.
        faults: which are malformed.
        exclusions: which are left out by the reader's rules though well-formed.
        filtered: rows that the reader has already taken out of the batch by its rules.
    """

    batch: RecordBatch
    listener: ArrowColumn
    track: ArrowColumn
    judgements: Judgements
    station: ArrowColumn | None = None
    time: NDArray[np.float64] | None = None
    known: NDArray[np.int8] | None = None
    faults: Sequence[Fault] = ()
    exclusions: Sequence[Fault] = ()
    filtered: Sequence[Exclusion] = ()


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A data set that can be read from its start as often as needed.

    Attributes:
        kind: the reader.
        read: one pass over the rows.
        ordered: whether there is a clock.
        consecutive: whether the rows of a listener stand together, so that nobody need remember all listeners.
        notes: what has to be said wherever figures are shown.
        content: from {track name: index}, the (n, dim) float32 vectors of the tracks; None where there are none.
        artist: from the same, the (n,) int64 codes of the tracks' artists, negative where unknown; None where nobody says.
    """

    kind: str
    read: Callable[[], Iterator[Rows]]
    ordered: bool
    notes: tuple[str, ...] = ()
    consecutive: bool = False
    content: Callable[[Mapping[str, int]], NDArray[np.float32]] | None = None
    artist: Callable[[Mapping[str, int]], NDArray[np.int64] | None] | None = None
