"""Recording what happens here: on disk first, then in the history; what the listener told can be taken back."""

from collections.abc import Sequence

from player.feedback.event_history import EventHistory
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent, NewEvent
from player.feedback.undo import undoing
from player.storage.database import Database
from player.storage.event_kinds import Origin


class EventRecorder(EventStore):
    """The log as one player writes it; keeps the history in step, and what its listener told here for undo.

    What it remembers is replaced, never changed in place, so that a copy of its attributes is enough to go back.

    Args:
        database: where the log is.
        origin: ``TUI`` or ``HEADLESS``; it is written into every event.
    """

    def __init__(self, database: Database, origin: Origin) -> None:
        super().__init__(database, origin)
        self.fresh: tuple[LoggedEvent, ...] = ()
        """Recorded since this was last emptied, by whoever passes events on once they are on disk."""
        self._told: tuple[tuple[LoggedEvent, ...], ...] = ()

    def record(self, history: EventHistory, events: Sequence[NewEvent]) -> tuple[LoggedEvent, ...]:
        """Record durably, then let it have its effect."""
        logged = tuple(self.append_all(events))
        if logged[0].id == history.watermark + 1:
            history.add(logged)
        else:
            # Another process wrote in between; its events have their effect first.
            self.catch_up(history)
        self.fresh = (*self.fresh, *logged)
        return logged

    def catch_up(self, history: EventHistory) -> bool:
        """Take up what was written since, here or by another process, in the order of the log; whether there was any."""
        return history.add(self.read(history.watermark))

    def tell(self, history: EventHistory, events: Sequence[NewEvent]) -> None:
        """Record what the listener told, so that it can be taken back."""
        self._told = (*self._told, self.record(history, events))

    def take_back(self, history: EventHistory) -> tuple[LoggedEvent, ...]:
        """Undo what was told last and still stands, and return it; nothing when there is nothing to undo."""
        while self._told:
            *earlier, last = self._told
            self._told = tuple(earlier)
            if events := tuple(event for event in last if event.id not in history.undone):
                self.record(history, undoing(events))
                return events
        return ()
