"""From when on: ``30d``, ``12h``, ``2w`` or a day, as a listener writes it."""

import re
from datetime import datetime, timedelta

from player.errors import UsageError

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
NAMES = {"h": "hour", "d": "day", "w": "week"}
DURATION = re.compile(r"(\d{1,5})\s*([hdw])", re.ASCII)
"""Five digits are more than a century of days; more are a slip of the finger."""
HOW = "write 30d, 12h, 2w or a day such as 2026-10-01"


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a duration before ``now`` or a day names; a day begins at midnight where the listener is.

    Args:
        text: as written.
        now: with a time zone.

    Raises:
        UsageError: it names no moment, or none before now.
    """
    text = text.strip().lower()
    found = DURATION.fullmatch(text)
    moment = _day(text, now) if found is None else _before(now, int(found[1]), found[2], text)
    if moment >= now:
        raise UsageError(f"--since {text} lies not in the past; {HOW}.")
    return moment


def _before(now: datetime, count: int, unit: str, text: str) -> datetime:
    try:
        return now - count * UNITS[unit]
    except OverflowError:
        raise UsageError(f"--since {text} lies before all calendars; {HOW}.") from None


def _day(text: str, now: datetime) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=now.tzinfo)
    except ValueError:
        raise UsageError(f"“{text}” is no time to look back to; {HOW}.") from None


def length_in_words(span: timedelta) -> str:
    """A span as one says it: "30 days", "12 hours"."""
    unit = "h" if span < 2 * UNITS["d"] else "d"
    count = max(1, round(span / UNITS[unit]))
    return f"{count:,} {NAMES[unit]}{'' if count == 1 else 's'}"
