"""Reading what counts for nothing: private sessions, times forgotten in hindsight, excluded tracks. Free of SQLAlchemy and numpy."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from player.feedback.events import MICROSECONDS, ListeningState, LoggedEvent, now_us

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


@dataclass(frozen=True, slots=True)
class ExcludedTracks:
    """The tracks that an exclusion finds.

    Attributes:
        tracks: their ids.
        station_id: the only station it is for; all when absent.
        season: first and last day (month, day) between which it does not hold.
    """

    tracks: frozenset[int]
    station_id: int | None = None
    season: tuple[tuple[int, int], tuple[int, int]] | None = None

    def holds(self, station_id: int | None, moment: float) -> bool:
        """True on that station at that moment (seconds since 1970)."""
        if self.station_id is not None and station_id != self.station_id:
            return False
        if self.season is None:
            return True
        (first, last), day = self.season, time.localtime(moment)[1:3]
        within = first <= day <= last if first <= last else day >= first or day <= last
        return not within


@dataclass(frozen=True)
class Hygiene:
    """What nothing is learned from, as it is at one moment.

    Attributes:
        times: spans of time that count for nothing, those that are over or go on.
        excluded: tracks.
        private: the private session that goes on, if any.
    """

    times: tuple[UnlearnedTime, ...] = ()
    excluded: tuple[ExcludedTracks, ...] = ()
    private: UnlearnedTime | None = field(default=None)

    def forgotten(self, event: LoggedEvent) -> bool:
        """True for an event that has no effect any more."""
        # Asked of every event of a long log, mostly by listeners who forget nothing.
        return bool(self.times) and any(span.holds(event.time_us) for span in self.times if span is not self.private)

    def silent(self, event: LoggedEvent) -> bool:
        """True for an event that says nothing about taste, whatever its effect."""
        if self.private is not None and self.private.holds(event.time_us):
            return True
        return bool(self.excluded) and any(
            event.track_id in group.tracks and group.holds(event.station_id, event.seconds) for group in self.excluded
        )

    def off_stations(self, station_id: int | None, now: float) -> set[int]:
        """Ids of the tracks that a station does not play by itself."""
        return {track for group in self.excluded if group.holds(station_id, now) for track in group.tracks}

    def state_of(self, events: Iterable[LoggedEvent]) -> ListeningState:
        """What follows from events that stand."""
        state = ListeningState()
        for event in events:
            if not self.forgotten(event):
                state.apply(event)
        return state


NOTHING_FORGOTTEN = Hygiene()


def load_times(database: "Database") -> Hygiene:
    """The times alone, by plain SQL."""
    spans, now = load_spans(database), now_us()
    return Hygiene(spans, private=next((span for span in spans if span.on(now)), None))
