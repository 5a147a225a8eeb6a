"""Small facts that outlive a run, such as what a station is about to play: one JSON value a key, in ``PlayerState``."""

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from player.storage.database import driver_connection

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def read_fact(session: "Session", key: str) -> Any:
    """The value kept under ``key``; None when nothing (readable) is."""
    return look_up_fact(driver_connection(session), key)


def look_up_fact(connection: sqlite3.Connection, key: str) -> Any:
    """The same for a look-up."""
    row = connection.execute("SELECT value FROM player_state WHERE key = ?", (key,)).fetchone()
    try:
        return None if row is None else json.loads(row[0] or "null")
    except ValueError:
        return None


def keep_fact(session: "Session", key: str, value: object) -> None:
    """Keep ``value``, which JSON can hold, in place of what was kept under ``key``."""
    from sqlalchemy import text  # noqa: PLC0415 - who only reads needs none of it

    statement = text(
        "INSERT INTO player_state (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = :value"
    )
    session.execute(statement, {"key": key, "value": json.dumps(value)})
