"""The second target of the sequential model: would a track be liked at all, whenever it came?

A listener is the sum of the tracks they had (:mod:`recommender.sequence.history_pooling`), dislikes counted against; a track is liked as far as its
vector points there, beside what everybody thinks of it. One table of vectors serves both sides.
"""

from math import log, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.events import Outcome
from recommender.models.parameter_shapes import POOL_SCALE
from recommender.sequence.history_pooling import states, worths
from recommender.sequence.items import Items

INITIAL_SCALE = 0.02
QUALITY_ROWS = 2.0
"""Strength of the prior of a track's like-rate, in rows, as for the baseline of that name."""
INITIAL_WORTH = {
    Outcome.THUMB_UP: 1.0,
    Outcome.FINISH: 1.0,
    Outcome.REPLAY: 1.0,
    Outcome.THUMB_DOWN: -1.0,
    Outcome.SKIP_EARLY: -1.0,
    Outcome.NEVER: -1.0,
}
"""What an outcome is worth before anything is learned; the others are worth nothing yet."""


class Taste(nn.Module):
    """Second vectors of the tracks, and what they say of a listener with some history."""

    def __init__(self, items: Items, config: SequentialConfig) -> None:
        super().__init__()
        self.quality = config.quality
        self.like_share = items.like_share
        for name in ("content", "row", "shrink", "liked", "labelled"):
            self.register_buffer(name, torch.from_numpy(getattr(items, name)), persistent=False)
        width, dimension = config.taste_width, items.content.shape[1]
        self.tower = nn.Parameter(torch.randn(dimension, width) * INITIAL_SCALE / sqrt(max(1, dimension)))
        self.own = nn.Parameter(torch.randn(len(items.shrink), width) * INITIAL_SCALE)
        self.worth = worths(INITIAL_WORTH, otherwise=0.0)
        self.own_bias = nn.Parameter(torch.zeros(len(items.shrink)))
        self.level = nn.Linear(width, 1)
        nn.init.zeros_(self.level.weight)
        nn.init.constant_(self.level.bias, log(self.like_share / (1.0 - self.like_share)))

    def vectors(self, track: Tensor) -> Tensor:  # (...,) -> (..., k)
        """Second vectors of tracks; of one never heard, what its content says, or 0."""
        row = self.get_buffer("row")[track]
        vectors = F.embedding(row, self.own) * self.get_buffer("shrink")[row].unsqueeze(-1)
        if len(self.tower):
            vectors = vectors + self.get_buffer("content")[track] @ self.tower
        return POOL_SCALE * vectors

    def states(self, vectors: Tensor, outcome: Tensor) -> Tensor:  # (B, T, k), (B, T) -> (B, T, k)
        """The listener after each event."""
        return states(vectors, outcome, self.worth)

    def bias(self, track: Tensor, own_label: Tensor | None = None) -> Tensor:  # (...,) -> (...,)
        """What a track's liking starts from, in logits.

        Args:
            track: indices.
            own_label: (...,) +1 or -1 to leave out of the track's like-rate: the very label to be foretold, which the
                counts hold and which would otherwise give itself away. Left out: all labels count.
        """
        row = self.get_buffer("row")[track]
        return self.own_bias[row] + self._quality(row, own_label)

    def quality_of_rows(self) -> Tensor:
        """Log odds of the like-rate of each row's track over those of all, (rows + 1,); 0 for row 0."""
        return self._quality(torch.arange(len(self.own), device=self.own.device), None)

    def _quality(self, row: Tensor, own_label: Tensor | None) -> Tensor:
        liked, labelled = self.get_buffer("liked")[row], self.get_buffer("labelled")[row]
        if not self.quality:
            return torch.zeros_like(liked)
        if own_label is not None:
            liked, labelled = liked - (own_label > 0).to(liked.dtype), labelled - (own_label != 0).to(liked.dtype)
        prior = QUALITY_ROWS * self.like_share
        odds = (liked + prior) / (labelled - liked + QUALITY_ROWS - prior)
        return torch.log(odds) - log(self.like_share / (1.0 - self.like_share))
