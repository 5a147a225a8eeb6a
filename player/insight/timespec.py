"""From when on: ``30d``, ``12h``, ``2w`` or a day, as a listener writes it."""

import re
from datetime import datetime, timedelta

from player.errors import UsageError

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
NAMES = {"h": "hour", "d": "day", "w": "week"}
DURATION = re.compile(r"(\d{1,4})\s*([hdw])", re.ASCII)
"""Four digits of weeks are two centuries; more are a slip of the finger."""
EARLIEST_YEAR = 1900
"""There was no player before, and the period before a period has to fit into the calendar too."""
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
    moment = _day(text, now) if found is None else now - int(found[1]) * UNITS[found[2]]
    if moment >= now:
        raise UsageError(f"--since {text} lies not in the past; {HOW}.")
    return moment


def _day(text: str, now: datetime) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=now.tzinfo)
    except ValueError:
        day = None
    if day is None or day.year < EARLIEST_YEAR:
        raise UsageError(f"“{text}” is no time to look back to; {HOW}.")
    return day


def length_in_words(span: timedelta) -> str:
    """A span as one says it: "30 days", "12 hours"."""
    unit = "h" if span < 2 * UNITS["d"] else "d"
    count = max(1, round(span / UNITS[unit]))
    return f"{count:,} {NAMES[unit]}{'' if count == 1 else 's'}"
