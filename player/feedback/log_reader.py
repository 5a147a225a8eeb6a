"""Reading the log by plain SQL, quick enough for a look-up: events as they were written, and as a person reads them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any

from player.feedback.events import LoggedEvent, corrected_times, now_us
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind, Origin

LOGGED = tuple(field.name for field in fields(LoggedEvent))
_KINDS, _ORIGINS = {str(kind): kind for kind in Kind}, {str(origin): origin for origin in Origin}
_ACTIONS = {None: None} | {str(action): action for action in Action}
_EVENTS = f"SELECT {', '.join(LOGGED)} FROM event WHERE id > ? {{about}} ORDER BY id"  # noqa: S608 - our own columns
_ABOUT = "AND track_id IN (SELECT value FROM json_each(?))"
_EVERYTHING = -1
"""As a limit, to SQLite."""
_LINES = f"""
WITH newest AS (
    SELECT * FROM (SELECT id, :now AS moment FROM event WHERE time_us > :now ORDER BY id DESC LIMIT :limit)
    UNION ALL SELECT * FROM (
        SELECT id, time_us FROM event WHERE time_us BETWEEN 0 AND :now ORDER BY time_us DESC, id DESC LIMIT :limit
    )
    UNION ALL SELECT * FROM (SELECT id, 0 FROM event WHERE time_us < 0 ORDER BY id DESC LIMIT :limit)
    ORDER BY moment DESC, id DESC LIMIT :limit
)
SELECT {", ".join("moment" if name == "time_us" else f"event.{name}" for name in LOGGED)},
    event.time_us != moment, track.title, track.artist, station.name, model_version, rank, score, propensity
FROM newest JOIN event USING (id) JOIN track ON track.id = event.track_id
LEFT JOIN station ON station.id = event.station_id LEFT JOIN decision ON decision.id = event.decision_id
ORDER BY moment, event.id
"""  # noqa: S608 - our own columns


def read_events(database: Database, after: int = 0, tracks: Collection[int] | None = None) -> list[LoggedEvent]:
    """Events with an id above ``after``, all or those about some tracks, in the order they were written."""
    query, wanted = (_EVENTS.format(about=""), ()) if tracks is None else (_EVENTS.format(about=_ABOUT), (tracks,))
    with database.look_up() as connection:
        rows = connection.execute(query, (after, *(json.dumps(list(ids)) for ids in wanted))).fetchall()
    return corrected_times([_event(*row) for row in rows])


def read_beside(database: Database, event_id: int) -> list[LoggedEvent]:
    """Everything about the track of an event, in the order it was written; nothing where there is no such event."""
    with database.look_up() as connection:
        tracks = [track for (track,) in connection.execute("SELECT track_id FROM event WHERE id = ?", (event_id,))]
    return read_events(database, tracks=tracks)


def _event(
    number: int, time_us: int, kind: str, track: int, station: int | None, position: float | None, *rest: Any
) -> LoggedEvent:
    action, origin, *others = rest
    return LoggedEvent(
        number, time_us, _KINDS[kind], track, station, position, _ACTIONS[action], _ORIGINS[origin], *others
    )


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event with its names and what had been served."""

    event: LoggedEvent
    impossible: bool
    """The time it was told with cannot be."""
    title: str
    artist: str
    station: str | None
    model_version: str | None
    rank: int | None
    score: float | None
    propensity: float | None


def read_event_lines(database: Database, limit: int | None = None) -> Sequence[EventLine]:
    """The whole log, or its last ``limit`` events, oldest first; a time that cannot be is told as the nearest that can."""
    with database.look_up() as connection:
        asked = {"now": now_us(), "limit": _EVERYTHING if limit is None else limit}
        rows = connection.execute(_LINES, asked).fetchall()
    count = len(LOGGED)
    return [EventLine(_event(*row[:count]), bool(row[count]), *row[count + 1 :]) for row in rows]
