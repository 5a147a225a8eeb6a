"""Logged decisions met again: the state each was made in, what there was to choose from, and how another would choose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from player.feedback.event_history import EventHistory
from player.feedback.event_store import EventStore
from player.feedback.events import LoggedEvent, Served
from player.stations.collection import Collection
from player.stations.station_queue import Listening
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin


@dataclass(frozen=True, slots=True)
class Situation:
    """A decision and the state it was made in.

    Attributes:
        decision: as logged.
        listening: the state of things then.
        queued: rows that had places before it in the same ranking.
    """

    decision: Served
    listening: Listening
    queued: tuple[int, ...]


def replay(
    database: Database,
    collection: Collection,
    every: Sequence[Served],
    wanted: Mapping[int, object],
) -> Iterator[Situation]:
    """Meet decisions again, each with the log as it was known to its ranking.

    Args:
        database: the listener's data.
        collection: the library as it is now.
        every: decisions, for who had places before whom.
        wanted: ids of those to meet; the others only stand before them.

    Yields:
        Situations by rising watermark, those about tracks that are no longer in the library left out.
    """
    history = EventHistory([], {row.id: row.duration for row in collection.rows})
    events = EventStore(database, Origin.CLI).read()
    fed = 0
    playing: dict[int | None, int] = {}
    served = _Places(every)
    for decision in sorted((one for one in every if one.id in wanted), key=lambda one: (one.watermark, one.id)):
        fed = _feed(history, events, fed, decision.watermark, playing)
        if decision.track_id not in collection.index:
            continue
        ahead = served.ahead_of(decision, history.state.slots.get(decision.station_id, 0))
        queued = [collection.index[track] for track in ahead.tracks if track in collection.index]
        row = collection.index.get(playing.get(decision.station_id, -1)) if ahead.by_hand else None
        yield Situation(decision, Listening(history.state, history.labels, decision.time, playing=row), tuple(queued))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What lay between the last slot that was used up and a decision's own.

    Attributes:
        tracks: ids of tracks that decisions had put there.
        by_hand: whether something was playing there that no decision had: the listener chose it.
    """

    tracks: tuple[int, ...]
    by_hand: bool


class _Places:
    """Which decision had which slot of a station."""

    def __init__(self, every: Sequence[Served]) -> None:
        self._by_slot: dict[tuple[int, int], list[Served]] = {}
        for decision in every:
            self._by_slot.setdefault((decision.station_id, decision.slot), []).append(decision)

    def ahead_of(self, decision: Served, first: int) -> _Ahead:
        """What had the slots from ``first`` to the decision's own when it was drawn.

        A list served whole was drawn at one watermark. A place that was prepared while something played was drawn behind
        what was playing, of which the decision is an earlier one.
        """
        tracks: list[int] = []
        by_hand = False
        for slot in range(first, decision.slot):
            earlier = [one for one in self._by_slot.get((decision.station_id, slot), ()) if one.id < decision.id]
            together = [one for one in earlier if one.watermark == decision.watermark]
            if earlier:
                tracks.append((together or earlier)[-1].track_id)
            else:
                by_hand = True
        return _Ahead(tuple(tracks), by_hand)


def _feed(
    history: EventHistory, events: Sequence[LoggedEvent], fed: int, watermark: int, playing: dict[int | None, int]
) -> int:
    """Let the history know the events up to a watermark; how many it knows then."""
    end = fed
    while end < len(events) and events[end].id <= watermark:
        if events[end].kind == Kind.START:
            playing[events[end].station_id] = events[end].track_id
        end += 1
    if end > fed:
        history.add(events[fed:end])
    return end
