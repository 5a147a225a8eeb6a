"""Opening the listener's database: durable, checked, migrated, and never worse off after an error."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from player.errors import PlayerError
from player.storage.backup import back_up, prune, stamped
from player.storage.connection import BUSY_SECONDS, connect

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session, sessionmaker

SCHEMA_REVISION = "0010"
"""The newest Alembic revision; kept here so that opening a current database does not import Alembic."""
OWN_TABLES = frozenset({"alembic_version", "track", "event"})
"""What tells the player's database from that of another program; they are there from the first schema on."""
LEAST_FREE = 1 << 20
"""Bytes; a disk with less can hold no write-ahead log."""


class _Joined(threading.local):
    """The transaction that a thread is in, if any, and its session once there was something to write."""

    stack: ExitStack | None = None
    session: "Session | None" = None


class Database:
    """An open database.

    SQLAlchemy is imported when a :meth:`session` or :meth:`reader` is first asked for; a :meth:`look_up` needs none.

    Args:
        path: the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._joined = _Joined()

    @cached_property  # Python 3.11 makes it once, whichever threads ask; under a later one two engines would do no harm
    def engine(self) -> "Engine":
        """SQLAlchemy's engine."""
        from player.storage.engine import make_engine  # noqa: PLC0415 - a look-up answers sooner than it is imported

        return make_engine(self.path)

    @cached_property
    def _sessions(self) -> "sessionmaker[Session]":
        from sqlalchemy.orm import sessionmaker  # noqa: PLC0415 - as above

        return sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def look_up(self) -> Generator[sqlite3.Connection]:
        """A plain connection to read from, in the thread's transaction where it has one that wrote."""
        if self._joined.session is not None:
            yield driver_connection(self._joined.session)
            return
        try:
            with closing(connect(self.path)) as connection:
                connection.execute("PRAGMA query_only=ON")
                connection.execute("BEGIN")
                yield connection
        except sqlite3.Error as error:
            raise PlayerError(explain(error, self.path)) from error

    @contextmanager
    def transaction(self) -> Generator[None]:
        """One durable transaction of all that this thread writes within: every :meth:`session` joins it.

        It begins with the first write, from which on every :meth:`reader` reads in it too, and commits at the end; after an
        error nothing of it is kept. It is not to be nested.

        Raises:
            PlayerError: the disk refused; the sentence says why.
        """
        with ExitStack() as stack:
            self._joined.stack = stack
            try:
                yield
            finally:
                self._joined.stack = self._joined.session = None

    @contextmanager
    def reader(self) -> Generator["Session"]:
        """A session that only reads, undisturbed by and not disturbing a writer."""
        if self._joined.session is not None:
            yield self._joined.session
            return
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as above

        with self._sessions(bind=self.engine.execution_options(reads=True)) as session:
            try:
                yield session
            except (DBAPIError, sqlite3.Error) as error:
                raise PlayerError(explain(getattr(error, "orig", error), self.path)) from error

    @contextmanager
    def session(self) -> Generator["Session"]:
        """A session that writes: commits at the end, or rolls back and says in one sentence why the disk refused.

        Within a :meth:`transaction` it is that one's, and commits with it.
        """
        joined = self._joined
        if joined.stack is None:
            with self._writer() as session:
                yield session
            return
        if joined.session is None:
            joined.session = joined.stack.enter_context(self._writer())
        yield joined.session
        joined.session.flush()

    @contextmanager
    def _writer(self) -> Generator["Session"]:
        from sqlalchemy.exc import DBAPIError, IntegrityError  # noqa: PLC0415 - as above

        with self._sessions() as session:
            try:
                yield session
                session.commit()
            except IntegrityError:
                # A rule of the schema, which the caller knows how to put into words.
                session.rollback()
                raise
            except (DBAPIError, sqlite3.Error) as error:
                session.rollback()
                raise PlayerError(explain(getattr(error, "orig", error), self.path)) from error
            except BaseException:
                session.rollback()
                raise

    def close(self) -> None:
        """Close every connection."""
        if "engine" in vars(self):
            self.engine.dispose()


