"""The parts of the sequential network: transformer blocks, the sum of a history, and the liking head.

The blocks are SASRec's (Kang & McAuley 2018, section III-E: dropout is on what a block adds), or gated ones.

The sum of a history knows no order and needs no attention, and each event may be left out: a track adds a vector of its own times what its outcome is
worth, and the sum is divided by the root of the number of events – SVD++'s listener without a vector of their own (Koren 2008, section 4). Attention can
express it, but from some ten thousand labels it did not learn it. Each event is foretold from the listener's others, as by an autoencoder with its own
input left out (Steck 2019, EASE).

The liking head is the second target: would a track be liked at all, whenever it came? A listener is such a sum, dislikes counted against; a track is liked
as far as its vector points there, beside what everybody thinks of it. One table of vectors serves both sides.
"""

from collections.abc import Mapping
from math import log, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import BlockKind, SequentialConfig
from recommender.events import Outcome
from recommender.models.parameter_shapes import GATED_EXPANSION, POOL_SCALE
from recommender.sequence.items import Items

BYTE = 256
OPEN_GATE = 1.0
"""Bias that gates start with: a block adds σ(1) = .73 of its output until it has learned otherwise."""


def dropout(x: Tensor, share: float, *, training: bool) -> Tensor:
    """Zero a share of the values, to the nearest 1/256, and scale up the rest.

    One random byte a value: torch draws a whole float for each, which took a third of the training time on a processor.

    Args:
        x: any shape.
        share: 0…1.
        training: without it ``x`` comes back as it is.
    """
    dropped = round(share * BYTE)
    if not training or dropped == 0:
        return x
    words = torch.empty((x.numel() + 3) // 4, dtype=torch.int32, device=x.device)
    bits = words.random_(-(2**31), 2**31 - 1).view(torch.uint8)[: x.numel()].view(x.shape)
    return x * (bits >= dropped).to(x.dtype).mul_(BYTE / (BYTE - dropped))


def causal_attention(qkv: Tensor, heads: int) -> Tensor:  # (B, T, 3d) -> (B, T, d)
    """Attention in which position t sees positions 0…t."""
    batch, length, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    query, key, value = qkv.view(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)  # each (B, H, T, d/H)
    seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return seen.transpose(1, 2).reshape(batch, length, width)


class Block(nn.Module):
    """Causal self-attention, then a point-wise perceptron, each on normalised input and added to it."""

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.norm_attention = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.norm_mlp = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.width)
        self.down = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        """One block; position t sees positions 0…t."""
        attended = self.out(causal_attention(self.qkv(self.norm_attention(x)), self.heads))
        x = x + dropout(attended, self.dropout, training=self.training)
        changed = self.down(F.relu(self.up(self.norm_mlp(x))))
        return x + dropout(changed, self.dropout, training=self.training)


class GatedBlock(nn.Module):
    """LiGR's block: each sublayer's output passes a gate that the residual stream itself sets, and the perceptron is SwiGLU.

    Borisyuk et al. 2025 (arXiv 2502.03417) for the gated residual, Shazeer 2020 (arXiv 2002.05202) for SwiGLU, Tikhonovich et
    al. 2025 (eSASRec) for both in a sequential recommender.
    """

    def __init__(self, config: SequentialConfig) -> None:
        super().__init__()
        width, inner = config.width, GATED_EXPANSION * config.width
        self.heads = config.heads
        self.dropout = config.dropout
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.gate_attention = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * inner)  # the gate and the value of SwiGLU, side by side
        self.down = nn.Linear(inner, width)
        self.gate_mlp = nn.Linear(width, width)
        for gate in (self.gate_attention, self.gate_mlp):
            nn.init.normal_(gate.weight, std=1.0 / (width * sqrt(width)))
            nn.init.constant_(gate.bias, OPEN_GATE)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, d) -> (B, T, d)
        """One block; position t sees positions 0…t."""
        attended = self.out(causal_attention(self.qkv(self.norm_attention(x)), self.heads))
        x = x + torch.sigmoid(self.gate_attention(x)) * dropout(attended, self.dropout, training=self.training)
        switch, value = self.up(self.norm_mlp(x)).chunk(2, dim=-1)
        changed = self.down(F.silu(switch) * value)
        return x + torch.sigmoid(self.gate_mlp(x)) * dropout(changed, self.dropout, training=self.training)


