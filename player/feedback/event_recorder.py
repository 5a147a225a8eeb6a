"""Recording what happens here: on disk first, then in the journal; what the listener told can be taken back."""

from collections.abc import Sequence

from player.feedback.event_log import FeedbackLog, LoggedEvent, NewEvent
from player.feedback.event_store import Journal
from player.feedback.undo import undoing
from player.storage.database import Database


class EventRecorder(FeedbackLog):
    """The log as one player writes it; keeps the journal in step, and what its listener told here for undo.

    What it remembers is replaced, never changed in place, so that a copy of its attributes is enough to go back.

    Args:
        database: where the log is.
        origin: "tui" or "headless"; it is written into every event.
    """

    def __init__(self, database: Database, origin: str) -> None:
        super().__init__(database, origin)
        self.fresh: tuple[LoggedEvent, ...] = ()
        """Recorded since this was last emptied, by whoever passes events on once they are on disk."""
        self._told: tuple[tuple[LoggedEvent, ...], ...] = ()

    def record(self, journal: Journal, events: Sequence[NewEvent]) -> tuple[LoggedEvent, ...]:
        """Record durably, then let it have its effect."""
        logged = tuple(self.append_all(events))
        if logged[0].id == journal.watermark + 1:
            journal.add(logged)
        else:
            # Another process wrote in between; its events have their effect first.
            self.catch_up(journal)
        self.fresh = (*self.fresh, *logged)
        return logged

    def catch_up(self, journal: Journal) -> bool:
        """Take up what was written since, here or by another process, in the order of the log; whether there was any."""
        return journal.add(self.read(journal.watermark))

    def tell(self, journal: Journal, events: Sequence[NewEvent]) -> None:
        """Record what the listener told, so that it can be taken back."""
        self._told = (*self._told, self.record(journal, events))

    def take_back(self, journal: Journal) -> tuple[LoggedEvent, ...]:
        """Undo what was told last and still stands, and return it; nothing when there is nothing to undo."""
        while self._told:
            *earlier, last = self._told
            self._told = tuple(earlier)
            if events := tuple(event for event in last if event.id not in journal.undone):
                self.record(journal, undoing(events))
                return events
        return ()
