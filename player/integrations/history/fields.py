"""Values of untrusted documents: texts made safe to keep, numbers that are numbers, moments that are moments."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from player.feedback.events import MICROSECONDS
from player.text import clean_text

Document = Mapping[str, Any]
_LARGEST_SECONDS = 1e11
"""In the year 5138: a larger number of seconds since 1970 counts milliseconds."""
_MILLISECONDS = 1000
_LONGEST_NUMBER = 40
_DAY_MONTH = ("%d %b %Y, %H:%M:%S", "%d %b %Y, %H:%M", "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M")


def document(value: Any) -> Document:
    """A JSON object; an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def text(values: Document, *names: str) -> str:
    """The first of these fields that holds text, on one line and without control characters."""
    for name in names:
        value = values.get(name)
        if isinstance(value, str) and (cleaned := _cleaned(value)):
            return cleaned
    return ""


@lru_cache(maxsize=1 << 15)
def _cleaned(value: str) -> str:
    """Histories name the same tracks again and again."""
    return clean_text(value)


def number(values: Document, *names: str) -> float | None:
    """The first of these fields that holds a finite number, also where it is written as text."""
    for name in names:
        found = _number(values.get(name))
        if found is not None:
            return found
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def flag(values: Document, *names: str) -> bool:
    """Whether one of these fields says yes: true, 1, or a moment at which it became so."""
    return any(
        value is True or (isinstance(value, int | float | str) and value not in {0, "", "0", "false"})
        for value in (values.get(name) for name in names)
        if value is not False
    )


def moment(values: Document, *names: str) -> int | None:
    """Microseconds since 1970 of the first of these fields that says when: a number, ISO 8601 or "01 Jan 2024, 18:30".

    Times without a zone are UTC, as the exports have them.
    """
    for name in names:
        found = parse_moment(values.get(name))
        if found is not None:
            return found
    return None


def parse_moment(value: Any, *, local: bool = False) -> int | None:
    """Microseconds since 1970, or None for what is no moment; a time without a zone is UTC, or this machine's ``local`` one."""
    seconds = _number(value)
    if seconds is not None:
        if abs(seconds) > _LARGEST_SECONDS:
            seconds /= _MILLISECONDS
        return round(seconds * MICROSECONDS) if abs(seconds) <= _LARGEST_SECONDS else None
    return _written(value.strip(), local=local) if isinstance(value, str) and len(value) <= _LONGEST_NUMBER else None


def _written(value: str, *, local: bool) -> int | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = next((one for layout in _DAY_MONTH if (one := _by_layout(value, layout)) is not None), None)
    if found is None:
        return None
    try:
        aware = found if found.tzinfo or local else found.replace(tzinfo=UTC)
        return round(aware.timestamp() * MICROSECONDS)
    except (OverflowError, ValueError):
        return None


def _by_layout(value: str, layout: str) -> datetime | None:
    try:
        return datetime.strptime(value, layout)  # noqa: DTZ007 - its zone is the caller's
    except ValueError:
        return None
