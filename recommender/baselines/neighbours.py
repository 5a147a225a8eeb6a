"""Item k-NN: a track is liked when the tracks most like it, by who liked and disliked both, are liked."""

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.biases import Biases
from recommender.baselines.ease import TrackMap
from recommender.baselines.feedback import Doubles, Labels, most_frequent, totals
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context

MOST_TRACKS = 6000
"""Tracks in the square matrix, 288 MB of float64; of a larger catalogue the most frequent are kept, the rest have none."""
NEIGHBOURS = 200
SHRINKAGE = 30.0
"""Added to the denominator of the cosine, in listeners, so that two tracks that one listener liked are not twins."""


GAIN = 0.3
"""How much the neighbours' word counts beside the biases: the opinions overlap, so their plain sum says it too often."""


class ItemNeighbours:
    """Biases plus the weighted opinions of a track's nearest neighbours.

    An opinion is what a label says beyond the biases; the similarity of two tracks is the shrunken cosine of theirs
    (Koren 2008, sec. 2.2; Sarwar et al. 2001 for the cosine).
    """

    name = "item-knn"

    def __init__(self, most_tracks: int = MOST_TRACKS) -> None:
        self._most = most_tracks
        self.fit(empty_log(0))

    def fit(self, log: EventLog) -> None:
        """Fit the biases and compare the tracks with one another."""
        labels = Labels.of(log)
        self._biases = Biases.fit(labels)
        self._map = self._neighbourhoods(labels)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Estimated label (tracks,) from all of the history."""
        labels = Labels.of(context.history)
        level = self._biases.mean + self._biases.of_listener(labels)
        return (level + self._biases.track + GAIN * self._map.apply(self._opinion(labels))).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the track's bias and the neighbour that moves it most."""
        told = self._map.told_by(self._opinion(Labels.of(context.history)), track)
        because = (
            "no neighbour that you judged" if told is None else f"{GAIN * told[1]:+.3f} from neighbour track {told[0]}"
        )
        return f"{self._biases.track[track]:+.2f} with everybody, {because}"

    def _neighbourhoods(self, labels: Labels) -> TrackMap:
        kept = most_frequent(labels.track, labels.tracks, self._most)
        residual = labels.weight * (labels.sign - self._biases.mean - self._biases.track[labels.track])
        opinions = labels.matrix(residual)[:, kept]
        gram = np.asarray((opinions.T @ opinions).todense(), np.float64)
        length = np.sqrt(np.diag(gram))
        similarity = gram / (length[:, None] * length[None, :] + SHRINKAGE)
        np.fill_diagonal(similarity, 0.0)
        return TrackMap(kept, _keep_nearest(similarity, NEIGHBOURS), labels.tracks)

    def _opinion(self, labels: Labels) -> Doubles:
        """What the listener says of each track beyond the biases, (tracks,); 0 where nothing."""
        expected = self._biases.mean + self._biases.of_listener(labels) + self._biases.track[labels.track]
        return totals(labels.track, labels.weight * (labels.sign - expected), labels.tracks)


def _keep_nearest(similarity: Doubles, count: int) -> Doubles:
    """Zero all but the ``count`` largest similarities in each column, and those below 0."""
    if len(similarity) > count:
        least = np.partition(similarity, -count, axis=0)[-count]
        similarity[similarity < least] = 0.0
    return np.maximum(similarity, 0.0)
