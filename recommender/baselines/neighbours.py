"""Nearest neighbours: by who liked and disliked both tracks (item k-NN), and by sound (content k-NN)."""

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.ease import TrackMap
from recommender.baselines.feedback import Biases, Doubles, LabelMatrix, most_frequent, totals
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context
from recommender.models.numpy_inference import Standardisation

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
        labels = LabelMatrix.of(log)
        self._biases = Biases.fit(labels)
        self._map = self._neighbourhoods(labels)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Estimated label (tracks,) from all of the history."""
        labels = LabelMatrix.of(context.history)
        level = self._biases.mean + self._biases.of_listener(labels)
        return (level + self._biases.track + GAIN * self._map.apply(self._opinion(labels))).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the track's bias and the neighbour that moves it most."""
        told = self._map.told_by(self._opinion(LabelMatrix.of(context.history)), track)
        because = (
            "no neighbour that you judged" if told is None else f"{GAIN * told[1]:+.3f} from neighbour track {told[0]}"
        )
        return f"{self._biases.track[track]:+.2f} with everybody, {because}"

    def _neighbourhoods(self, labels: LabelMatrix) -> TrackMap:
        kept = most_frequent(labels.track, labels.tracks, self._most)
        residual = labels.weight * (labels.sign - self._biases.mean - self._biases.track[labels.track])
        opinions = labels.matrix(residual)[:, kept]
        gram = np.asarray((opinions.T @ opinions).todense(), np.float64)
        length = np.sqrt(np.diag(gram))
        similarity = gram / (length[:, None] * length[None, :] + SHRINKAGE)
        np.fill_diagonal(similarity, 0.0)
        return TrackMap(kept, _keep_nearest(similarity, NEIGHBOURS), labels.tracks)

    def _opinion(self, labels: LabelMatrix) -> Doubles:
        """What the listener says of each track beyond the biases, (tracks,); 0 where nothing."""
        expected = self._biases.mean + self._biases.of_listener(labels) + self._biases.track[labels.track]
        return totals(labels.track, labels.weight * (labels.sign - expected), labels.tracks)


def _keep_nearest(similarity: Doubles, count: int) -> Doubles:
    """Zero all but the ``count`` largest similarities in each column, and those below 0."""
    if len(similarity) > count:
        least = np.partition(similarity, -count, axis=0)[-count]
        similarity[similarity < least] = 0.0
    return np.maximum(similarity, 0.0)


NEAREST_LIKES = 5
REMEMBERED = 20
"""Distinct likes looked back to; more blur the taste and cost time."""
LEAST_NORM = 1e-9
"""Keeps a vector of zeros (no audio known) at zero similarity to everything."""


class ContentNeighbours:
    """Tracks in the order of their mean cosine similarity to the nearest of the listener's latest likes."""

    name = "content-knn"

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        """Prepare the content vectors (tracks, dim), NaN rows for tracks without one."""
        standard = Standardisation.of(vectors).apply(vectors)
        self._unit = standard / np.maximum(np.linalg.norm(standard, axis=1, keepdims=True), LEAST_NORM)
        self._likes: tuple[int, ...] = ()
        self._scores = np.zeros(len(vectors), np.float32)

    def fit(self, log: EventLog) -> None:
        """Check that the log is of these tracks; the listener's own history is all that is used.

        Raises:
            ValueError: when the log's catalogue has another size.
        """
        if log.tracks != len(self._unit):
            raise ValueError(f"the log is about {log.tracks} tracks, the vectors are of {len(self._unit)}")

    def score(self, context: Context) -> NDArray[np.float32]:
        """Mean similarity, -1…1, to the nearest likes; zeros without a like."""
        likes = self._latest_likes(context.history)
        if likes != self._likes:  # most situations follow one another without a new like
            self._likes, self._scores = likes, self._similarity(likes)
        return self._scores.copy()

    def explain(self, context: Context, track: int) -> str:
        """State the similarity."""
        return f"similarity {self.score(context)[track]:.2f} to the nearest of your likes"

    def _similarity(self, likes: tuple[int, ...]) -> NDArray[np.float32]:
        if not likes:
            return np.zeros(len(self._unit), np.float32)
        similarity = self._unit @ self._unit[list(likes)].T  # (tracks, likes)
        nearest = min(NEAREST_LIKES, len(likes))
        return np.partition(similarity, len(likes) - nearest, axis=1)[:, -nearest:].mean(axis=1)

    @staticmethod
    def _latest_likes(history: EventLog) -> tuple[int, ...]:
        newest_first = history.track[history.label > 0][::-1]
        distinct, first = np.unique(newest_first, return_index=True)
        return tuple(int(track) for track in distinct[np.argsort(first)][:REMEMBERED])
