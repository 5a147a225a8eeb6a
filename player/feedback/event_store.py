"""The event log on disk: append-only, every append durable before it returns."""

from collections.abc import Sequence
from dataclasses import asdict, fields

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from player.errors import PlayerError
from player.feedback.events import MICROSECONDS, LoggedEvent, NewEvent, now_us
from player.feedback.log_reader import LOGGED, read_events
from player.feedback.served import Served
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Decision, Event, ListeningSession


class NothingToUndoError(PlayerError):
    """An undo finds nothing to take back."""

    def __init__(self, event: NewEvent) -> None:
        super().__init__(
            f"There is nothing to undo for track {event.track_id}; `player history` shows what was recorded."
        )
        self.event = event


_ONE_DECISION = ("station_id", "watermark", "slot", "track_id", "model_version")
"""What makes one served slot; the table has each once."""


class EventStore:
    """Appends to the log and reads it; every append is on disk before it returns.

    Args:
        database: where it is kept.
        origin: who writes.
    """

    def __init__(self, database: Database, origin: Origin) -> None:
        self._database = database
        self.origin = origin
        self._session_id: int | None = None

    def read(self, after: int = 0) -> list[LoggedEvent]:
        """Events with an id above ``after``, in the order they were written."""
        return read_events(self._database, after)

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
            logged = [LoggedEvent(*(getattr(row, name) for name in LOGGED)) for row in rows]
        self._session_id = session_id
        return logged

    def serve(self, served: Sequence[Served]) -> list[int]:
        """Record committed slots; the same slot served again with nothing new in between is one decision."""
        with self._database.session() as session:
            session_id = self._ensure_session(session)
            ids = [_insert_decision(session, choice, session_id) for choice in served]
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
        if new.kind == Kind.UNDO and undoes is None:
            undoes = _last_standing(session, new).id
        decision = new.decision_id
        if decision is None and new.station_id is not None and self.origin == Origin.CLI:
            decision = _last_decision(session, new.station_id, new.track_id)
        facts = asdict(new) | {"decision_id": decision, "undoes_id": undoes}
        at_us = facts.pop("at_us")
        row = Event(
            **facts,
            time_us=now_us() if at_us is None else at_us,
            session_id=session_id,
            origin=self.origin,
        )
        session.add(row)
        session.flush()
        return row


def _last_decision(session: Session, station_id: int, track_id: int) -> int | None:
    return session.scalar(
        select(func.max(Decision.id)).where(Decision.station_id == station_id, Decision.track_id == track_id)
    )


def _last_standing(session: Session, new: NewEvent) -> Event:
    undone = select(Event.undoes_id).where(Event.undoes_id.is_not(None))
    query = select(Event).where(
        Event.track_id == new.track_id,
        Event.kind.not_in((Kind.UNDO, Kind.START, Kind.STOP)),
        Event.id.not_in(undone),
    )
    if new.station_id is not None:
        query = query.where((Event.station_id == new.station_id) | Event.station_id.is_(None))
    last_told = query.order_by(Event.origin == Origin.IMPORT, Event.id.desc()).limit(1)
    # An undo with a time of its own takes back what came before it; failing that, whatever there is.
    before = None if new.at_us is None else session.scalar(last_told.where(Event.time_us <= new.at_us))
    found = before or session.scalar(last_told)
    if found is None:
        raise NothingToUndoError(new)
    return found


def _insert_decision(session: Session, choice: Served, session_id: int) -> int:
    facts = asdict(choice) | {"id": None, "time_us": now_us(), "session_id": session_id}
    # Served before with nothing new in between: that row stays as it is, and its id is the answer.
    added = (
        insert(Decision).values(**facts).on_conflict_do_update(index_elements=_ONE_DECISION, set_={"slot": choice.slot})
    )
    return int(session.execute(added.returning(Decision.id)).scalar_one())


def read_served(database: Database, since: float, newest: int) -> list[Served]:
    """The newest decisions that were drawn by chance, in the order they were made.

    Args:
        database: the listener's data.
        since: seconds since 1970; earlier ones are left out.
        newest: at most so many.
    """
    wanted = (
        select(*(getattr(Decision, field.name) for field in fields(Served)))
        .where(Decision.propensity > 0, Decision.time_us > since * MICROSECONDS)
        .order_by(Decision.id.desc())
        .limit(newest)
    )
    with database.reader() as session:
        return [Served(*row) for row in reversed(session.execute(wanted).all())]
