"""The log as a listener or a script reads it: events with the names and the decision they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from player.storage.database import Database
from player.storage.models import Decision, Event, Station, Track


@dataclass(frozen=True, slots=True)
class HistoryLine:
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


def read_history(database: Database, limit: int | None = None) -> Sequence[HistoryLine]:
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
    return [HistoryLine(*row) for row in reversed(rows)]
