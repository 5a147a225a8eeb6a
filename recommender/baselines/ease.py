"""EASE: a linear map from what a listener liked to what they would like, in closed form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.baselines.feedback import Biases, Doubles, LabelMatrix, most_frequent, net_of
from recommender.events import EventLog, empty_log
from recommender.interfaces import Context

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_TRACKS = 6000
"""Tracks in the square matrix, 288 MB of float64; of a larger catalogue the most frequent are kept, the rest score 0."""
RIDGE = 300.0
"""λ on the diagonal, in listeners."""
GAIN = 2.0
"""How much the signed map's word counts beside the biases."""


@dataclass(frozen=True, slots=True)
class TrackMap:
    """A square map between tracks.

    Attributes:
        kept: (k,) the tracks it knows, rising.
        weights: (k, k), zero on the diagonal; row j says what an opinion of track j adds to every track.
        tracks: size of the catalogue.
    """

    kept: NDArray[np.int64]
    weights: Doubles
    tracks: int

    def apply(self, opinion: Doubles) -> Doubles:
        """Scores (tracks,) from an opinion (tracks,) of each track; 0 for tracks it does not know."""
        scores, known = np.zeros(self.tracks), opinion[self.kept]
        told = np.flatnonzero(known)
        scores[self.kept] = known[told] @ self.weights[told]
        return scores

    def told_by(self, opinion: Doubles, track: int) -> tuple[int, float] | None:
        """The track whose opinion moves ``track`` most, and by how much; None when nothing does."""
        place = int(np.searchsorted(self.kept, track))
        if place == len(self.kept) or self.kept[place] != track:
            return None
        moved = opinion[self.kept] * self.weights[:, place]
        strongest = int(np.argmax(np.abs(moved))) if len(moved) else 0
        return (int(self.kept[strongest]), float(moved[strongest])) if len(moved) and moved[strongest] else None


def ease(opinions: "csr_matrix", labels: LabelMatrix, most: int = MOST_TRACKS, ridge: float = RIDGE) -> TrackMap:
    """The map B with zero diagonal that minimises |X - XB|² + λ|B|² (Steck 2019, eq. 8).

    Args:
        opinions: X, sparse (listeners, tracks).
        labels: what it was made of; decides which tracks are kept.
        most: tracks kept at most.
        ridge: λ.
    """
    kept = most_frequent(labels.track, labels.tracks, most)
    chosen = opinions[:, kept]
    gram = np.asarray((chosen.T @ chosen).todense(), np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    weights = np.linalg.inv(gram).astype(np.float64)
    weights /= -np.diag(weights)
    np.fill_diagonal(weights, 0.0)
    return TrackMap(kept, weights, labels.tracks)


class Ease:
    """EASE on likes alone, as published: X is 1 where a listener liked a track."""

    name = "ease"

    def __init__(self, most_tracks: int = MOST_TRACKS) -> None:
        self._most = most_tracks
        self.fit(empty_log(0))

    def fit(self, log: EventLog) -> None:
        """Solve for the map."""
        labels = LabelMatrix.of(log)
        self._map = ease(labels.liked(), labels, self._most)

    def score(self, context: Context) -> NDArray[np.float32]:
        """What the listener's likes, all of the history's, add up to; zeros without a like."""
        return self._map.apply(_liked(context.history)).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the score and the like that adds most to it."""
        told = self._map.told_by(_liked(context.history), track)
        because = (
            "no like of yours speaks for it" if told is None else f"{told[1]:+.3f} from your like of track {told[0]}"
        )
        return f"{self.score(context)[track]:+.3f}, {because}"


class SignedEase:
    """EASE on likes and dislikes (+1, -1), beside the biases of track and listener."""

    name = "ease-signed"

    def __init__(self, most_tracks: int = MOST_TRACKS) -> None:
        self._most = most_tracks
        self.fit(empty_log(0))

    def fit(self, log: EventLog) -> None:
        """Fit the biases and solve for the map."""
        labels = LabelMatrix.of(log)
        self._biases = Biases.fit(labels)
        self._map = ease(labels.net(), labels, self._most)

    def score(self, context: Context) -> NDArray[np.float32]:
        """Biases plus ``GAIN`` times what the listener's opinions, all of the history's, add up to."""
        level = self._biases.mean + self._biases.of_listener(LabelMatrix.of(context.history))
        taste = self._map.apply(net_of(context.history))
        return (level + self._biases.track + GAIN * taste).astype(np.float32)

    def explain(self, context: Context, track: int) -> str:
        """State the track's bias and the opinion that moves it most."""
        told = self._map.told_by(net_of(context.history), track)
        because = (
            "no opinion of yours moves it" if told is None else f"{GAIN * told[1]:+.3f} from yours of track {told[0]}"
        )
        return f"{self._biases.track[track]:+.2f} with everybody, {because}"


def _liked(history: EventLog) -> Doubles:
    liked = history.track[(history.label > 0) & (history.weight > 0)]
    return (np.bincount(liked, minlength=history.tracks) > 0).astype(np.float64)
