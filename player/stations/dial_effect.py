"""What a station's dial did to its queue: beside the queue that the very same state would have with the dial in its middle."""

import numpy as np

from player.feedback.events import ListeningState
from player.stations.station_queue import RankedQueue
from player.stations.station_scoring import StationScorer
from recommender.ranking.dial import DialEffect, QueueFigures, dial_effect, queue_figures
from recommender.ranking.diversity import Pool
from recommender.ranking.rank import rank


def effect_of_dial(scorer: StationScorer, state: ListeningState, queue: RankedQueue) -> DialEffect:
    """What the dial did; costs one more ranking (no scoring) where the dial is turned, and next to nothing where it is not.

    Args:
        scorer: the station's.
        state: derived from the whole log.
        queue: as ranked, at the station's dial.
    """
    figures = _Figures(scorer, state, queue)
    if queue.neutral is None:
        return dial_effect(scorer.station.dial, figures.of(queue.track_rows))
    neutral = rank(scorer.collection.catalogue, queue.neutral).tracks
    return dial_effect(scorer.station.dial, figures.of(queue.track_rows), figures.of(neutral[: len(queue.track_rows)]))


class _Figures:
    """Figures of several queues of one state."""

    def __init__(self, scorer: StationScorer, state: ListeningState, queue: RankedQueue) -> None:
        collection = scorer.collection
        self._pool = Pool(collection.space.vectors, collection.catalogue.artist, queue.open)
        self._played = scorer.times_played.of(state) > 0
        self._plays = scorer.plays.of(state)

    def of(self, tracks: tuple[int, ...]) -> QueueFigures:
        return queue_figures(self._pool, self._plays, self._played, np.array(tracks, np.int64))
