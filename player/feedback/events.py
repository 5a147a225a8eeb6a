"""Events: what was served and what was thought of it, and the state that follows from them."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from player.feedback.snooze import DAY
from player.storage.event_kinds import Action, Kind, Origin

MICROSECONDS = 1_000_000
NOT_NOW_SECONDS = DAY
"""How long "not now" rests a track that is not told for how long."""
PRESSED_NEXT = frozenset({None, Action.NEXT})
"""Actions of a skip that count as one: a thumb down or a hand-picked track end a play too, but are no skips."""

THUMBS = frozenset({Kind.UP, Kind.DOWN, Kind.CLEAR})
ENDED = frozenset({Kind.FINISH, Kind.SKIP})
"""Kinds that say how a play ended."""
GOES_ON = frozenset({Action.QUIT, Action.SLEEP})
"""Actions of a stop after which the same play goes on another time."""


Precedence = tuple[bool, int, int]
"""Sorts what was said about the same thing: what is greater holds."""
AHEAD_US = 86_400 * MICROSECONDS
"""So far ahead of this clock another one may be, in the wrong zone at the most."""


def now_us() -> int:
    """The present moment in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def can_be(time_us: int) -> bool:
    """Whether something told now can have happened then: since 1970, and no more than a day in the future."""
    return 0 <= time_us <= now_us() + AHEAD_US


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of the log."""

    id: int
    time_us: int
    kind: Kind
    track_id: int
    station_id: int | None
    position: float | None
    action: Action | None
    origin: Origin
    decision_id: int | None
    undoes_id: int | None
    value: float | None = None
    """For a not-now: how many seconds the track rests. For a play that ended: how many seconds of it were heard, where
    that is less than ``position`` says, because some were jumped over."""
    note: str | None = None
    """For a "less because of this": the reason that is to count no more."""

    @property
    def heard(self) -> float | None:
        """Seconds of a play that were heard, where that was counted; else ``position`` is all that is known."""
        return None if self.kind == Kind.NOT_NOW else self.value

    @property
    def seconds(self) -> float:
        """When, in seconds since 1970."""
        return self.time_us / MICROSECONDS

    @property
    def moment(self) -> tuple[int, int]:
        """Sorts events by time, those of one time in the order of telling."""
        return self.time_us, self.id

    @property
    def precedence(self) -> Precedence:
        """Of two things said about the same, the one with the greater precedence holds.

        That is the one told later, whatever time it bears; an imported history is ordered by its own times, below all that
        was told here.
        """
        imported = self.origin == Origin.IMPORT
        return (not imported, self.time_us if imported else 0, self.id)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded."""

    kind: Kind
    track_id: int
    station_id: int | None = None
    position: float | None = None
    action: Action | None = None
    at_us: int | None = None
    decision_id: int | None = None
    undoes_id: int | None = None
    """For an undo of one certain event; without it the track's last standing feedback is taken back."""
    value: float | None = None
    """For a not-now: how many seconds the track rests; a day without it. For a play that ended: see ``LoggedEvent``."""
    note: str | None = None
    """For a "less because of this": the reason that is to count no more."""


