"""Putting right what the log says: every correction is a further event, and nothing is ever deleted."""

from collections.abc import Iterable

from player.errors import PlayerError
from player.feedback.correction import Correction
from player.feedback.event_log import LoggedEvent, NewEvent
from player.feedback.event_store import Journal


def correcting(journal: Journal, correction: Correction) -> list[NewEvent]:
    """The events that make a correction, at least one.

    Raises:
        PlayerError: there is nothing to correct; the sentence says why.
    """
    match correction.kind:
        case "undo":
            assert correction.event_id is not None
            return undoing([_standing(journal, correction.event_id)])
        case "clear":
            return [_clearing(journal, correction)]
        case "lift-never":
            return _lifting(journal, correction, "never", "is not banned")
        case "lift-rest":
            return _lifting(journal, correction, "not-now", "does not rest")
        case "unmute":
            return _unmuting(journal, correction)


def undoing(events: Iterable[LoggedEvent]) -> list[NewEvent]:
    """The events that take these back."""
    return [NewEvent("undo", event.track_id, event.station_id, undoes_id=event.id) for event in events]


def _standing(journal: Journal, event_id: int) -> LoggedEvent:
    event = journal.find(event_id)
    if event is None:
        raise PlayerError(f"There is no event {event_id}; `player history` lists them.")
    if event.kind == "undo":
        raise PlayerError(f"Event {event_id} took another one back; tell that one anew instead.")
    if event.id in journal.undone:
        raise PlayerError(f"Event {event_id} was taken back already.")
    return event


def _clearing(journal: Journal, correction: Correction) -> NewEvent:
    state, station, track = journal.state, correction.station_id, correction.track_id
    thumbs = state.everywhere if station is None else state.thumbs.get(station, {})
    if track not in thumbs:
        where = "for all stations" if station is None else "on this station"
        raise PlayerError(f"Track {track} has no thumb {where}.")
    return NewEvent("clear", track, station)


def _lifting(journal: Journal, correction: Correction, kind: str, otherwise: str) -> list[NewEvent]:
    told = [event for event in journal.standing_of(kind) if event.track_id == correction.track_id]
    if not told:
        raise PlayerError(f"Track {correction.track_id} {otherwise}.")
    return undoing(told)


def _unmuting(journal: Journal, correction: Correction) -> list[NewEvent]:
    told = [
        event
        for event in journal.standing_of("less")
        if event.station_id == correction.station_id and event.note == correction.reason
    ]
    if not told:
        raise PlayerError(f"“{correction.reason}” counts on this station as it is.")
    return undoing(told)
