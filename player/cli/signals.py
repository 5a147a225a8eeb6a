"""How a screen ends from outside: its terminal goes away, or a signal tells it to."""

import logging
import select
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from player.children import end_now, end_soon, kill_children

LOOK_SECONDS = 0.5
"""How often it is looked whether the terminal is still there, where nothing tells."""
LEAVE_SECONDS = 0.6
"""How long a screen may take to end in good order when it is told to; after that the player keeps its place without it."""


class Leaving:
    """Ends a screen when its terminal goes away, or at SIGHUP or SIGTERM.

    Of a terminal that is gone a screen knows nothing: its threads spin, or wait for ever to write. So the end is not left to
    it: it is asked where there is still a terminal to restore, and after ``LEAVE_SECONDS`` the player is closed from a thread
    of its own and the process ends, its children with it, ``player.children.END_SECONDS`` after it was told at the latest.

    Args:
        close: keeps the place and ends the children; called once, and not when the screen ended by itself.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._leave: Callable[[], object] | None = None
        self._asked = threading.Event()
        self._left = threading.Event()
        self._code = 1

    def ask_screen(self, leave: Callable[[], object]) -> None:
        """Take the function, safe from any thread, by which the screen ends in good order."""
        self._leave = leave

    @contextmanager
    def watching(self) -> Generator[None]:
        """Within it, the screen is watched over."""
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGHUP, signal.SIGTERM)}
        threading.Thread(target=self._watch_terminal, name="terminal-watch", daemon=True).start()
        threading.Thread(target=self._end, name="leaving", daemon=True).start()
        try:
            yield
        finally:
            self._left.set()
            if self._asked.is_set():
                kill_children()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._code = 128 + number
        self._asked.set()

    def _watch_terminal(self) -> None:
        while not self._left.is_set() and not self._asked.is_set():
            if _terminal_is_gone(LOOK_SECONDS):
                self._code = 128 + signal.SIGHUP
                self._asked.set()

    def _end(self) -> None:
        self._asked.wait()
        end_soon(self._code)
        if not _terminal_is_gone(0.0) and self._leave is not None:
            self._leave()
            if self._left.wait(LEAVE_SECONDS):
                return
        try:
            self._close()
        except Exception:
            logging.getLogger(__name__).exception("The player did not close in good order.")
        end_now(self._code)


def _terminal_is_gone(seconds: float) -> bool:
    """Whether standard input's terminal hung up; returns at the latest after so long."""
    poller = select.poll()
    poller.register(
        sys.__stdin__.fileno() if sys.__stdin__ is not None else 0, 0
    )  # hang-ups and errors are always told
    return any(what & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, what in poller.poll(seconds * 1000))
