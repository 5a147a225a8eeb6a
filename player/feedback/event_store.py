"""The event log on disk: append-only, every append durable before it returns."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from player.errors import PlayerError
from player.feedback.events import TOLD_FROM_OUTSIDE, LoggedEvent, NewEvent, Served, now_us
from player.storage.database import Database
from player.storage.models import Decision, Event, ListeningSession, Station, Track


class NothingToUndoError(PlayerError):
    """An undo finds nothing to take back."""

    def __init__(self, event: NewEvent) -> None:
        super().__init__(
            f"There is nothing to undo for track {event.track_id}; `player history` shows what was recorded."
        )
        self.event = event


class EventStore:
    """Appends to the log and reads it; every append is on disk before it returns.

    Args:
        database: where it is kept.
        origin: who writes: tui, headless, cli or survey.
    """

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self.origin = origin
        self._session_id: int | None = None

    def read(self, after: int = 0) -> list[LoggedEvent]:
        """Events with an id above ``after``, in the order they were written."""
        columns = (
            Event.id,
            Event.time_us,
            Event.kind,
            Event.track_id,
            Event.station_id,
            Event.position,
            Event.action,
            Event.origin,
            Event.decision_id,
            Event.undoes_id,
            Event.value,
            Event.note,
        )
        with self._database.reader() as session:
            rows = session.execute(select(*columns).where(Event.id > after).order_by(Event.id)).all()
        return [LoggedEvent(*row) for row in rows]

    def append(self, new: NewEvent) -> LoggedEvent:
        """Record one event durably."""
        return self.append_all([new])[0]

    def append_all(self, events: Sequence[NewEvent]) -> list[LoggedEvent]:
        """Record events in one durable transaction: all of them or none.

        An ``undo`` takes back the track's last standing feedback (on that station, where one is named).

        Raises:
            NothingToUndoError: an undo finds nothing to take back.
            PlayerError: the database refuses.
        """
        with self._database.session() as session:
            session_id = self._ensure_session(session)
            rows = [self._row(session, new, session_id) for new in events]
            session.flush()
            logged = [_logged(row) for row in rows]
        self._session_id = session_id
        return logged

    def serve(self, served: Sequence[Served]) -> list[int]:
        """Record committed slots; the same slot served again with nothing new in between is one decision."""
        ids: list[int] = []
        with self._database.session() as session:
            session_id = self._ensure_session(session)
            for choice in served:
                known = session.scalar(
                    select(Decision.id).where(
                        Decision.station_id == choice.station_id,
                        Decision.watermark == choice.watermark,
                        Decision.slot == choice.slot,
                        Decision.track_id == choice.track_id,
                        Decision.model_version == choice.model_version,
                    )
                )
                ids.append(known if known is not None else _insert_decision(session, choice, session_id))
        self._session_id = session_id
        return ids

    def _ensure_session(self, session: Session) -> int:
        if self._session_id is None:
            row = ListeningSession(started_us=now_us(), origin=self.origin)
            session.add(row)
            session.flush()
            return row.id
        return self._session_id

    def _row(self, session: Session, new: NewEvent, session_id: int) -> Event:
        undoes = new.undoes_id
        if new.kind == "undo" and undoes is None:
            undoes = _last_standing(session, new).id
        decision = new.decision_id
        if decision is None and new.station_id is not None and self.origin == TOLD_FROM_OUTSIDE:
            decision = _last_decision(session, new.station_id, new.track_id)
        row = Event(
            time_us=new.at_us if new.at_us is not None else now_us(),
            kind=new.kind,
            track_id=new.track_id,
            station_id=new.station_id,
            session_id=session_id,
            position=new.position,
            action=new.action,
            origin=self.origin,
            decision_id=decision,
            undoes_id=undoes,
            value=new.value,
            note=new.note,
        )
        session.add(row)
        session.flush()
        return row


def _logged(row: Event) -> LoggedEvent:
    return LoggedEvent(
        row.id,
        row.time_us,
        row.kind,
        row.track_id,
        row.station_id,
        row.position,
        row.action,
        row.origin,
        row.decision_id,
        row.undoes_id,
        row.value,
        row.note,
    )


def _last_decision(session: Session, station_id: int, track_id: int) -> int | None:
    return session.scalar(
        select(func.max(Decision.id)).where(Decision.station_id == station_id, Decision.track_id == track_id)
    )


def _last_standing(session: Session, new: NewEvent) -> Event:
    undone = select(Event.undoes_id).where(Event.undoes_id.is_not(None))
    query = select(Event).where(
        Event.track_id == new.track_id,
        Event.kind.not_in(("undo", "start", "stop")),
        Event.id.not_in(undone),
    )
    if new.station_id is not None:
        query = query.where((Event.station_id == new.station_id) | Event.station_id.is_(None))
    newest_first = query.order_by(Event.time_us.desc(), Event.id.desc()).limit(1)
    # An undo with a time of its own takes back what came before it; failing that, whatever there is.
    until = new.at_us if new.at_us is not None else now_us()
    found = session.scalar(newest_first.where(Event.time_us <= until)) or session.scalar(newest_first)
    if found is None:
        raise NothingToUndoError(new)
    return found


def _insert_decision(session: Session, choice: Served, session_id: int) -> int:
    ids = np.asarray(choice.eligible_ids, dtype="<i4").tobytes()
    utilities = np.asarray(choice.eligible_utilities, dtype="<f4").tobytes()
    result = session.execute(
        insert(Decision)
        .values(
            time_us=now_us(),
            station_id=choice.station_id,
            session_id=session_id,
            track_id=choice.track_id,
            watermark=choice.watermark,
            slot=choice.slot,
            rank=choice.rank,
            score=choice.score,
            propensity=choice.propensity,
            model_version=choice.model_version,
            arm=choice.arm,
            temperature=choice.temperature,
            eligible_count=choice.eligible_count,
            log_partition=choice.log_partition,
            eligible=zlib.compress(ids + utilities),
            trial_id=choice.trial_id,
            pair=choice.pair,
        )
        .returning(Decision.id)
    )
    return int(result.scalar_one())


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event with its names and what had been served."""

    id: int
    time_us: int
    event: str
    track_id: int
    title: str
    artist: str
    station: str | None
    position: float | None
    origin: str
    action: str | None
    undoes: int | None
    value: float | None
    note: str | None
    model_version: str | None
    rank: int | None
    score: float | None
    propensity: float | None


def read_event_lines(database: Database, limit: int | None = None) -> Sequence[EventLine]:
    """The whole log, or its last ``limit`` events, oldest first."""
    query = (
        select(
            Event.id,
            Event.time_us,
            Event.kind,
            Event.track_id,
            Track.title,
            Track.artist,
            Station.name,
            Event.position,
            Event.origin,
            Event.action,
            Event.undoes_id,
            Event.value,
            Event.note,
            Decision.model_version,
            Decision.rank,
            Decision.score,
            Decision.propensity,
        )
        .join(Track, Track.id == Event.track_id)
        .outerjoin(Station, Station.id == Event.station_id)
        .outerjoin(Decision, Decision.id == Event.decision_id)
        .order_by(Event.time_us.desc(), Event.id.desc())
    )
    with database.reader() as session:
        rows = session.execute(query if limit is None else query.limit(limit)).all()
    return [EventLine(*row) for row in reversed(rows)]