def block_of(config: SequentialConfig) -> nn.Module:
    """A fresh block of the kind that is asked for."""
    return GatedBlock(config) if config.block is BlockKind.LIGR else Block(config)


def worths(known: Mapping[Outcome, float], otherwise: float) -> nn.Parameter:
    """What each outcome is worth before anything is learned, (outcomes,)."""
    return nn.Parameter(torch.tensor([known.get(outcome, otherwise) for outcome in Outcome]))


def states(vectors: Tensor, outcome: Tensor, worth: Tensor) -> Tensor:  # (B, T, k), (B, T), (outcomes,) -> (B, T, k)
    """The listener after each event."""
    events = _events(vectors, outcome, worth)
    count = torch.arange(1, vectors.shape[1] + 1, device=vectors.device, dtype=vectors.dtype)
    return events.cumsum(1) / count.sqrt().unsqueeze(-1)


def without_each(vectors: Tensor, outcome: Tensor, worth: Tensor, seen: Tensor) -> Tensor:  # -> (B, T, k)
    """The listener as all other events show them.

    Args:
        vectors: (B, T, k) of the events' tracks.
        outcome: (B, T) of the events.
        worth: (outcomes,).
        seen: (B, T) bool, which events take part.
    """
    there = seen.to(vectors.dtype)
    events = _events(vectors, outcome, worth) * there.unsqueeze(-1)
    count = there.sum(1, keepdim=True) - there
    return (events.sum(1, keepdim=True) - events) / count.clamp(min=1.0).sqrt().unsqueeze(-1)


def some_of(real: Tensor, left_out: float) -> Tensor:
    """Which of the events (B, T) take part when a share of them is left out at random."""
    return real & (torch.rand(real.shape, device=real.device) >= left_out)


def mean_square(vectors: Tensor, real: Tensor) -> Tensor:
    """Mean squared length of the vectors (B, T, k) of the events that are real (B, T)."""
    return (vectors.square().sum(-1) * real).sum() / real.sum()


def _events(vectors: Tensor, outcome: Tensor, worth: Tensor) -> Tensor:
    return vectors * F.embedding(outcome, worth.unsqueeze(-1))


INITIAL_SCALE = 0.02
"""Standard deviation of fresh embeddings; with 1, as torch has it, the first scores saturate the loss."""
INITIAL_WORTH = {
    Outcome.THUMB_UP: 1.0,
    Outcome.FINISH: 1.0,
    Outcome.REPLAY: 1.0,
    Outcome.THUMB_DOWN: -1.0,
    Outcome.SKIP_EARLY: -1.0,
    Outcome.NEVER: -1.0,
}
"""What an outcome is worth before anything is learned; the others are worth nothing yet."""


class LikingHead(nn.Module):
    """Second vectors of the tracks, and what they say of a listener with some history."""

    def __init__(self, items: Items, config: SequentialConfig) -> None:
        super().__init__()
        for name in ("content", "row", "shrink"):
            self.register_buffer(name, torch.from_numpy(getattr(items, name)), persistent=False)
        width, dimension = config.taste_width, items.content.shape[1]
        self.tower = nn.Parameter(torch.randn(dimension, width) * INITIAL_SCALE / sqrt(max(1, dimension)))
        self.own = nn.Parameter(torch.randn(len(items.shrink), width) * INITIAL_SCALE)
        self.worth = worths(INITIAL_WORTH, otherwise=0.0)
        self.own_bias = nn.Parameter(torch.zeros(len(items.shrink)))
        self.level = nn.Linear(width, 1)
        nn.init.zeros_(self.level.weight)
        nn.init.constant_(self.level.bias, log(items.like_share / (1.0 - items.like_share)))

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

    def bias(self, track: Tensor) -> Tensor:  # (...,) -> (...,)
        """What a track's liking starts from, in logits."""
        return self.own_bias[self.get_buffer("row")[track]]
