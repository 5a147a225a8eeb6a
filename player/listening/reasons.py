"""Why each track is in the queue, in one line, and how far it moved: the rows as the listener sees them."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from player.listening.log import ListeningState
from player.listening.queue import RankedQueue
from player.listening.scoring import StationScorer
from player.listening.view import MoveKind, QueueRow
from recommender.events import Outcome
from recommender.explain import NO_LABELS, Evidence, Labels, Placing, ReasonKind, explain
from recommender.moves import Move, moves
from recommender.ranking import RankedTrack

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
    """The rows as the listener sees them.

    Args:
        queue: the ranking.
        scorer: that made its scores.
        state: for when a track was last played.
        before: rows of the queue shown before, without those played or taken off since; empty for a first queue.
        now: seconds since 1970.
    """
    reasons = Reasons(queue, scorer, state, now)
    moved = moves(before, queue.track_rows) if before else [Move(track, 0) for track in queue.track_rows]
    return tuple(
        QueueRow(
            track=scorer.collection.rows[ranked.track],
            slot=ranked.slot,
            score=ranked.score,
            propensity=ranked.propensity,
            reason=reasons.of(ranked),
            move=_kind(move),
            moved_by=abs(move.places),
        )
        for ranked, move in zip(queue.ranking.rows, moved, strict=True)
    )


def _kind(move: Move) -> MoveKind:
    if move.new:
        return "new"
    return "same" if move.places == 0 else "up" if move.places > 0 else "down"


class Reasons:
    """The reasons of one ranking; what all rows share is computed once."""

    def __init__(self, queue: RankedQueue, scorer: StationScorer, state: ListeningState, now: float) -> None:
        self._queue = queue
        self._scorer = scorer
        self._state = state
        self._now = now
        self._collection = scorer.collection
        self._centre = queue.scores.parts.centre(queue.open)

    def of(self, ranked: RankedTrack) -> str:
        """The reason of one row; likeness to the seeds names the tags that make it, where any hold for both."""
        likeness = self._scorer.likeness(ranked.track)
        evidence = Evidence(
            seed=likeness.seed,
            labels=self._labels(ranked.track),
            days_since_played=self._days_since_played(ranked.track),
        )
        placing = Placing(ranked.track, ranked.diversity_lead, ranked.given_up, ranked.utility_rank)
        reason = explain(self._queue.scores.parts, self._centre, placing, evidence)
        return likeness.text if reason.kind is ReasonKind.SEED and likeness.text else reason.text

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
        influences = self._queue.scores.head.influences(self._labelled, self._collection.space.vectors[row])
        titles, verbs = self._words
        return Labels(labels.track, influences - self._average, labels.label > 0, titles, verbs)

    @cached_property
    def _labelled(self) -> NDArray[np.float32]:
        return self._collection.space.vectors[self._queue.scores.labels.track]

    @cached_property
    def _average(self) -> NDArray[np.float64]:
        """(m,) influences on the mean track: what every track gets alike explains none."""
        return self._queue.scores.head.influences(self._labelled, self._collection.space.vectors.mean(axis=0))

    @cached_property
    def _words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        labels, rows = self._queue.scores.labels, self._collection.rows
        titles = tuple(rows[row].title for row in labels.track.tolist())
        return titles, tuple(VERB_OF[outcome] for outcome in labels.outcome.tolist())
