"""The dial of a station from 0, familiar, to 100, discover: one number that moves four things the same way.

At ``NEUTRAL`` a station is as its settings say. Towards *discover* each place is drawn over more tracks, variety weighs
more, a track rests longer before it comes back, what was heard often loses and what was never played gains; towards
*familiar* all of it the other way. Every one of them is monotone in the dial, so the dial has one meaning.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.diversity import RECENT_PLAYS, Pool, gini, plays_per_artist

FAMILIAR, NEUTRAL, DISCOVER = 0, 50, 100
BREADTH_FACTOR = 3.0
"""At either end a place is drawn over three times as many tracks, or over a third of them."""
DIVERSITY_FACTOR = 3.0
GAP_FACTOR = 2.0
"""At either end a track rests for twice as many places, or for half."""
NOVELTY = 1.5
"""Logits that a track never played gains at the end of discovering, and loses at the other: half a standard deviation of
likeness to the seeds, so that a station stays that station."""
FAMILIARITY = 1.0
"""Logits that a track heard very often gains at the familiar end, and loses at the other."""
OFTEN = 3.0
"""Plays at which a track is half as familiar as it can be."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What a position of the dial asks of a ranking.

    Attributes:
        breadth: over about how many tracks each place is drawn.
        diversity: logits; see ``slate_types.Settings``.
        track_gap: places before a track comes back; see ``rules.Spacing``.
        novelty: logits of a track never played.
        familiarity: logits of a track heard very often.
    """

    breadth: float
    diversity: float
    track_gap: int
    novelty: float
    familiarity: float

    def logits(self, plays: NDArray[np.integer]) -> NDArray[np.float64]:
        """(n,) what each track gains for having been played so many times (n,), skips included."""
        level = plays / (plays + OFTEN)
        return np.where(plays == 0, self.novelty, self.familiarity * level)


def dialled(position: int, breadth: float, diversity: float, track_gap: int) -> Dialled:
    """What the dial asks at a position.

    Args:
        position: ``FAMILIAR``…``DISCOVER``; what lies outside counts as the nearer end.
        breadth: over about how many tracks each place is drawn, at ``NEUTRAL``.
        diversity: logits, at ``NEUTRAL``.
        track_gap: places before a track comes back, at ``NEUTRAL``.
    """
    turned = (min(max(position, FAMILIAR), DISCOVER) - NEUTRAL) / (DISCOVER - NEUTRAL)  # −1…1
    return Dialled(
        breadth=max(1.0, breadth * BREADTH_FACTOR**turned),
        diversity=diversity * DIVERSITY_FACTOR**turned,
        track_gap=round(track_gap * GAP_FACTOR**turned),
        novelty=NOVELTY * turned,
        familiarity=-FAMILIARITY * turned,
    )


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """A queue as the dial moves it; all 0 for an empty one.

    Attributes:
        never_played: share of its tracks that the listener has never played.
        repeats: share of its tracks that the station has played before.
        gini: of plays per artist once the queue is played: what the panel beside the queue shows as its outlook.
    """

    never_played: float
    repeats: float
    gini: float


@dataclass(frozen=True, slots=True)
class DialEffect:
    """What the dial did: the queue as it is, beside the queue of the very same state with the dial at ``NEUTRAL``."""

    position: int
    queue: QueueFigures
    neutral: QueueFigures

    @property
    def sentence(self) -> str:
        """31 % new to you, more artists: the plays are spread more evenly over artists than with the dial in its middle."""
        change = round(self.queue.gini - self.neutral.gini, 2)
        course = "more artists" if change < 0 else "fewer artists" if change > 0 else ""
        return ", ".join(filter(None, (f"{self.queue.never_played:.0%} new to you".replace("%", " %"), course)))


def queue_figures(
    pool: Pool, plays: NDArray[np.int64], played: NDArray[np.bool_], queue: NDArray[np.int64]
) -> QueueFigures:
    """The figures of a queue.

    Args:
        pool: what the station may play.
        plays: (m,) track indices of the station's plays, oldest first.
        played: (n,) bool, the tracks that the listener has played, on whatever station.
        queue: (q,) track indices to come.
    """
    if len(queue) == 0:
        return QueueFigures(0.0, 0.0, 0.0)
    after = np.concatenate([plays.astype(np.int64), queue])[-RECENT_PLAYS:]
    return QueueFigures(
        never_played=1.0 - float(played[queue].mean()),
        repeats=float(np.isin(queue, plays).mean()),
        gini=gini(plays_per_artist(pool, after)),
    )


def dial_effect(position: int, figures: QueueFigures, neutral: QueueFigures | None = None) -> DialEffect:
    """The effect of a position.

    Args:
        position: of the dial.
        figures: of the queue as it is.
        neutral: of the queue with the dial at ``NEUTRAL``; not needed there.

    Raises:
        ValueError: the dial is turned, and nothing is there to compare with.
    """
    if position == NEUTRAL:
        return DialEffect(position, figures, replace(figures))
    if neutral is None:
        raise ValueError("a dial that is turned is compared with the queue at its middle")
    return DialEffect(position, figures, neutral)
