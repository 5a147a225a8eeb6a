"""The append-only log of what was served and what was thought of it, and the state that follows from it."""

import time
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from player.errors import PlayerError
from player.feedback.snooze import DAY
from player.storage.database import Database
from player.storage.models import Decision, Event, ListeningSession

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


_ONE_DECISION = ("station_id", "watermark", "slot", "track_id", "model_version")
"""What makes one served slot; the table has each once."""


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


class NothingToUndoError(PlayerError):
    """An undo finds nothing to take back."""

    def __init__(self, event: NewEvent) -> None:
        super().__init__(
            f"There is nothing to undo for track {event.track_id}; `player history` shows what was recorded."
        )
        self.event = event


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


class FeedbackLog:
    """Appends to the log and reads it; every append is on disk before it returns.

    Args:
        database: where it is kept.
        origin: who writes: tui, headless, cli or survey.
    """

    def __init__(self, database: Database, origin: str) -> None:
        self._database = database
        self.origin = origin
        self._session_id: int | None = None

    def read(self, after: int = 0) -> list[LoggedEvent]:
        """Events with an id above ``after``, in the order they were written."""
        columns = (
            Event.id,
            Event.time_us,
            Event.kind,
            Event.track_id,
            Event.station_id,
            Event.position,
            Event.action,
            Event.origin,
            Event.decision_id,
            Event.undoes_id,
            Event.value,
            Event.note,
        )
        with self._database.reader() as session:
            rows = session.execute(select(*columns).where(Event.id > after).order_by(Event.id)).all()
        return [LoggedEvent(*row) for row in rows]

    def append(self, new: NewEvent) -> LoggedEvent:
        """Record one event durably."""
        return self.append_all([new])[0]

    def append_all(self, events: Sequence[NewEvent]) -> list[LoggedEvent]:
        """Record events in one durable transaction: all of them or none.

        An ``undo`` takes back the track's last standing feedback (on that station, where one is named).

        Raises:
            NothingToUndoError: an undo finds nothing to take back.
            PlayerError: the database refuses.
        """
        with self._database.session() as session:
            session_id = self._ensure_session(session)
            rows = [self._row(session, new, session_id) for new in events]
            session.flush()
            logged = [_logged(row) for row in rows]
        self._session_id = session_id
        return logged

    def serve(self, served: Sequence[Served]) -> list[int]:
        """Record committed slots; the same slot served again with nothing new in between is one decision."""
        with self._database.session() as session:
            session_id = self._ensure_session(session)
            ids = [_insert_decision(session, choice, session_id) for choice in served]
        self._session_id = session_id
        return ids

    def _ensure_session(self, session: Session) -> int:
        if self._session_id is None:
            row = ListeningSession(started_us=now_us(), origin=self.origin)
            session.add(row)
            session.flush()
            return row.id
        return self._session_id

    def _row(self, session: Session, new: NewEvent, session_id: int) -> Event:
        undoes = new.undoes_id
        if new.kind == "undo" and undoes is None:
            undoes = _last_standing(session, new).id
        decision = new.decision_id
        if decision is None and new.station_id is not None and self.origin == TOLD_FROM_OUTSIDE:
            decision = _last_decision(session, new.station_id, new.track_id)
        row = Event(
            time_us=new.at_us if new.at_us is not None else now_us(),
            kind=new.kind,
            track_id=new.track_id,
            station_id=new.station_id,
            session_id=session_id,
            position=new.position,
            action=new.action,
            origin=self.origin,
            decision_id=decision,
            undoes_id=undoes,
            value=new.value,
            note=new.note,
        )
        session.add(row)
        session.flush()
        return row


def _logged(row: Event) -> LoggedEvent:
    return LoggedEvent(
        row.id,
        row.time_us,
        row.kind,
        row.track_id,
        row.station_id,
        row.position,
        row.action,
        row.origin,
        row.decision_id,
        row.undoes_id,
        row.value,
        row.note,
    )


def _last_decision(session: Session, station_id: int, track_id: int) -> int | None:
    return session.scalar(
        select(func.max(Decision.id)).where(Decision.station_id == station_id, Decision.track_id == track_id)
    )


def _last_standing(session: Session, new: NewEvent) -> Event:
    undone = select(Event.undoes_id).where(Event.undoes_id.is_not(None))
    query = select(Event).where(
        Event.track_id == new.track_id,
        Event.kind.not_in(("undo", "start", "stop")),
        Event.id.not_in(undone),
    )
    if new.station_id is not None:
        query = query.where((Event.station_id == new.station_id) | Event.station_id.is_(None))
    newest_first = query.order_by(Event.time_us.desc(), Event.id.desc()).limit(1)
    # An undo with a time of its own takes back what came before it; failing that, whatever there is.
    until = new.at_us if new.at_us is not None else now_us()
    found = session.scalar(newest_first.where(Event.time_us <= until)) or session.scalar(newest_first)
    if found is None:
        raise NothingToUndoError(new)
    return found


def _insert_decision(session: Session, choice: Served, session_id: int) -> int:
    ids = np.asarray(choice.eligible_ids, dtype="<i4").tobytes()
    utilities = np.asarray(choice.eligible_utilities, dtype="<f4").tobytes()
    result = session.execute(
        insert(Decision)
        .values(
            time_us=now_us(),
            station_id=choice.station_id,
            session_id=session_id,
            track_id=choice.track_id,
            watermark=choice.watermark,
            slot=choice.slot,
            rank=choice.rank,
            score=choice.score,
            propensity=choice.propensity,
            model_version=choice.model_version,
            arm=choice.arm,
            temperature=choice.temperature,
            eligible_count=choice.eligible_count,
            log_partition=choice.log_partition,
            eligible=zlib.compress(ids + utilities),
            trial_id=choice.trial_id,
            pair=choice.pair,
        )
        # Served before with nothing new in between: that row stays as it is, and its id is the answer.
        .on_conflict_do_update(index_elements=_ONE_DECISION, set_={"slot": choice.slot})
        .returning(Decision.id)
    )
    return int(result.scalar_one())
