"""Events: what was served and what was thought of it, and the state that follows from them."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from player.feedback.snooze import DAY

MICROSECONDS = 1_000_000
NOT_NOW_SECONDS = DAY
"""How long "not now" rests a track that is not told for how long."""
PRESSED_NEXT = frozenset({None, "next"})
"""Actions of a skip that count as one: a thumb down or a hand-picked track end a play too, but are no skips."""


IMPORTED = "import"
"""The origin of events that another player's history tells."""
SURVEYED = "survey"
"""The origin of answers to the survey's clips."""
TOLD_FROM_OUTSIDE = "cli"
"""The origin whose events are about what was last served of that track; the player itself knows which one it was."""
GOES_ON = frozenset({"quit", "sleep"})
"""Actions of a stop after which the same play goes on another time."""


def now_us() -> int:
    """The present moment in microseconds since 1970, UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of the log."""

    id: int
    time_us: int
    kind: str
    track_id: int
    station_id: int | None
    position: float | None
    action: str | None
    origin: str
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
        return None if self.kind == "not-now" else self.value

    @property
    def seconds(self) -> float:
        """When, in seconds since 1970."""
        return self.time_us / MICROSECONDS


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded."""

    kind: str
    track_id: int
    station_id: int | None = None
    position: float | None = None
    action: str | None = None
    at_us: int | None = None
    decision_id: int | None = None
    undoes_id: int | None = None
    """For an undo of one certain event; without it the track's last standing feedback is taken back."""
    value: float | None = None
    """For a not-now: how many seconds the track rests; a day without it. For a play that ended: see ``LoggedEvent``."""
    note: str | None = None
    """For a "less because of this": the reason that is to count no more."""


@dataclass(frozen=True, slots=True)
class Served:
    """A committed slot, as it is kept for later weighing."""

    station_id: int
    track_id: int
    watermark: int
    slot: int
    rank: int
    score: float
    propensity: float | None
    model_version: str
    arm: str
    temperature: float
    eligible_count: int
    log_partition: float
    eligible_ids: Sequence[int]
    eligible_utilities: Sequence[float]
    trial_id: int | None = None
    """The trial of two arms that it was served in."""
    pair: int | None = None
    """In a trial: the running number of its pair of slots."""


@dataclass(slots=True)
class TrackTally:
    """What the log adds up to for one track."""

    plays: int = 0
    skips: int = 0
    last_played: float | None = None
    """Seconds since 1970 of the last finish or skip."""


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
    ended: list[int] = field(default_factory=list[int])
    """Track id of every play that ended, here or elsewhere, oldest first: whose tallies changed since one last looked."""
    slots: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    """station id → how many slots were used up; undo does not give one back, so the noise of later slots stays."""

    def apply(self, event: LoggedEvent) -> None:
        """Add one event that stands (was not undone)."""
        station, track = event.station_id, event.track_id
        match event.kind:
            case "up" | "down" if station is not None or event.origin != SURVEYED:
                # Ten seconds of a clip are enough for a label, not to take a track off every station.
                self._said_on(station)[track] = 1 if event.kind == "up" else -1
            case "clear":
                self._said_on(station).pop(track, None)
            case "less" if station is not None and event.note:
                self.muted[station].add(event.note)
            case "never":
                self.never.add(track)
            case "not-now":
                self.resting_until[track] = event.seconds + (NOT_NOW_SECONDS if event.value is None else event.value)
            case "finish" | "skip":
                tally = self.tallies[track]
                tally.last_played = event.seconds
                self.ended.append(track)
                if event.kind == "finish":
                    tally.plays += 1
                elif event.action in PRESSED_NEXT:
                    tally.skips += 1
                if event.origin != IMPORTED:
                    self.plays.append((station, track))
            case _:
                pass

    def thumbs_on(self, station_id: int | None) -> dict[int, int]:
        """Track id → +1 or -1 as it holds on a station: what was said there, else what was said for everywhere."""
        here = {} if station_id is None else self.thumbs.get(station_id, {})
        return {**self.everywhere, **here}

    def _said_on(self, station_id: int | None) -> dict[int, int]:
        return self.everywhere if station_id is None else self.thumbs[station_id]


def uses_a_slot(event: LoggedEvent) -> bool:
    """Whether a served place is over and done with; a play that was only interrupted goes on another time."""
    return event.kind in {"finish", "skip"} or (event.kind == "stop" and event.action not in GOES_ON)


def standing(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """The events that still count, in time order: neither undone nor an undo."""
    undone = {event.undoes_id for event in events if event.kind == "undo"}
    kept = [event for event in events if event.kind != "undo" and event.id not in undone]
    return sorted(kept, key=lambda event: (event.time_us, event.id))