def driver_connection(session: "Session") -> sqlite3.Connection:
    """The plain connection below a session, in its transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def explain(error: BaseException | None, path: Path) -> str:
    """One sentence for what SQLite refused at ``path``."""
    reason = str(error)
    if "I/O error" in reason and _is_full(path):
        reason = "disk full"  # SQLite says so only where the write itself says so, not where a file cannot grow
    if "locked" in reason:
        return f"{path} is in use by another program; close it or try again in a moment."
    if "full" in reason:
        return f"The disk that holds {path} is full; free some space and try again (nothing recorded was lost)."
    if "readonly" in reason or "read-only" in reason or "unable to open" in reason:
        return f"{path} cannot be written; check the folder's permissions or choose another with --data-dir."
    if "malformed" in reason or "not a database" in reason:
        return f"{path} is damaged or no database; restore a copy from the backups folder beside it, or move it away."
    return f"{path}: the database refused ({reason})."


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < LEAST_FREE
    except OSError:
        return False


def open_database(path: Path, *, backups: Path | None = None) -> Database:
    """Open (and where needed create or migrate) the database at ``path``.

    Args:
        path: the SQLite file; its folder is created.
        backups: where a copy goes before a migration; beside the file when absent.

    Raises:
        PlayerError: the folder is unwritable, the file is damaged, emptied, locked, or from a newer version.
    """
    _make_folder(path.parent)
    _refuse_emptied(path)
    revision = _revision(path)
    if revision is not None and revision > SCHEMA_REVISION:
        raise PlayerError(
            f"{path} was written by a newer version of the player (schema {revision}, this one knows"
            f" {SCHEMA_REVISION}); update the player or choose another --data-dir."
        )
    _make_private(path)
    try:
        if revision != SCHEMA_REVISION:
            if revision is not None:
                _back_up(path, backups or path.parent / "backups", revision)
            _migrate(path)
        with closing(connect(path)) as connection:
            connection.execute("SELECT 1 FROM alembic_version")
    except sqlite3.Error as error:
        raise PlayerError(explain(error, path)) from error
    return Database(path)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PlayerError(
            f"The data folder {folder} cannot be made ({error.strerror or error}); choose another with --data-dir."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PlayerError(
            f"The data folder {folder} is not writable; fix its permissions or choose another with --data-dir."
        )


def _refuse_emptied(path: Path) -> None:
    """Raise PlayerError for a database without a byte where there was one: models were trained on what it held."""
    models = path.parent / "models"
    if path.exists() and path.stat().st_size == 0 and models.is_dir() and any(models.iterdir()):
        raise PlayerError(
            f"{path} is empty, though models that were trained on it lie beside it; restore a copy from the backups folder"
            " beside it, or remove the empty file to begin anew."
        )


def _make_private(path: Path) -> None:
    """Make the file if there is none, and let nobody else read it; SQLite gives its companions the same rights."""
    with suppress(OSError):  # it is there, or opening it says why
        # Only a new file: closing one that this process has open elsewhere would give up SQLite's locks on it.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    keep_private(path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"))


def keep_private(*paths: Path) -> None:
    """Let nobody but the owner into these files and folders, as far as they are there and one's own."""
    for path in paths:
        with suppress(OSError):
            mode = path.stat().st_mode
            if mode & 0o077:
                path.chmod(mode & 0o700)


def _revision(path: Path) -> str | None:
    """The schema revision of the file, or None for a new one; plain sqlite3, so that it costs nothing."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if not tables:
                return None
            if not tables >= OWN_TABLES:
                raise PlayerError(
                    f"{path} is a database of another program; move it away or choose another --data-dir."
                )
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise PlayerError(explain(error, path)) from error
    if row is None:
        raise PlayerError(
            f"{path} does not say which version wrote it; restore a copy from the backups folder beside it."
        )
    return str(row[0])


def _back_up(path: Path, folder: Path, revision: str) -> None:
    try:
        back_up(path, stamped(folder, revision))
    except PlayerError as error:
        raise PlayerError(f"{path} was not brought up to date. {error}") from error
    prune(folder)


def migrations_folder() -> Path:
    """Alembic's folder: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_migrations"
    return packaged if packaged.is_dir() else package.parent / "migrations"


def _migrate(path: Path) -> None:
    """Bring the schema up to date in one transaction.

    References are not enforced meanwhile, as SQLite wants it where a table is copied and the old one dropped: rows keep
    their ids, so every reference leads where it led.
    """
    from alembic import command  # noqa: PLC0415 - a current database never needs Alembic
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as above

    from player.storage.engine import make_engine  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    engine = make_engine(path, foreign_keys=False)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise PlayerError(explain(error.orig, path)) from error
    except CommandError as error:
        raise PlayerError(
            f"{path} has a schema that this version of the player does not know ({error});"
            " update the player or choose another --data-dir."
        ) from error
    finally:
        engine.dispose()


class ChangeWatch:
    """Notices, in microseconds, that another connection or process has written to the database."""

    def __init__(self, database: Database) -> None:
        # data_version compares only on one connection, so this keeps its own.
        self._connection = sqlite3.connect(database.path, timeout=BUSY_SECONDS, check_same_thread=False)
        self._version = self._read()

    def changed(self) -> bool:
        """Whether anything was written since the last call."""
        version = self._read()
        changed = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
