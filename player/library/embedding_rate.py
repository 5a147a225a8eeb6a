"""How fast tracks are embedded, and when it will be done: measured, kept for the next run, told in a sentence."""

import math
import time
from datetime import datetime, timedelta

from player.storage.database import Database
from player.storage.key_value import keep_fact, read_fact

FEW_TRACKS = 8
"""After so many a speed can be told: with two workers the error is one track in eight."""
SLOW = 1.0
"""Tracks a second; slower than this is told by the minute, where it is a number above one."""
MINUTE = 60
A_WEEK = timedelta(days=6)
"""Within which a day of the week names one day."""
LONGEST = 1e9
"""Seconds, thirty years: beyond, a calendar has no use."""


class Pace:
    """Tracks a second of a run, from the first result on: loading the network is not part of it.

    Args:
        known: that of an earlier run, until this one has its own.
    """

    def __init__(self, known: float | None = None) -> None:
        self._known = known
        self._first: float | None = None
        self._last = 0.0
        self._count = 0

    def heard(self) -> None:
        """One more track is done."""
        self._last = time.monotonic()
        if self._first is None:
            self._first = self._last
        else:
            self._count += 1

    @property
    def measured(self) -> float | None:
        """Tracks a second in this run; None before ``FEW_TRACKS``."""
        if self._first is None or self._count < FEW_TRACKS or self._last <= self._first:
            return None
        return self._count / (self._last - self._first)

    @property
    def tracks_per_second(self) -> float | None:
        """This run's, else an earlier one's."""
        return self.measured or self._known

    def seconds_left(self, tracks: int) -> float | None:
        """For so many tracks; None while the speed is unknown."""
        rate = self.tracks_per_second
        return None if rate is None else tracks / rate


def load_pace(database: Database, key: str) -> float | None:
    """The tracks a second that an earlier run kept under ``key``."""
    with database.reader() as session:
        kept = read_fact(session, key)
    return float(kept) if isinstance(kept, int | float) and math.isfinite(kept) and kept > 0 else None


def keep_pace(database: Database, key: str, tracks_per_second: float) -> None:
    """Keep it for the next run."""
    with database.session() as session:
        keep_fact(session, key, tracks_per_second)


def pace_key(frontend: str, version: str, workers: int) -> str:
    """What a speed depends on, beside the machine and the music."""
    return f"embedding pace: {frontend} {version}, {workers} workers"


def projection(tracks: int, tracks_per_second: float, now: datetime) -> str:
    """How long so many tracks take.

    >>> projection(10_000, 2.4, datetime(2024, 5, 1, 0, 30))
    '10,000 tracks; at about 2.4 tracks a second this takes about 1 h 9 min (done about 01:39).'
    """
    seconds = tracks / tracks_per_second
    words = f"{tracks:,} track{'s' * (tracks != 1)}; at about {_speed(tracks_per_second)} this takes about {_about(seconds)}"
    return f"{words} (done about {_clock(now, seconds)})." if seconds >= MINUTE else f"{words}."


def _speed(tracks_per_second: float) -> str:
    if tracks_per_second < SLOW:
        return f"{tracks_per_second * MINUTE:.2g} tracks a minute"
    return f"{tracks_per_second:.1f} tracks a second"


def _about(seconds: float) -> str:
    """No finer than such a guess deserves."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / MINUTE), MINUTE)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def _clock(now: datetime, seconds: float) -> str:
    """The time of day, with the day of the week or the date where it is another."""
    done = now + timedelta(seconds=min(seconds, LONGEST))
    if done.date() == now.date():
        return f"{done:%H:%M}"
    return f"{done:%A %H:%M}" if done - now < A_WEEK else f"{done:%-d %B %Y}"
