"""Recording what happens: on disk first, then in the history, and what was told can be taken back."""

from collections.abc import Callable, Sequence

from player.feedback.event_history import EventHistory
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent, NewEvent, Served
from player.feedback.undo import undoing
from player.storage.database import Database
from player.storage.event_kinds import Origin


class EventRecorder:
    """Writes this player's events, and keeps those its listener told here, for undo.

    Args:
        database: where the log is.
        origin: ``TUI`` or ``HEADLESS``; it is written into every event.
        on_logged: called with every event recorded here, after it is on disk.
    """

    def __init__(self, database: Database, origin: Origin, on_logged: Callable[[LoggedEvent], None] | None) -> None:
        self._log = EventStore(database, origin)
        self._on_logged = on_logged
        self._told: list[tuple[LoggedEvent, ...]] = []

    def record(self, history: EventHistory, events: Sequence[NewEvent]) -> list[LoggedEvent]:
        """Record durably, then let it have its effect."""
        logged = self._log.append_all(events)
        self.catch_up(history)
        if self._on_logged is not None:
            for event in logged:
                self._on_logged(event)
        return logged

    def catch_up(self, history: EventHistory) -> bool:
        """Take up what was written since, here or by another process, in the order of the log; whether there was any."""
        return history.add(self._log.read(history.watermark))

    def serve(self, choice: Served) -> int:
        """Log a committed slot; returns its id."""
        return self._log.serve([choice])[0]

    def tell(self, history: EventHistory, events: Sequence[NewEvent]) -> None:
        """Record what the listener told, so that it can be taken back."""
        self._told.append(tuple(self.record(history, events)))

    def take_back(self, history: EventHistory) -> tuple[LoggedEvent, ...]:
        """Undo what was told last and still stands, and return it; nothing when there is nothing to undo."""
        while self._told:
            events = tuple(event for event in self._told.pop() if event.id not in history.undone)
            if events:
                self.record(history, undoing(events))
                return events
        return ()
