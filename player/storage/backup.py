"""Copies of the database: made, checked, pruned and put back."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from player.errors import PlayerError
from player.storage.folding import indexed_words

KEPT = 10
"""Copies; the oldest go first, but never the last that is sound."""
FIRST_LINES = 5


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong with a database; nothing where it is sound.

    Attributes:
        revision: of its schema; empty where it cannot be read.
        problems: sentences of SQLite's.
    """

    revision: str
    problems: tuple[str, ...]


def check(path: Path) -> Health:
    """Look at every page, every reference and the search index of a database; nothing is written."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            connection.create_function("indexed_words", 1, indexed_words, deterministic=True)
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({FIRST_LINES})")]
            problems = [] if found == ["ok"] else found
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(FIRST_LINES):
                problems.append(f"row {row} of {table} names a row of {parent} that is not there")
    except sqlite3.Error as error:
        return Health("", (str(error),))
    return Health(str(revision[0]) if revision else "", tuple(problems))


def back_up(source: Path, target: Path) -> None:
    """Copy a database, while others may be writing to it, whole or not at all.

    Raises:
        PlayerError: the copy cannot be made.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(partial)) as writing:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode=DELETE")
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise PlayerError(
            f"No copy of {source} could be made at {target} ({error}); free some space or name another place."
        ) from error
    finally:
        with suppress(OSError):  # it may not even have a folder
            partial.unlink()


def stamped(folder: Path, revision: str) -> Path:
    """A name for a copy that is made now."""
    return folder / f"player-{revision}-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}.db"


def copies(folder: Path) -> list[Path]:
    """The copies in a folder, the newest first."""
    return sorted(folder.glob("player-*.db"), key=lambda path: path.stat().st_mtime, reverse=True)


def prune(folder: Path) -> None:
    """Keep the newest :data:`KEPT` copies, and the newest sound one whatever its age."""
    kept, old = copies(folder)[:KEPT], copies(folder)[KEPT:]
    if old and all(check(path).problems for path in kept):
        old = [path for path in old if path != next((one for one in old if not check(one).problems), None)]
    for path in old:
        path.unlink(missing_ok=True)


def restore(copy: Path, path: Path, folder: Path, newest: str) -> Path | None:
    """Put a copy in the database's place; what was there is copied first, or set aside where it is damaged.

    Args:
        copy: a sound copy, of this version or an earlier one.
        path: the database.
        folder: where copies go.
        newest: the newest schema that this version knows.

    Returns:
        Where what was there is now; None where there was nothing.

    Raises:
        PlayerError: the copy is none, or the database is in use.
    """
    health = check(copy) if copy.is_file() else Health("", ("there is no such file",))
    if health.problems or not health.revision:
        raise PlayerError(
            f"{copy} cannot be restored: {'; '.join(health.problems) or 'it is no copy of a player'}. Nothing was changed."
        )
    if health.revision > newest:
        raise PlayerError(
            f"{copy} was written by a newer version of the player; update the player. Nothing was changed."
        )
    before = None
    if path.exists():
        before = stamped(folder, "before-restore")
        if check(path).problems:
            before.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(before)
            for companion in ("-wal", "-shm"):
                path.with_name(path.name + companion).unlink(missing_ok=True)
        else:
            back_up(path, before)
    try:
        # Into the file itself, so that a player that is running sees the change and no half of it.
        with closing(sqlite3.connect(copy)) as reading, closing(sqlite3.connect(path, timeout=5.0)) as writing:
            reading.backup(writing)
    except sqlite3.Error as error:
        raise PlayerError(f"{path} could not be restored ({error}); close every player and try again.") from error
    return before
