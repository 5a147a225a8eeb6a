"""SQLAlchemy's engine on the listener's database; imported by what writes or asks at length, not by a look-up."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event

from player.storage.connection import BUSY_SECONDS, configure


def make_engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    """An engine whose transactions begin as readers or writers, by the execution option ``reads``."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,  # what a listener heard and said does not belong in an error's text
    )

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        configure(connection, foreign_keys=foreign_keys)

    def begin(connection: Connection) -> None:
        # A writer takes its lock at once and waits its turn; a read that turns into a write would be refused instead.
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begin)
    return engine
