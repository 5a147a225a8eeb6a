"""One column of a batch: the only place that touches Arrow's arrays, which carry no types."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError

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


class Column:
    """The values of one column, as text (from CSV) or typed (from Parquet)."""

    def __init__(self, name: str, array: ArrowArray) -> None:
        """Wrap an Arrow array; ``name`` is what the file calls it."""
        self.name = name
        self._array = array

    @classmethod
    def of_texts(cls, name: str, texts: Sequence[str]) -> "Column":
        """A column of these texts."""
        return cls(name, pa.array(texts, pa.string()))

    def __len__(self) -> int:
        return len(self._array)

    def where(self, mask: NDArray[np.bool_]) -> "Column":
        """The rows where ``mask`` (N,) is true."""
        return Column(self.name, self._array.filter(pa.array(mask)))

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
