"""Kinds, actions and origins of events are checked by the schema.

SQLite adds a check to a column only by copying the table. No row is lost: a word that no version of the player wrote (a
damaged file) gives way to one that says nothing, and stands in the row's note.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KINDS = ("start", "finish", "skip", "stop", "up", "down", "clear", "replay", "not-now", "never", "less", "undo", "unknown")  # fmt: skip
ACTIONS = ("next", "previous", "chose", "down", "not-now", "never", "quit", "error", "end", "station", "sleep")
ORIGINS = ("tui", "headless", "cli", "survey", "import")


def one_of(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


EVENT_CHECKS = (
    f"CONSTRAINT event_kind CHECK (kind IN {one_of(KINDS)}), "
    f"CONSTRAINT event_action CHECK (action IN {one_of(ACTIONS)}), "
    f"CONSTRAINT event_origin CHECK (origin IN {one_of(ORIGINS)}), "
)
SESSION_CHECK = f"CONSTRAINT session_origin CHECK (origin IN {one_of(ORIGINS)}), "

EVENT_COLUMNS = (
    "id, time_us, kind, track_id, station_id, session_id, position, action, origin, decision_id, undoes_id, value, note"
)


def upgrade() -> None:
    copy_events(
        EVENT_CHECKS,
        f"id, time_us, CASE WHEN kind IN {one_of(KINDS)} THEN kind ELSE 'unknown' END, track_id, station_id, session_id,"
        f" position, CASE WHEN action IN {one_of(ACTIONS)} THEN action END,"
        f" CASE WHEN origin IN {one_of(ORIGINS)} THEN origin ELSE 'cli' END, decision_id, undoes_id, value,"
        f" CASE WHEN kind IN {one_of(KINDS)} AND (action IS NULL OR action IN {one_of(ACTIONS)})"
        f" AND origin IN {one_of(ORIGINS)} THEN note"
        " ELSE coalesce(note || ' ', '') || '(was: ' || kind || ', ' || coalesce(action, '-') || ', ' || origin || ')' END",
    )
    copy_sessions(SESSION_CHECK, f"id, started_us, CASE WHEN origin IN {one_of(ORIGINS)} THEN origin ELSE 'cli' END")


def downgrade() -> None:
    copy_events("", EVENT_COLUMNS)
    copy_sessions("", "id, started_us, origin")


def copy_events(checks: str, values: str) -> None:
    op.execute(
        "CREATE TABLE event_copy (id INTEGER NOT NULL, time_us BIGINT NOT NULL, kind VARCHAR NOT NULL,"
        " track_id INTEGER NOT NULL, station_id INTEGER, session_id INTEGER, position DOUBLE, action VARCHAR,"
        " origin VARCHAR NOT NULL, decision_id INTEGER, undoes_id INTEGER, value DOUBLE, note VARCHAR,"
        f" PRIMARY KEY (id), {checks}"
        " FOREIGN KEY(decision_id) REFERENCES decision (id), FOREIGN KEY(session_id) REFERENCES listening_session (id),"
        " FOREIGN KEY(station_id) REFERENCES station (id), FOREIGN KEY(track_id) REFERENCES track (id),"
        " FOREIGN KEY(undoes_id) REFERENCES event (id))"
    )
    op.execute(f"INSERT INTO event_copy ({EVENT_COLUMNS}) SELECT {values} FROM event ORDER BY id")  # noqa: S608 - the words above
    op.execute("DROP TABLE event")
    op.execute("ALTER TABLE event_copy RENAME TO event")
    op.create_index("ix_event_station_time", "event", ["station_id", "time_us"])
    op.create_index("ix_event_time_us", "event", ["time_us"])
    op.create_index("ix_event_track_id", "event", ["track_id"])


def copy_sessions(check: str, values: str) -> None:
    op.execute(
        "CREATE TABLE session_copy (id INTEGER NOT NULL, started_us BIGINT NOT NULL, origin VARCHAR NOT NULL,"
        f" {check}PRIMARY KEY (id))"
    )
    op.execute(f"INSERT INTO session_copy (id, started_us, origin) SELECT {values} FROM listening_session")  # noqa: S608 - the same
    op.execute("DROP TABLE listening_session")
    op.execute("ALTER TABLE session_copy RENAME TO listening_session")
