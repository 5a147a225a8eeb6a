"""A set part in closed form: what a listener liked, through a linear map between tracks that no gradient trains.

The map is the baseline's (:func:`recommender.baselines.ease.ease`; Steck 2019, equation 8), fitted on the training log's likes and brought to unit
spread, so that its weight against other parts means the same on every log. A listener is the set of the tracks they liked within the window.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recommender.baselines.ease import TrackMap, ease
from recommender.baselines.feedback import LabelMatrix
from recommender.models.parameter_shapes import LIKED, MOST_SHALLOW
from recommender.sequence.items import Items

LISTENERS_AT_ONCE = 1024
"""Whose scores are held at once while the spread is measured: 40 MB for five thousand tracks."""


class Shallow(nn.Module):
    """The map as a constant: neither a parameter nor part of the network's state."""

    def __init__(self, items: Items, ridge: float, length: int) -> None:
        """Fit it.

        Args:
            items: the tracks, with who liked which.
            ridge: λ, in listeners.
            length: events of a window.

        Raises:
            ValueError: the likes are not at hand.
        """
        super().__init__()
        if items.likes is None:
            raise ValueError(
                "shallow > 0 needs all likes of the training log in memory, which a training from shards does not have: set shallow to 0"
            )
        weights, place = shallow_map(items, items.likes, ridge)
        self.length = length
        self.register_buffer("weights", torch.from_numpy(weights), persistent=False)
        self.register_buffer("place", torch.from_numpy(place), persistent=False)
        self.register_buffer("counted", torch.tensor([int(each) for each in LIKED]), persistent=False)

    def states(self, row: Tensor, outcome: Tensor) -> Tensor:  # (B, T), (B, T) -> (B, T, length)
        """Places in the map, as floats, of the tracks liked up to each event, each once; 0 where there is none.

        The places rather than what they add up to: a state is then as long as the window, not as the catalogue.
        """
        place, steps = self.get_buffer("place")[row], row.shape[1]
        place = torch.where(torch.isin(outcome, self.get_buffer("counted")), place, torch.zeros_like(place))
        earlier = torch.ones(steps, steps, dtype=torch.bool, device=row.device).tril(-1)
        again = ((place.unsqueeze(2) == place.unsqueeze(1)) & earlier).any(-1)
        upto = place.masked_fill(again, 0).unsqueeze(1) * earlier.logical_not().T
        return nn.functional.pad(upto.to(self.get_buffer("weights").dtype), (0, self.length - steps))

    def places(self, row: Tensor) -> Tensor:  # (...,) -> (...,)
        """Places of tracks in the map; 0 for one that it does not know."""
        return self.get_buffer("place")[row]

    def score(self, liked: Tensor, place: Tensor) -> Tensor:  # (..., length), (...,) -> (...,)
        """What the likes say of the track beside them."""
        return self.get_buffer("weights")[liked.long(), place.unsqueeze(-1)].sum(-1)

    def score_all(self, liked: Tensor, place: Tensor) -> Tensor:  # (..., length), (n,) -> (..., n)
        """What the likes say of each of n tracks."""
        weights = self.get_buffer("weights")
        told = torch.zeros(*liked.shape[:-1], len(weights), dtype=weights.dtype, device=weights.device)
        told.scatter_(-1, liked.long(), 1.0)  # place 0 is set as well, and its row is 0
        return (told @ weights)[..., place]


def shallow_map(items: Items, likes: LabelMatrix, ridge: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The map of the most liked tracks, and where each row's track stands in it.

    Args:
        items: rows of the tracks.
        likes: who liked what.
        ridge: λ, in listeners.

    Returns:
        (k + 1, k + 1) weights of unit spread over listeners and catalogue, row and column 0 for all tracks that are not in it, with k the number
        of rows or :data:`MOST_SHALLOW`, whichever is less; and (rows + 1,) places, 0 for a track that is not in it.
    """
    rows = len(items.shrink) - 1
    size = min(rows, MOST_SHALLOW)
    weights, place = np.zeros((size + 1, size + 1), np.float32), np.zeros(rows + 1, np.int64)
    if len(likes):
        fitted = ease(likes.liked(), likes, MOST_SHALLOW, ridge)
        known = len(fitted.kept)
        weights[1 : known + 1, 1 : known + 1] = fitted.weights / (_spread(fitted, likes) or 1.0)
        place[items.row[fitted.kept]] = np.arange(1, known + 1)
    return weights, place


def _spread(fitted: TrackMap, likes: LabelMatrix) -> float:
    """Standard deviation of the scores of all tracks for all who liked something; those not in the map score 0."""
    opinions = likes.liked()[np.unique(likes.listener)][:, fitted.kept]
    total = squares = 0.0
    for start in range(0, opinions.shape[0], LISTENERS_AT_ONCE):
        scores = opinions[start : start + LISTENERS_AT_ONCE] @ fitted.weights
        total, squares = total + float(scores.sum()), squares + float(np.square(scores).sum())
    count = opinions.shape[0] * likes.tracks
    return float(np.sqrt(max(0.0, squares / count - (total / count) ** 2)))
