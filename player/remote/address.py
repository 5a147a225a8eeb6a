"""Where a running player listens, and who it is: a socket and a lock in the data folder. Free of everything heavy."""

import fcntl
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from player.errors import PlayerError

SOCKET_NAME = "player.sock"
LOCK_NAME = "player.lock"
LONGEST_ADDRESS = 100
"""Bytes of a Unix socket's path; the least that systems take is 104 with the zero behind it."""


def socket_path(data: Path) -> Path:
    """The socket of a data folder."""
    return data / SOCKET_NAME


class AlreadyRunningError(PlayerError):
    """Another player runs on this data folder."""


@contextmanager
def only_player(data: Path) -> Generator[None]:
    """Be the only player on a data folder, as long as this process lives at most.

    Raises:
        AlreadyRunningError: there is one.
    """
    with suppress(OSError):  # opening the database says better what is wrong with the folder
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = os.open(data / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            process = f" (process {who})" if who.isdecimal() else ""
            raise AlreadyRunningError(
                f"A player is running on {data} already{process}; drive it with `player status`, `player next` and the like,"
                " or choose another folder with --data-dir."
            ) from None
        except OSError:  # a file system without locks: nobody can tell
            yield
            return
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)


@contextmanager
def short_address(path: Path) -> Generator[str]:
    """A name for a Unix socket that the system takes, however long the path to its folder is.

    Raises:
        OSError: the path is too long and the system has no short name for the folder, or there is no such folder.
    """
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening_socket(path: Path) -> socket.socket:
    """A socket in the data folder, for nobody else; one that a dead player left is replaced.

    Raises:
        OSError: it cannot be made there.
    """
    listening = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listening.fileno(), 0o600)
        path.unlink(missing_ok=True)
        with short_address(path) as address:
            listening.bind(address)
        listening.listen()  # whoever comes before the loop runs waits
        path.chmod(0o600)
    except BaseException:
        listening.close()
        raise
    return listening
