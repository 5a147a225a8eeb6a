"""Writing imported entries into the log: in batches, each once, and never what the log already knows from elsewhere."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from player.feedback.events import MICROSECONDS, NewEvent, now_us
from player.integrations.event_mapping import ended_us, events_of
from player.integrations.history.entries import Entry, Play
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Event, ImportedRecord, ListeningSession

SAME_PLAY_SECONDS = 60.0
"""Two sources that tell of the end of a play of one track this close together, or within half of the track if that is less,
tell of the same play: some keep only minutes, and a scrobble tells the start."""
_KEYS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class Found:
    """An entry and the track it is about."""

    entry: Entry
    track_id: int
    duration: float


@dataclass(slots=True)
class Recorded:
    """What became of entries.

    Attributes:
        entries: now in the log.
        events: that they came to.
        known: in the log from an earlier import.
        elsewhere: plays that the log knows from another source, or from this player itself.
        silent: say nothing about taste.
    """

    entries: int = 0
    events: int = 0
    known: int = 0
    elsewhere: int = 0
    silent: int = 0


class Recorder:
    """Writes the entries of one source.

    Args:
        database: the listener's.
        source: what they come from.
        dry_run: count only, write nothing.
    """

    def __init__(self, database: Database, source: str, *, dry_run: bool = False) -> None:
        self._database = database
        self._source = source
        self._dry_run = dry_run
        self._session_id: int | None = None
        self._elsewhere = _plays_elsewhere(database, source)
        self._seen: set[bytes] = set()
        """Keys that a dry run would have written."""
        self.recorded = Recorded()

    def record(self, batch: Sequence[Found]) -> None:
        """Write a batch in one transaction: all of it or nothing.

        Raises:
            PlayerError: the database refuses.
        """
        counts = Recorded()
        if self._dry_run:
            with self._database.reader() as session:
                self._seen.update(found.entry.key for found, _ in self._fresh(session, batch, counts))
        else:
            with self._database.session() as session:
                self._write(session, self._fresh(session, batch, counts))
        total = self.recorded
        total.entries += counts.entries
        total.events += counts.events
        total.known += counts.known
        total.elsewhere += counts.elsewhere
        total.silent += counts.silent

    def _fresh(
        self, session: Session, batch: Sequence[Found], counts: Recorded
    ) -> list[tuple[Found, tuple[NewEvent, ...]]]:
        """The entries of a batch that are to be written, with their events."""
        known = _known(session, [found.entry.key for found in batch]) | self._seen
        fresh: list[tuple[Found, tuple[NewEvent, ...]]] = []
        for found in batch:
            if found.entry.key in known:
                counts.known += 1
            elif self._told_elsewhere(found):
                counts.elsewhere += 1
            elif events := events_of(found.entry, found.track_id, found.duration):
                known.add(found.entry.key)
                fresh.append((found, events))
                counts.entries += 1
                counts.events += len(events)
            else:
                counts.silent += 1
        return fresh

    def _told_elsewhere(self, found: Found) -> bool:
        said = found.entry.said
        if not isinstance(said, Play) or found.track_id not in self._elsewhere:
            return False
        half = found.duration / 2 if found.duration > 0 else SAME_PLAY_SECONDS
        reach = round(min(SAME_PLAY_SECONDS, half) * MICROSECONDS)
        times, at_us = self._elsewhere[found.track_id], ended_us(said, found.duration)
        place = bisect_left(times, at_us - reach)
        return place < len(times) and times[place] <= at_us + reach

    def _write(self, session: Session, fresh: Sequence[tuple[Found, tuple[NewEvent, ...]]]) -> None:
        if not fresh:
            return
        session_id = self._ensure_session(session)
        # The transaction holds the only writer's lock, so nobody else can take these ids.
        next_id = (session.scalar(select(func.max(Event.id))) or 0) + 1
        rows: list[dict[str, object]] = []
        records: list[dict[str, object]] = []
        for found, events in fresh:
            for event in events:
                rows.append(_row(next_id + len(rows), event, session_id))
            records.append({"key": found.entry.key, "source": self._source, "event_id": next_id + len(rows) - 1})
        session.execute(insert(Event), rows)
        session.execute(insert(ImportedRecord), records)

    def _ensure_session(self, session: Session) -> int:
        if self._session_id is None:
            row = ListeningSession(started_us=now_us(), origin=Origin.IMPORT)
            session.add(row)
            session.flush()
            self._session_id = row.id
        return self._session_id


def _row(event_id: int, event: NewEvent, session_id: int) -> dict[str, object]:
    return {
        "id": event_id,
        "time_us": event.at_us,
        "kind": event.kind,
        "track_id": event.track_id,
        "session_id": session_id,
        "position": event.position,
        "action": event.action,
        "origin": Origin.IMPORT,
    }


def _known(session: Session, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these entries are in the log."""
    known: set[bytes] = set()
    for start in range(0, len(keys), _KEYS_A_QUERY):
        some = keys[start : start + _KEYS_A_QUERY]
        known.update(session.scalars(select(ImportedRecord.key).where(ImportedRecord.key.in_(some))))
    return known


def _plays_elsewhere(database: Database, source: str) -> dict[int, list[int]]:
    """Track id → when its plays ended, in order, as this player and all other sources tell it."""
    query = (
        select(Event.track_id, Event.time_us)
        .outerjoin(ImportedRecord, ImportedRecord.event_id == Event.id)
        .where(Event.kind.in_((Kind.FINISH, Kind.SKIP)))
        .where(or_(ImportedRecord.source.is_(None), ImportedRecord.source != source))
    )
    times: dict[int, list[int]] = defaultdict(list)
    with database.reader() as session:
        for track_id, time_us in session.execute(query):
            insort(times[track_id], time_us)
    return dict(times)
