"""The log of every process of the player: one file that rotates, of printable lines.

Screen and commands write to it themselves. The processes they start (audio, jobs, the map) speak on their standard error,
which their parent reads to its end and logs (:func:`follow`); so even what a dying interpreter or a C library prints is
bounded and printable. Nothing is opened before there is something to say.
"""

import logging
import os
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO

from player.text import printable

MAX_BYTES = 1_000_000
BACKUPS = 2
"""Three files of a megabyte: weeks of troubles, and never a full disk."""
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

LONGEST_MESSAGE = 2_000
LONGEST_TRACEBACK = 20_000
"""Characters; the end of a traceback is what tells."""
FILE_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
CHILD_FORMAT = "%(levelname)s %(name)s: %(message)s"
"""The parent adds the time when it logs the line."""


class _PrintableFormatter(logging.Formatter):
    """A record as one printable line, its traceback indented below: a tag in a message can forge neither."""

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own wording of the traceback in the record.
        return super().format(logging.makeLogRecord({**record.__dict__, "exc_text": None, "stack_info": None}))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = printable(" ".join(record.message.split()), "?")[:LONGEST_MESSAGE]
        return super().formatMessage(record)

    def formatException(self, ei: "ExcInfo") -> str:  # noqa: N802 - logging's names
        text = super().formatException(ei)[-LONGEST_TRACEBACK:]
        return "\n".join(f"    {_indented(line)}" for line in text.splitlines())


def _indented(line: str) -> str:
    """A traceback's line, its indentation kept."""
    depth = len(line) - len(line.lstrip(" "))
    return " " * depth + printable(" ".join(line.split()), "?")


class _SharedFileHandler(RotatingFileHandler):
    """A rotating file that several processes append to; made readable for its owner alone.

    Each looks, before it writes, whether another has rotated the file away. Of two that rotate at the same moment one
    rotates a short file: an old file is lost early, a line is not.
    """

    def _open(self):  # noqa: ANN202 - a text stream, as logging has it
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="replace")

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        stream = self.stream
        if stream is not None and not self._is_current(stream.fileno()):
            stream.close()
            self.stream = self._open()
        return bool(super().shouldRollover(record))

    def _is_current(self, descriptor: int) -> bool:
        try:
            there, ours = Path(self.baseFilename).stat(), os.fstat(descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the line: a disk that is full or gone is told where the listener does something, not over the screen."""


def log_to_file(file: Path) -> None:
    """Log to ``file`` from now on, this process's warnings and what it dies of included."""
    _install(
        _SharedFileHandler(file, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True), FILE_FORMAT
    )


def log_to_parent() -> None:
    """Log to standard error, where the process that started this one reads it (:func:`follow`)."""
    _install(logging.StreamHandler(), CHILD_FORMAT)


def _install(handler: logging.Handler, line: str) -> None:
    root = logging.getLogger()
    for former in [known for known in root.handlers if isinstance(known.formatter, _PrintableFormatter)]:
        root.removeHandler(former)
        former.close()
    handler.setFormatter(_PrintableFormatter(line))
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:  # printed over the screen nobody could read it
        threading.excepthook = _log_thread_death


def _log_thread_death(dead: threading.ExceptHookArgs) -> None:
    """Log why a thread died."""
    if dead.exc_value is None or isinstance(dead.exc_value, SystemExit):
        return
    name = "?" if dead.thread is None else dead.thread.name
    about = (dead.exc_type, dead.exc_value, dead.exc_traceback)
    logging.getLogger(__name__).error("The thread %s died.", name, exc_info=about)


def follow(stream: IO[bytes], name: str) -> threading.Thread:
    """Log what a child says on its standard error until it closes.

    Args:
        stream: the child's standard error; closed at its end.
        name: what the lines are logged under.

    Returns:
        The thread that reads; when it has ended, everything is logged.
    """
    logger = logging.getLogger(f"{__package__}.{name}")

    def read() -> None:
        with stream:
            # In pieces, because a line of a broken library need not end.
            while line := stream.readline(LONGEST_MESSAGE):
                if text := line.decode("utf-8", "replace").strip():
                    logger.warning("%s", text)

    thread = threading.Thread(target=read, name=f"log-{name}", daemon=True)
    thread.start()
    return thread


def log_unexpected(error: BaseException) -> None:
    """Log an error that nobody foresaw, with its traceback, before it goes on to whoever shows it."""
    if logging.getLogger().handlers:  # before there is a log the terminal has to do
        logging.getLogger(__name__).error("%s was not expected.", type(error).__name__, exc_info=error)
