"""Stations that choose by plain rules: what the player stands beside in trials, in simulations and on one's own log."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.models.station_scorer import NOTHING_MUTED, LiveScorer, LiveScores, Muted
from recommender.ranking.explain import ScorePart, ScoreParts

ARTIST_PRIOR = 2.0
"""Opinions' worth of the listener's mean liking that every artist starts from: two likes in a row still move it by the log of two."""


class ShuffleScorer(LiveScorer):
    """A station's seeds and nothing learned: chance among what the rules allow, as near to the seeds as the station is."""

    def scores(self, history: EventLog, station: int, now: float, muted: Muted = NOTHING_MUTED) -> LiveScores:
        """Score every track by the seeds alone."""
        return super().scores(history, station, now, Muted(muted.labels, muted.parts | {ScorePart.HEAD}))


class ArtistScorer(ShuffleScorer):
    """A station's seeds, and the artists whose tracks were liked: what anybody would do by hand."""

    def scores(self, history: EventLog, station: int, now: float, muted: Muted = NOTHING_MUTED) -> LiveScores:
        """Score every track by the seeds and its artist's log odds of being liked."""
        seeds = super().scores(history, station, now, muted)
        logits = seeds.parts.logits.copy()
        if ScorePart.REPETITION not in muted.parts:
            logits[seeds.parts.parts.index(ScorePart.REPETITION)] = self._artists_liked(history, station, muted)
        return LiveScores(logits.sum(axis=0), ScoreParts(seeds.parts.parts, logits), seeds.head, seeds.labels, 0.0)

    def _artists_liked(self, history: EventLog, station: int, muted: Muted) -> NDArray[np.float64]:
        """(n,) log odds above the mean artist's, each label with the weight that the running update would give it."""
        labels = self.heard(history, station, muted)
        artist = self.catalogue.habits.artist
        size = int(artist.max(initial=-1)) + 1
        plus, minus = (
            np.bincount(artist[labels.track], labels.weight * (np.sign(labels.label) == sign), minlength=size)
            for sign in (1, -1)
        )
        prior = ARTIST_PRIOR * (plus.sum() + 1.0) / (plus.sum() + minus.sum() + 2.0)
        odds = np.log(plus + prior) - np.log(minus + ARTIST_PRIOR - prior)
        return (odds - np.log(prior / (ARTIST_PRIOR - prior)))[artist]


PLAIN: Mapping[str, type[LiveScorer]] = MappingProxyType({"shuffle": ShuffleScorer, "artists": ArtistScorer})
"""By name."""
