"""Slow calls, one after the other, off the event loop.

One thread at a time works through them in the order they were given, so two quick presses of "skip" are two skips and a
thumb after a skip falls on the track it was meant for. The thread ends when nothing is left to do.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from player.errors import PlayerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class CommandQueue:
    """A queue of calls served by one thread worker of ``app``."""

    def __init__(self, app: App[Any], failed: Callable[[str], None]) -> None:
        self._app = app
        self._failed = failed
        self._waiting: deque[Callable[[], Callable[[], None]]] = deque()
        self._serving = False
        self._lock = Lock()

    def add(self, call: Callable[[], T], done: Callable[[T], None] | None = None) -> None:
        """Run ``call`` after everything added before it.

        Args:
            call: What to do, in the thread.
            done: What to do with its result, in the event loop; not called when ``call`` fails.
        """
        with self._lock:
            self._waiting.append(partial(self._attempt, call, done))
            if self._serving:
                return
            self._serving = True
        self._app.run_worker(self._serve, group="port", thread=True)

    def _serve(self) -> None:
        while (call := self._take()) is not None:
            self._app.call_later(call())

    def _take(self) -> Callable[[], Callable[[], None]] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._serving = False
            return None

    def _attempt(self, call: Callable[[], T], done: Callable[[T], None] | None) -> Callable[[], None]:
        try:
            result = call()
        except PlayerError as error:
            return partial(self._failed, str(error))
        except Exception as error:  # noqa: BLE001 - a slip in one press must not take the music and the screen down
            _LOG.exception("A call of the screen failed.")
            return partial(self._failed, f"That did not work: {type(error).__name__}: {error}; the music goes on.")
        return partial(done, result) if done is not None else _nothing


def _nothing() -> None:
    return None
