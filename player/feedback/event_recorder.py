"""Recording what happens: on disk first, then in the history; every correction is a further event, nothing is ever deleted."""

from collections.abc import Iterable, Sequence

from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_history import EventHistory
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent, NewEvent
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin


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


def correcting(history: EventHistory, correction: Correction) -> list[NewEvent]:
    """The events that make a correction, at least one.

    Raises:
        PlayerError: there is nothing to correct; the sentence says why.
    """
    match correction.kind:
        case "undo":
            assert correction.event_id is not None
            return undoing([_standing(history, correction.event_id)])
        case "clear":
            return [_clearing(history, correction)]
        case "lift-never":
            return _lifting(history, correction, Kind.NEVER, "is not banned")
        case "lift-rest":
            return _lifting(history, correction, Kind.NOT_NOW, "does not rest")
        case "unmute":
            return _unmuting(history, correction)


def undoing(events: Iterable[LoggedEvent]) -> list[NewEvent]:
    """The events that take these back."""
    return [NewEvent(Kind.UNDO, event.track_id, event.station_id, undoes_id=event.id) for event in events]


def _standing(history: EventHistory, event_id: int) -> LoggedEvent:
    event = history.find(event_id)
    if event is None:
        raise PlayerError(f"There is no event {event_id}; `player history` lists them.")
    if event.kind == Kind.UNDO:
        raise PlayerError(f"Event {event_id} took another one back; tell that one anew instead.")
    if event.id in history.undone:
        raise PlayerError(f"Event {event_id} was taken back already.")
    return event


def _clearing(history: EventHistory, correction: Correction) -> NewEvent:
    state, station, track = history.state, correction.station_id, correction.track_id
    thumbs = state.everywhere if station is None else state.thumbs.get(station, {})
    if track not in thumbs:
        where = "for all stations" if station is None else "on this station"
        raise PlayerError(f"Track {track} has no thumb {where}.")
    return NewEvent(Kind.CLEAR, track, station)


def _lifting(history: EventHistory, correction: Correction, kind: Kind, otherwise: str) -> list[NewEvent]:
    told = [event for event in history.standing_of(kind) if event.track_id == correction.track_id]
    if not told:
        raise PlayerError(f"Track {correction.track_id} {otherwise}.")
    return undoing(told)


def _unmuting(history: EventHistory, correction: Correction) -> list[NewEvent]:
    told = [
        event
        for event in history.standing_of(Kind.LESS)
        if event.station_id == correction.station_id and event.note == correction.reason
    ]
    if not told:
        raise PlayerError(f"“{correction.reason}” counts on this station as it is.")
    return undoing(told)
