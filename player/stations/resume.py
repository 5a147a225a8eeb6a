"""Where the listener stopped: station, track, position and volume, kept so that a crash costs seconds."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from player.storage.database import Database
from player.storage.models import PlayerState

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
    decision_id: int | None = None
    reason: str = ""


def load_resume_point(database: Database) -> ResumePoint:
    """Where the listener stopped; the beginning when nothing (readable) was kept."""
    with database.reader() as session:
        text = session.scalar(select(PlayerState.value).where(PlayerState.key == KEY))
    try:
        values: dict[str, Any] = json.loads(text or "{}")
        point = ResumePoint(**values)
        if not 0.0 <= point.volume <= 1.0 or not 0.0 <= point.position < math.inf:
            return ResumePoint()
    except (TypeError, ValueError):
        return ResumePoint()
    return point


def save_resume_point(database: Database, point: ResumePoint) -> None:
    """Keep where the listener is."""
    text = json.dumps(asdict(point))
    with database.session() as session:
        statement = insert(PlayerState).values(key=KEY, value=text)
        session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": text}))
