"""A controller with a real audio process, and ways to wait for what it shows and to read what it recorded."""

import threading
import time

from player.feedback.event_store import EventStore
from player.playback.controller import Controller
from tests.support.library import settings

PATIENCE_SECONDS = 8.0


class Listener:
    """A controller, and ways to wait for what it shows and to read what it recorded."""

    def __init__(self, home, opening=None, **changes):
        self.home = home
        self.logged = []
        self.controller = Controller(
            changes.pop("database", home.database),
            home.paths,
            settings(),
            origin="tui",
            opening=opening,
            on_logged=self.logged.append,
        )
        self._changed = threading.Condition()
        self.controller.subscribe(self._wake)

    def _wake(self):
        with self._changed:
            self._changed.notify_all()

    def start(self):
        self.controller.start()
        return self

    @property
    def now(self):
        return self.controller.snapshot().now

    @property
    def notice(self):
        return self.controller.snapshot().notice

    @property
    def queue(self):
        return [row.track.id for row in self.controller.snapshot().queue]

    @property
    def events(self):
        """(kind, track, action) of everything in the log."""
        return [(event.kind, event.track_id, event.action) for event in EventStore(self.home.database, "cli").read()]

    def wait(self, condition, what="it", timeout=PATIENCE_SECONDS):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen; on show is {self.controller.snapshot()}"
            with self._changed:
                self._changed.wait(0.05)

    def wait_until_sounding(self, seconds=0.0):
        self.wait(lambda: self.now is not None and self.now.playing and self.now.position > seconds, "sound")
