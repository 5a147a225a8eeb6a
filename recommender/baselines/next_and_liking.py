"""What comes next and whether it is liked, as one score: log P(next) from a linear map between tracks, log P(like) from a posterior.

The map alone knows what people choose to rate, likes and dislikes alike, and orders the two badly; the chance of a like alone hardly
foretells what comes next. Entering as log P(like) it says "not this" clearly and hardly tells the good from the very good, which is
where what comes next decides. Everything is in closed form or convex: no network, no epochs.
"""

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.ease import ease
from recommender.baselines.feedback import Doubles, LabelMatrix
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context, Recommender

SCALED_ON = 500
"""Listeners of the fitted log on whom the map's scores are brought to a spread of 1; more would move it by a hundredth."""


class NextAndLiking:
    """EASE of unit spread plus ``appeal`` · log σ(log odds of liking).

    Attributes:
        name: what tables call it.
    """

    def __init__(
        self, name: str, liking: Recommender, *, odds: float, appeal: float, half_life: float, dislikes: float
    ) -> None:
        """Combine.

        Args:
            name: what tables call it.
            liking: scores that are log odds of liking once multiplied by ``odds``.
            odds: see ``liking``; 2 turns a mean of ±1 into log odds, near 0.
            appeal: what log P(like) weighs against log P(next).
            half_life: events after which an opinion tells half as much of what comes next; infinity: never.
            dislikes: what one says against the tracks that a like of the same would speak for; 0: nothing.
        """
        self.name = name
        self._liking, self._odds, self._appeal = liking, odds, appeal
        self._half_life, self._dislikes = half_life, dislikes
        self.fit(empty_log(0))

    def fit(self, log: EventLog) -> None:
        """Solve for the map, bring it to scale, and fit the chance of a like."""
        labels = LabelMatrix.of(log)
        self._map = ease(labels.liked(), labels)
        listeners = np.unique(labels.listener)
        chosen = listeners[:: max(1, len(listeners) // SCALED_ON)]
        scores = [self._map.apply(self._opinions(log.where(log.listener == each))) for each in chosen.tolist()]
        self._scale = max(float(np.std(scores)), np.finfo(np.float32).tiny) if scores else 1.0
        self._liking.fit(log)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Log P(next) + appeal · log P(like), (tracks,), up to a constant."""
        following, liked = self._parts(context)
        return (following + liked).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State both parts."""
        following, liked = (part[track] for part in self._parts(context))
        return f"{following:+.2f} as what comes next, {liked:+.2f} as what is liked ({self._liking.name})"

    def _parts(self, context: Context) -> tuple[Doubles, Doubles]:
        log_odds = self._odds * self._liking.score(context).astype(np.float64)
        following = self._map.apply(self._opinions(context.history)) / self._scale
        return following, -self._appeal * np.logaddexp(0.0, -log_odds)

    def _opinions(self, history: EventLog) -> Doubles:
        """What one listener's rows say of each track, (tracks,) in -1…1, the newest counting most."""
        said = np.where(history.label < 0, -self._dislikes, history.label > 0) * (history.weight > 0)
        fading = 0.5 ** (np.arange(len(history))[::-1] / self._half_life)
        total = np.bincount(history.track, said * fading, minlength=history.tracks)
        return np.clip(total, -1.0, 1.0).astype(np.float64)
