"""Runs a command that must not outlive the process that started it, however that process ends.

``python -I -S command_guard.py FD COMMAND…``: the command gets this program's standard streams. FD is the reading end of a
pipe whose writing end only the starter holds. When that closes, because the starter closed it or was killed, and also when
the command ends, its whole process group is killed: the command, and whatever the command started. Standard library only.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading

NOT_STARTED = 127
"""The answer of shells for a program that cannot be run."""


def main(arguments: list[str]) -> int:
    """Run the command; its exit code, or 128 and the signal that killed it."""
    lifeline, command = int(arguments[0]), arguments[1:]
    try:
        child = subprocess.Popen(command, process_group=0)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror or error}\n")
        return NOT_STARTED
    _let_go_of(sys.stdin.fileno(), sys.stdout.fileno())
    threading.Thread(target=_end_with, args=(lifeline, child.pid), daemon=True).start()
    code = child.wait()
    _kill(child.pid)  # what it has left behind
    return code if code >= 0 else 128 - code


def _let_go_of(*streams: int) -> None:
    """Leave the streams to the command alone, so that the starter notices when it closes them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nothing, stream)
    os.close(nothing)


def _end_with(lifeline: int, group: int) -> None:
    """Wait for the starter's end of the pipe to close, then kill the group."""
    os.read(lifeline, 1)
    _kill(group)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
