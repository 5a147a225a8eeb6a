"""Where the listener stopped: station, track, position and volume, kept so that a crash costs seconds."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from player.storage.database import Database
from player.storage.key_value import keep_fact, look_up_fact

KEY = "resume"


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """What to go on with."""

    station_id: int | None = None
    track_id: int | None = None
    position: float = 0.0
    """Seconds."""
    playing: bool = True
    volume: float = 1.0
    muted: bool = False
    balance: float = 0.0
    """From −1, the left alone, to 1, the right alone."""
    decision_id: int | None = None
    reason: str = ""


def load_resume_point(database: Database) -> ResumePoint:
    """Where the listener stopped; the beginning when nothing (readable) was kept."""
    with database.look_up() as connection:
        values: Any = look_up_fact(connection, KEY)
    try:
        point = ResumePoint(**values or {})
        if not 0.0 <= point.volume <= 1.0 or not -1.0 <= point.balance <= 1.0 or not 0.0 <= point.position < math.inf:
            return ResumePoint()
    except (TypeError, ValueError):
        return ResumePoint()
    return point


def save_resume_point(database: Database, point: ResumePoint) -> None:
    """Keep where the listener is."""
    with database.session() as session:
        keep_fact(session, KEY, asdict(point))
