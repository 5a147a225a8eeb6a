"""Why each track is in the queue, in one line, and how far it moved: the rows as the listener sees them."""

from collections.abc import Sequence
from copy import copy
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from player.feedback.events import ListeningState
from player.stations.snapshot import MoveKind, QueueRow
from player.stations.station_queue import RankedQueue
from player.stations.station_scoring import StationScorer
from recommender.events import Outcome
from recommender.ranking.explain import NO_LABELS, Evidence, Labels, Placing, ReasonKind, explain, repetition_sentence
from recommender.ranking.rank import RankedTrack
from recommender.ranking.rank_changes import Move, moves

SECONDS_PER_DAY = 86400.0
VERBS = {
    Outcome.THUMB_UP: "thumbed up",
    Outcome.THUMB_DOWN: "thumbed down",
    Outcome.NEVER: "banned",
    Outcome.FINISH: "finished",
    Outcome.REPLAY: "replayed",
    Outcome.CHOSEN: "chose",
}
SKIPPED = "skipped"
VERB_OF = tuple(VERBS.get(outcome, SKIPPED) for outcome in Outcome)
"""By the outcome's number."""


def queue_rows(
    queue: RankedQueue, scorer: StationScorer, state: ListeningState, before: Sequence[int], now: float
) -> tuple[QueueRow, ...]:
    """The rows as the listener sees them; the arguments are those of :class:`RowReasons` and :func:`reasoned_rows`."""
    return reasoned_rows(RowReasons(queue, scorer, state, now), before)


def reasoned_rows(reasons: "RowReasons", before: Sequence[int]) -> tuple[QueueRow, ...]:
    """The rows as the listener sees them.

    Args:
        reasons: of the ranking's rows.
        before: rows of the queue shown before, without those played or taken off since; empty for a first queue.
    """
    queue, rows = reasons.queue, reasons.collection.rows
    moved = moves(before, queue.track_rows) if before else [Move(track, 0) for track in queue.track_rows]
    return tuple(
        QueueRow(
            track=rows[ranked.track],
            slot=ranked.slot,
            score=ranked.score,
            propensity=ranked.propensity,
            reason=reasons.of(place),
            move=_kind(move),
            moved_by=abs(move.places),
        )
        for place, (ranked, move) in enumerate(zip(queue.ranking.rows, moved, strict=True))
    )


def _kind(move: Move) -> MoveKind:
    if move.new:
        return "new"
    return "same" if move.places == 0 else "up" if move.places > 0 else "down"


class RowReasons:
    """The reasons of a queue's rows; in a trial a row is explained by what the arm that chose it ranks by.

    Args:
        queue: the ranking.
        scorer: that made its scores.
        state: for when a track was last played.
        now: seconds since 1970.
    """

    def __init__(self, queue: RankedQueue, scorer: StationScorer, state: ListeningState, now: float) -> None:
        self.queue = queue
        self.collection = scorer.collection
        self._own = Reasons(queue, scorer, state, now)
        arms = {arm.name: arm for arm in queue.arms if arm is not None}
        self._of_arm = {name: Reasons(arm.queue, arm.scorer, state, now) for name, arm in arms.items()}

    def of(self, place: int) -> str:
        """The reason of the row at a place, from 0."""
        arm = self.queue.arm(place)
        reasons = self._own if arm is None else self._of_arm[arm.name]
        return reasons.of(self.queue.ranking.rows[place])

    def after_first(self) -> "RowReasons":
        """Those of the queue that is left when its first place is playing; what all rows share is not computed again."""
        rest = copy(self)
        rest.queue = self.queue.after_first()
        return rest


class Reasons:
    """The reasons of one ranking; what all rows share is computed once."""

    def __init__(self, queue: RankedQueue, scorer: StationScorer, state: ListeningState, now: float) -> None:
        self._queue = queue
        self._scorer = scorer
        self._state = state
        self._now = now
        self._collection = scorer.collection
        self._open = queue.open
        self._centre = queue.scores.parts.centre(queue.open)
        dial = np.zeros(len(queue.open)) if queue.dial is None else queue.dial
        self._dial = self._above_average(dial)
        self._mode = self._above_average(queue.request.scores - queue.scores.total - dial)

    def of(self, ranked: RankedTrack) -> str:
        """The reason of one row; likeness to the seeds names the tags that make it, where any hold for both."""
        likeness = self._scorer.likeness(ranked.track)
        evidence = Evidence(
            seed=likeness.seed,
            labels=self._labels(ranked.track),
            days_since_played=self._days_since_played(ranked.track),
        )
        placing = Placing(
            ranked.track,
            ranked.diversity_lead,
            ranked.given_up,
            ranked.utility_rank,
            mode_lead=float(self._mode[ranked.track]),
            dial_lead=float(self._dial[ranked.track]),
        )
        reason = explain(self._queue.scores.parts, self._centre, placing, evidence)
        return likeness.text if reason.kind is ReasonKind.SEED and likeness.text else reason.text

    def rested(self, row: int) -> str:
        """What there is to say of when a track was last played."""
        return repetition_sentence(self._days_since_played(row))[1]

    def influences(self, row: int) -> NDArray[np.float64]:
        """(m,) logits that each label of the running update accounts for in a track's score.

        They sum to what the running update's part is for the track.
        """
        return self._influences_on(self._collection.space.vectors[row].astype(np.float64))

    def mean_influences(self, among: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(m,) the same for the average track of the mask ``among`` (n,); zeros when it is empty.

        What every track gets alike explains none.
        """
        count = np.count_nonzero(among)
        if not count:
            return np.zeros(len(self._queue.scores.labels.track))
        # A product with the mask: picking the rows out would copy a large library's vectors at each ranking.
        total = among.astype(np.float32) @ self._collection.space.vectors
        return self._influences_on(total.astype(np.float64) / count)

    def _influences_on(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        scores = self._queue.scores
        return scores.head_weight * scores.head.influences(self._labelled, vector)

    def _above_average(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) logits less those of the average open track."""
        return logits - (logits @ self._open) / max(1, np.count_nonzero(self._open))

    def _days_since_played(self, row: int) -> float | None:
        tally = self._state.tallies.get(self._collection.rows[row].id)
        if tally is None or tally.last_played is None:
            return None
        return (self._now - tally.last_played) / SECONDS_PER_DAY

    def _labels(self, row: int) -> Labels:
        """The running update's labels as the explanation of one track needs them."""
        labels = self._queue.scores.labels
        if not len(labels.track):
            return NO_LABELS
        titles, verbs = self._words
        return Labels(labels.track, self.influences(row) - self._average, labels.label > 0, titles, verbs)

    @cached_property
    def _labelled(self) -> NDArray[np.float32]:
        return self._collection.space.vectors[self._queue.scores.labels.track]

    @cached_property
    def _average(self) -> NDArray[np.float64]:
        return self.mean_influences(self._open)

    @cached_property
    def _words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        labels, rows = self._queue.scores.labels, self._collection.rows
        titles = tuple(rows[row].title for row in labels.track.tolist())
        return titles, tuple(VERB_OF[outcome] for outcome in labels.outcome.tolist())
