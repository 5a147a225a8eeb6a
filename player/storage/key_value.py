"""Small facts that outlive a run, such as what a station is about to play: one JSON value a key, in ``PlayerState``."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from player.storage.models import PlayerState


def read_fact(session: Session, key: str) -> Any:
    """The value kept under ``key``; None when nothing (readable) is."""
    text = session.scalar(select(PlayerState.value).where(PlayerState.key == key))
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def keep_fact(session: Session, key: str, value: object) -> None:
    """Keep ``value``, which JSON can hold, in place of what was kept under ``key``."""
    text = json.dumps(value)
    statement = insert(PlayerState).values(key=key, value=text)
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": text}))