def corrected_times(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """Events in the order of telling, those that bear a time to come moved to when they can have been told at the latest.

    Versions before 5 of the schema took any time, and the year 9999 would be the last word until then.
    """
    now = told_by = now_us()
    if all(0 <= event.time_us <= now for event in events):
        return list(events)
    fixed: list[LoggedEvent] = []
    for event in reversed(events):
        if 0 <= event.time_us <= now:
            told_by = event.time_us if event.origin != Origin.IMPORT else told_by
            fixed.append(event)
        else:
            fixed.append(replace(event, time_us=0 if event.time_us < 0 else told_by))
    return fixed[::-1]


@dataclass(slots=True)
class TrackTally:
    """What the log adds up to for one track."""

    plays: int = 0
    skips: int = 0
    last_played: float | None = None
    """Seconds since 1970 of the last finish or skip."""

    def add(self, event: LoggedEvent) -> None:
        """Count a play that ended."""
        self.last_played = event.seconds
        if event.kind == Kind.FINISH:
            self.plays += 1
        elif event.action in PRESSED_NEXT:
            self.skips += 1


def nothing_off(_station_id: int | None, _now: float) -> set[int]:
    """No track that a station does not play by itself."""
    return set()


@dataclass(slots=True)
class ListeningState:
    """Everything derived from the log: thumbs, bans, rests, tallies, what was played when."""

    watermark: int = 0
    """The id of the last event seen."""
    thumbs: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(dict[int, int]))
    """station id → track id → +1 or -1, as it was said there; see :meth:`thumbs_on` for what holds there."""
    everywhere: dict[int, int] = field(default_factory=dict[int, int])
    """track id → +1 or -1, for thumbs given on no station, which are meant for all."""
    muted: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set[str]))
    """station id → the reasons that count no more there, by their keys (see ``reason_keys``)."""
    never: set[int] = field(default_factory=set[int])
    resting_until: dict[int, float] = field(default_factory=dict[int, float])
    """track id → seconds since 1970."""
    tallies: dict[int, TrackTally] = field(default_factory=lambda: defaultdict(TrackTally))
    plays: list[tuple[int | None, int]] = field(default_factory=list[tuple[int | None, int]])
    """(station id, track id) of every play that ended here, oldest first. Plays imported from elsewhere are none of this
    queue's places: what was heard last month elsewhere would keep tracks out of it now."""
    ended: list[int] = field(default_factory=list[int], compare=False)
    """Track id of every play that ended or was taken back, in the order it was told: whose tallies changed since one last looked."""
    slots: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """station id → how many slots were used up; undo does not give one back, so the noise of later slots stays."""

    off_stations: Callable[[int | None, float], set[int]] = field(default=nothing_off, compare=False)
    """From a station and a moment to ids of the tracks that it does not play by itself."""
    last_words: dict[tuple[int | None, int, bool], Precedence] = field(
        default_factory=dict[tuple[int | None, int, bool], Precedence]
    )
    """(station id, track id, whether it is a rest) → precedence of what holds, so that the same thumbs and rests hold in
    whichever order events are applied."""

    def apply(self, event: LoggedEvent) -> None:
        """Add one event that stands (was not undone)."""
        match event.kind:
            case Kind.UP | Kind.DOWN | Kind.CLEAR | Kind.NOT_NOW:
                self._say(event)
            case Kind.LESS if event.station_id is not None and event.note:
                self.muted[event.station_id].add(event.note)
            case Kind.NEVER:
                self.never.add(event.track_id)
            case Kind.FINISH | Kind.SKIP:
                self._end(event)
            case _:
                pass

    def _say(self, event: LoggedEvent) -> None:
        """A thumb or a rest takes the place of the one before, unless that was told later."""
        station, track, rests = event.station_id, event.track_id, event.kind == Kind.NOT_NOW
        if event.origin == Origin.SURVEY and station is None and event.kind in {Kind.UP, Kind.DOWN}:
            return  # ten seconds of a clip are enough for a label, not to take a track off every station
        about = (None if rests else station, track, rests)
        if self.last_words.get(about, event.precedence) > event.precedence:
            return
        self.last_words[about] = event.precedence
        if rests:
            self.resting_until[track] = event.seconds + (NOT_NOW_SECONDS if event.value is None else event.value)
        elif event.kind == Kind.CLEAR:
            self._clear(station, track)
        else:
            (self.everywhere if station is None else self.thumbs[station])[track] = 1 if event.kind == Kind.UP else -1

    def _clear(self, station: int | None, track: int) -> None:
        thumbs = self.everywhere if station is None else self.thumbs.get(station, {})
        thumbs.pop(track, None)
        if station is not None and not thumbs:
            self.thumbs.pop(station, None)

    def _end(self, event: LoggedEvent) -> None:
        self.tallies[event.track_id].add(event)
        self.ended.append(event.track_id)
        if event.origin != Origin.IMPORT:
            self.plays.append((event.station_id, event.track_id))

    def take_back(self, event: LoggedEvent, others: Sequence[LoggedEvent], earlier_plays: int) -> None:
        """Let an event that was applied have had no effect.

        Args:
            event: it was not an undo.
            others: in time order, those that stand without it and are about its track, or silence a reason.
            earlier_plays: for the end of a play that was not imported, its place in ``plays``.
        """
        match event.kind:
            case Kind.UP | Kind.DOWN | Kind.CLEAR | Kind.NOT_NOW:
                self._unsay(event, others)
            case Kind.LESS if event.station_id is not None and event.note:
                same = (event.kind, event.station_id, event.note)
                if not any((other.kind, other.station_id, other.note) == same for other in others):
                    self.muted[event.station_id].discard(event.note)
                    if not self.muted[event.station_id]:
                        del self.muted[event.station_id]
            case Kind.NEVER:
                if not any(other.kind == Kind.NEVER for other in others):
                    self.never.discard(event.track_id)
            case Kind.FINISH | Kind.SKIP:
                self._unend(event, others, earlier_plays)
            case _:
                pass

    def _unsay(self, event: LoggedEvent, others: Sequence[LoggedEvent]) -> None:
        station, track, rests = event.station_id, event.track_id, event.kind == Kind.NOT_NOW
        self.last_words.pop((None if rests else station, track, rests), None)
        if rests:
            self.resting_until.pop(track, None)
        else:
            self._clear(station, track)
        for other in others:
            same = other.kind == Kind.NOT_NOW if rests else other.kind in THUMBS and other.station_id == station
            if same and other.track_id == track:
                self._say(other)

    def _unend(self, event: LoggedEvent, others: Sequence[LoggedEvent], earlier_plays: int) -> None:
        tally = TrackTally()
        for other in others:
            if other.track_id == event.track_id and other.kind in ENDED:
                tally.add(other)
        if tally.last_played is None:
            self.tallies.pop(event.track_id, None)
        else:
            self.tallies[event.track_id] = tally
        self.ended.append(event.track_id)
        if event.origin != Origin.IMPORT:
            # Another list: whoever keeps up with one reads this from its start.
            self.plays = [*self.plays[:earlier_plays], *self.plays[earlier_plays + 1 :]]

    def heard(self, name: str) -> dict[int, float]:
        """What queries ask: track id → plays, skips or seconds since 1970 when it was last "played", or thumbs "up" or "down"."""
        if name in {"up", "down"}:
            thumb = 1 if name == "up" else -1
            said = [*self.thumbs.values(), self.everywhere]
            return {track: thumb for thumbs in said for track, value in thumbs.items() if value == thumb}
        if name == "played":
            return {track: tally.last_played for track, tally in self.tallies.items() if tally.last_played is not None}
        return {track: getattr(tally, name) for track, tally in self.tallies.items()}

    def thumbs_on(self, station_id: int | None) -> dict[int, int]:
        """Track id → +1 or -1 as it holds on a station: what was said there, else what was said for everywhere."""
        here = {} if station_id is None else self.thumbs.get(station_id, {})
        return {**self.everywhere, **here}


def uses_a_slot(event: LoggedEvent) -> bool:
    """Whether a served place is over and done with; a play that was only interrupted goes on another time."""
    return event.kind in {Kind.FINISH, Kind.SKIP} or (event.kind == Kind.STOP and event.action not in GOES_ON)


def undone_by(events: Iterable[LoggedEvent]) -> set[int]:
    """Ids of the events that these take back."""
    return {event.undoes_id for event in events if event.kind == Kind.UNDO and event.undoes_id is not None}


def standing(events: Sequence[LoggedEvent], undone: set[int] | None = None) -> list[LoggedEvent]:
    """The events that still count, in time order: neither an undo nor undone (by one of these, if it is not said by which)."""
    gone = undone_by(events) if undone is None else undone
    return sorted((event for event in events if event.kind != Kind.UNDO and event.id not in gone), key=_moment)


def _moment(event: LoggedEvent) -> tuple[int, int]:
    return event.moment


def state_of(events: Sequence[LoggedEvent]) -> ListeningState:
    """What follows from these events, without slots."""
    state = ListeningState()
    for event in standing(events):
        state.apply(event)
    return state
