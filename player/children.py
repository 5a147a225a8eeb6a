"""The processes that the player began, and its own end when it is told to end: within a known time, with none of them left."""

import os
import signal
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import subprocess

END_SECONDS = 1.2
"""After it was told to, the player ends within this time, whatever hangs; two seconds are promised, and on a busy machine a
training at the lowest priority takes half a second to die."""

_begun: "weakref.WeakSet[subprocess.Popen[bytes]]" = weakref.WeakSet()


def own(child: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
    """Take in a child, the leader of a process group, that is to be ended with this process at the latest."""
    _begun.add(child)
    return child


def kill_children() -> None:
    """Kill every child that still runs, with what it began."""
    for child in list(_begun):
        if child.poll() is None:
            with suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)


def end_now(code: int) -> NoReturn:
    """End this process and its children at once; what is recorded is on the disk already."""
    kill_children()
    os._exit(code)


def end_soon(code: int) -> None:
    """Have this process and its children ended ``END_SECONDS`` from now, if it has not ended by then."""

    def end() -> None:
        time.sleep(END_SECONDS)
        end_now(code)

    threading.Thread(target=end, name="end", daemon=True).start()
