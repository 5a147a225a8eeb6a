"""Spans of time that count for nothing: private sessions, and what was forgotten in hindsight. Free of SQLAlchemy and numpy."""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from player.feedback.events import MICROSECONDS

if TYPE_CHECKING:
    from player.storage.database import Database


@dataclass(frozen=True, slots=True)
class UnlearnedTime:
    """A span of time that counts for nothing.

    Attributes:
        until_us: when it ends or ended; None for a private session without an end.
        tracks: so many tracks end it; until then it has no end.
        private: it was begun beforehand.
    """

    id: int
    since_us: int
    until_us: int | None
    tracks: int | None
    private: bool

    def on(self, now: int) -> bool:
        """True for a private session that goes on at a moment (microseconds since 1970)."""
        return self.private and self.since_us <= now and (self.until_us is None or now < self.until_us)

    def holds(self, time_us: int) -> bool:
        """True where a moment lies within."""
        return self.since_us <= time_us and (self.until_us is None or time_us < self.until_us)

    def left(self, now: int) -> str:
        """How long a private session goes on, in words."""
        if self.tracks is not None:
            return "until the queue has played"
        if self.until_us is None:
            return "until you end it"
        minutes = math.ceil((self.until_us - now) / 60 / MICROSECONDS)
        return f"{minutes} min left" if minutes < 100 else f"{round(minutes / 60)} h left"  # noqa: PLR2004 - two digits


def load_spans(database: "Database") -> tuple[UnlearnedTime, ...]:
    """All that were not lifted, by their beginning; a session that a number of tracks ends has ended where they were heard."""
    with database.look_up() as connection:
        rows = connection.execute(
            "SELECT id, since_us, until_us, tracks, private FROM unlearned_span WHERE lifted_us IS NULL ORDER BY since_us"
        ).fetchall()
        spans = [UnlearnedTime(*row[:4], private=bool(row[4])) for row in rows]
        for place, span in enumerate(spans):
            if span.tracks is not None and span.until_us is None:
                ended = connection.execute(
                    "SELECT time_us FROM event WHERE time_us >= ? AND kind IN ('finish', 'skip')"
                    " AND origin IN ('tui', 'headless') ORDER BY time_us LIMIT 1 OFFSET ?",
                    (span.since_us, span.tracks - 1),
                ).fetchone()
                spans[place] = span if ended is None else replace(span, until_us=ended[0] + 1)
    return tuple(spans)
