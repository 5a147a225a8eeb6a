"""Plain SQLite connections to the listener's database, durable and patient as all of its are."""

import sqlite3
import time
from pathlib import Path

from player.storage.folding import indexed_words

BUSY_SECONDS = 10.0
"""How long to wait for another process's write: scans commit in batches well below this."""
RETRY_SECONDS = 0.02
"""Between two tries where SQLite refuses at once instead of waiting."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection as every other: see :func:`configure`."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        configure(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def configure(connection: sqlite3.Connection, *, foreign_keys: bool = True) -> None:
    """Make a fresh connection write ahead, durably, and begin transactions only where it is told to."""
    _write_ahead(connection)
    # FULL: an acknowledged thumb survives even a power cut.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
    # The triggers of the search index fold what they write.
    connection.create_function("indexed_words", 1, indexed_words, deterministic=True)
    # Transactions begin where we say, not where the driver guesses.
    connection.isolation_level = None


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, once in its life.

    Of several processes that open a new file at once, SQLite refuses all but one without asking them to wait
    (waiting could be a deadlock), so they try again here.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return
