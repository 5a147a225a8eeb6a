"""The log as it is read by a person: each event with its names and what had been served; by plain SQL, as a look-up is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from player.feedback.events import LoggedEvent, now_us
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind, Origin

_LOGGED = tuple(field.name for field in fields(LoggedEvent))
_EVERYTHING = -1
"""As a limit, to SQLite."""
_LINES = f"""
WITH newest AS (
    SELECT id, max(0, min(time_us, ?)) AS moment FROM event ORDER BY moment DESC, id DESC LIMIT ?
)
SELECT {", ".join("moment" if name == "time_us" else f"event.{name}" for name in _LOGGED)},
    event.time_us != moment, track.title, track.artist, station.name, model_version, rank, score, propensity
FROM newest JOIN event USING (id) JOIN track ON track.id = event.track_id
LEFT JOIN station ON station.id = event.station_id LEFT JOIN decision ON decision.id = event.decision_id
ORDER BY moment, event.id
"""


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
        rows = connection.execute(_LINES, (now_us(), _EVERYTHING if limit is None else limit)).fetchall()
    return [_line(*row) for row in rows]


def _line(*row: object) -> EventLine:
    facts = dict(zip(_LOGGED, row, strict=False))
    kind, action, origin = Kind(str(facts["kind"])), facts["action"], Origin(str(facts["origin"]))
    facts |= {"kind": kind, "action": None if action is None else Action(str(action)), "origin": origin}
    impossible, *names = row[len(_LOGGED) :]
    return EventLine(LoggedEvent(**facts), bool(impossible), *names)  # pyright: ignore[reportArgumentType] - as SQLite keeps them
