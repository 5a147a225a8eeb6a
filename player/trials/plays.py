"""What was served in a trial and what became of it: plays with their arms, and the pairs that count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from player.feedback.event_history import THUMBS, EventHistory
from player.feedback.events import MICROSECONDS, LoggedEvent, uses_a_slot
from player.feedback.labels import LabelledEvent
from player.feedback.signals import Signal
from player.stations.trials import TrialInfo
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin
from player.storage.models import Decision
from recommender.events import Outcome

COMPLETED = frozenset({Outcome.FINISH, Outcome.REPLAY})
SKIPPED = frozenset({Outcome.SKIP_EARLY, Outcome.SKIP_LATE})


@dataclass(frozen=True, slots=True)
class TrackVerdict:
    """What the listener thought of one served track.

    Attributes:
        liking: 0…1; see :func:`liking_of`.
        thumb: +1, -1 or 0.
        completed: whether it was heard to its end.
        skipped: whether it was left by pressing next.
    """

    liking: float
    thumb: int
    completed: bool
    skipped: bool


@dataclass(frozen=True, slots=True)
class TrialSlot:
    """A track that an arm served."""

    decision_id: int
    time: float
    """When it was drawn, in seconds since 1970."""
    watermark: int
    """The id of the last event before that."""
    arm: int
    """0 or 1."""
    pair: int
    track_id: int


def verdicts(labels: Iterable[LabelledEvent]) -> dict[int, TrackVerdict]:
    """Decision id → what stands of all that was said and shown about that serving of the track."""
    signals: dict[int, list[Signal]] = {}
    for item in labels:
        if item.event.decision_id is not None:
            signals.setdefault(item.event.decision_id, []).append(item.signal)
    return {
        decision: TrackVerdict(
            liking=liking_of(said),
            thumb=next((signal.label for signal in reversed(said) if signal.explicit), 0),
            completed=any(signal.outcome in COMPLETED for signal in said),
            skipped=any(signal.outcome in SKIPPED for signal in said),
        )
        for decision, said in signals.items()
    }


def liking_of(signals: Sequence[Signal]) -> float:
    """How much one serving of a track was liked, 0…1.

    (1 + label · weight) / 2 of the last thing said outright, else of the strongest shown: 1 for a thumb up, .75 for a
    finished track, .15 for an early skip, 0 for a thumb down; the weights are those of ``feedback.py``.

    Args:
        signals: about one serving of a track, in time order, at least one.
    """
    said = [signal for signal in signals if signal.explicit]
    signal = said[-1] if said else max(signals, key=lambda shown: shown.weight)
    return (1.0 + signal.label * signal.weight) / 2.0


def read_slots(database: Database, trial: TrialInfo) -> list[TrialSlot]:
    """What was served in a trial, judged or not, in the order it was served."""
    names = [arm.name for arm in trial.arms]
    columns = (Decision.id, Decision.time_us, Decision.watermark, Decision.arm, Decision.pair, Decision.track_id)
    with database.reader() as session:
        rows = session.execute(select(*columns).where(Decision.trial_id == trial.id).order_by(Decision.id)).all()
    return [
        TrialSlot(identity, time_us / MICROSECONDS, watermark, names.index(arm), pair, track)
        for identity, time_us, watermark, arm, pair, track in rows
        if arm in names and pair is not None
    ]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a trial.

    Attributes:
        differences: (n,) liking of the first arm's track less that of the second's, of each closed pair, as they closed.
        broken: pairs of which one slot only was served and judged.
    """

    differences: NDArray[np.float64]
    broken: int


def closed_pairs(slots: Sequence[TrialSlot], history: EventHistory, open_pair: int | None = None) -> Pairs:
    """The pairs of which both tracks were judged, each as it was judged when it closed.

    A pair closes with the event that judges the second of its tracks: the end of its play, or what is told from outside.
    What is said or taken back afterwards changes nothing: a trial is looked at after every track, and its test is valid
    only if what it has looked at stays as it was. Of a slot served several times the first that was judged counts.

    Args:
        slots: of the trial, in the order they were served.
        history: the whole log.
        open_pair: the pair that the next slot belongs to; that its second is still to come does not break it.
    """
    if not slots:
        return Pairs(np.empty(0), 0)
    events, labeller = history.told_after(slots[0].watermark)
    told = _Told({slot.decision_id: slot for slot in slots})
    for event in events:
        told.take(event, labeller.label(event))
    broken = [pair for pair, arms in told.judged.items() if len(arms) == 1 and pair != open_pair]
    return Pairs(np.array(list(told.closed.values()), np.float64), len(broken))


class _Told:
    """A trial's pairs as the log tells them, event by event.

    Attributes:
        judged: pair → arm → the decision that was judged.
        closed: pair → difference of the liking when it closed, in the order of closing.
    """

    def __init__(self, slots: Mapping[int, TrialSlot]) -> None:
        self._slots = slots
        self._said: dict[int, dict[int, LabelledEvent]] = {}
        self._undone: set[int] = set()
        self._cleared: dict[tuple[int | None, int], list[int]] = {}
        self.judged: dict[int, dict[int, int]] = {}
        self.closed: dict[int, float] = {}

    def take(self, event: LoggedEvent, said: Sequence[LabelledEvent]) -> None:
        """Take up the next event, and what it shows that it and others say."""
        if event.undoes_id is not None:
            self._undone.add(event.undoes_id)
        if event.kind == Kind.CLEAR:
            self._cleared.setdefault((event.station_id, event.track_id), []).append(event.id)
        for item in said:
            if item.event.decision_id in self._slots:
                self._said.setdefault(item.event.decision_id, {})[item.event.id] = item
        slot = self._slots.get(event.decision_id or 0)
        if slot is not None and (uses_a_slot(event) or (said and event.origin == Origin.CLI)):
            self._judge(slot)

    def _judge(self, slot: TrialSlot) -> None:
        if slot.pair in self.closed or not self._standing(slot.decision_id):
            return
        arms = self.judged.setdefault(slot.pair, {})
        arms.setdefault(slot.arm, slot.decision_id)
        liking = [liking_of(said) for arm in (0, 1) if arm in arms and (said := self._standing(arms[arm]))]
        if len(liking) > 1:
            self.closed[slot.pair] = liking[0] - liking[1]

    def _standing(self, decision_id: int) -> list[Signal]:
        """What was said of a serving and is neither taken back nor cleared by now."""
        return [
            item.signal
            for item in self._said.get(decision_id, {}).values()
            if item.event.id not in self._undone and not self._is_cleared(item.event)
        ]

    def _is_cleared(self, event: LoggedEvent) -> bool:
        clears = self._cleared.get((event.station_id, event.track_id), ())
        return event.kind in THUMBS and any(one > event.id and one not in self._undone for one in clears)
