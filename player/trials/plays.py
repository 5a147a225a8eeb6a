"""What was served in a trial and what became of it: plays with their arms, and the pairs that count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from player.feedback.events import MICROSECONDS
from player.feedback.labels import LabelledEvent
from player.feedback.signals import Signal
from player.stations.trials import TrialInfo
from player.storage.database import Database
from player.storage.models import Decision
from recommender.events import Outcome

COMPLETED = frozenset({Outcome.FINISH, Outcome.REPLAY})
SKIPPED = frozenset({Outcome.SKIP_EARLY, Outcome.SKIP_LATE})


@dataclass(frozen=True, slots=True)
class Verdict:
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
class TrialPlay:
    """A track that an arm served and the listener judged."""

    decision_id: int
    time: float
    """When it was drawn, in seconds since 1970."""
    arm: int
    """0 or 1."""
    pair: int
    slot: int
    track_id: int
    verdict: Verdict


def verdicts(labels: Iterable[LabelledEvent]) -> dict[int, Verdict]:
    """Decision id → what stands of all that was said and shown about that serving of the track."""
    signals: dict[int, list[Signal]] = {}
    for item in labels:
        if item.event.decision_id is not None:
            signals.setdefault(item.event.decision_id, []).append(item.signal)
    return {
        decision: Verdict(
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


def read_plays(database: Database, trial: TrialInfo, judged: Mapping[int, Verdict]) -> list[TrialPlay]:
    """The judged plays of a trial, in the order they were served.

    Args:
        database: the listener's data.
        trial: which.
        judged: from :func:`verdicts`.
    """
    names = [arm.name for arm in trial.arms]
    columns = (Decision.id, Decision.time_us, Decision.arm, Decision.pair, Decision.slot, Decision.track_id)
    with database.reader() as session:
        rows = session.execute(select(*columns).where(Decision.trial_id == trial.id).order_by(Decision.id)).all()
    return [
        TrialPlay(identity, time_us / MICROSECONDS, names.index(arm), pair, slot, track, judged[identity])
        for identity, time_us, arm, pair, slot, track in rows
        if identity in judged and arm in names and pair is not None
    ]


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a trial.

    Attributes:
        differences: (n,) liking of the first arm's track less that of the second's, of each complete pair, in order.
        broken: pairs of which one slot only was served and judged.
    """

    differences: NDArray[np.float64]
    broken: int


def complete_pairs(plays: Sequence[TrialPlay], open_pair: int | None = None) -> Pairs:
    """Put the plays of each pair side by side; of a slot served several times the first that was judged counts.

    Args:
        plays: in the order they were served.
        open_pair: the pair that the next slot belongs to; that its second is still to come does not break it.
    """
    by_pair: dict[int, dict[int, TrialPlay]] = {}
    for play in plays:
        by_pair.setdefault(play.pair, {}).setdefault(play.arm, play)
    complete = [arms for arms in by_pair.values() if len(arms) > 1]
    broken = [pair for pair, arms in by_pair.items() if len(arms) == 1 and pair != open_pair]
    return Pairs(
        differences=np.array([arms[0].verdict.liking - arms[1].verdict.liking for arms in complete], np.float64),
        broken=len(broken),
    )
