"""The network of the sequential model: SASRec with what was thought of each track, and on which station, as input.

Kang & McAuley 2018 for the causal transformer; Mei et al., UMAP 2024 (arXiv 2406.04488) for an embedding of its own
for each kind of feedback. Dropout is on the embeddings and on what a block adds, as section III-E of the former says.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.events import EventLog, Outcome

INITIAL_SCALE = 0.02
"""Standard deviation of fresh embeddings; with 1, as torch has it, the first scores saturate the loss."""
BYTE = 256


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of the tracks before training.

    Attributes:
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        row: (tracks,) int64 row of the track's own embedding, 0 for a track without one.
        shrink: (rows + 1,) float32 factor of each own embedding, 0 for row 0.
    """

    content: NDArray[np.float32]
    row: NDArray[np.int64]
    shrink: NDArray[np.float32]

    @staticmethod
    def of(train: EventLog, content: NDArray[np.float32], id_shrinkage: float) -> "Items":
        """Give each track heard in ``train`` an embedding of its own, shrunk by n / (n + ``id_shrinkage``).

        Without shrinkage every track of the catalogue has one in full, as SASRec's table of items: a track that was
        never heard then learns from being drawn as a random negative.
        """
        heard = np.bincount(train.track, minlength=train.tracks)
        tracks = np.flatnonzero(heard) if id_shrinkage else np.arange(train.tracks)
        row = np.zeros(train.tracks, np.int64)
        row[tracks] = np.arange(1, len(tracks) + 1)
        factors = heard[tracks] / (heard[tracks] + id_shrinkage) if id_shrinkage else np.ones(len(tracks))
        return Items(content, row, np.concatenate([[0.0], factors]).astype(np.float32))


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
        batch, length, width = x.shape
        split = self.qkv(self.norm_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each (B, H, T, d/H)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended = self.out(seen.transpose(1, 2).reshape(batch, length, width))
        x = x + dropout(attended, self.dropout, training=self.training)
        changed = self.down(F.relu(self.up(self.norm_mlp(x))))
        return x + dropout(changed, self.dropout, training=self.training)


class SequentialNetwork(nn.Module):
    """Tokens in, a taste vector out at every position; a score is its product with a track's vector."""

    def __init__(self, items: Items, stations: int, config: SequentialConfig) -> None:
        """Build it for a catalogue.

        Args:
            items: the tracks.
            stations: how many stations have an embedding; stations beyond share row 0, which stays zero.
            config: sizes.
        """
        super().__init__()
        if config.width % config.heads:
            raise ValueError(f"a width of {config.width} cannot be split into {config.heads} heads")
        self.config = config
        self.stations = stations
        self.register_buffer("content", torch.from_numpy(items.content), persistent=False)
        self.register_buffer("row", torch.from_numpy(items.row), persistent=False)
        self.register_buffer("shrink", torch.from_numpy(items.shrink), persistent=False)
        width, dimension = config.width, items.content.shape[1]
        self.tower = nn.Parameter(torch.randn(dimension, width) * INITIAL_SCALE / sqrt(max(1, dimension)))
        self.own = nn.Parameter(torch.randn(len(items.shrink), width) * INITIAL_SCALE)
        self.outcome = nn.Parameter(torch.randn(len(Outcome), width) * INITIAL_SCALE)
        self.position = nn.Parameter(torch.randn(config.length, width) * INITIAL_SCALE)
        self.station = nn.Parameter(torch.zeros(stations + 1, width))
        self.asked = nn.Parameter(torch.zeros(stations + 1, width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)

    def items(self, track: Tensor) -> Tensor:  # (...,) -> (..., d)
        """Vectors of tracks: content tower plus shrunk own embedding."""
        distinct, place = torch.unique(track, return_inverse=True)
        row = self.get_buffer("row")[distinct]
        vectors = F.embedding(row, self.own) * self.get_buffer("shrink")[row].unsqueeze(-1)
        if len(self.tower):
            vectors = vectors + self.get_buffer("content")[distinct] @ self.tower
        return F.embedding(place, vectors)

    def station_row(self, station: Tensor) -> Tensor:
        """Row of the station's embeddings; 0 for one without."""
        known = (station >= 0) & (station < self.stations)
        return torch.where(known, station + 1, torch.zeros_like(station))

    def forward(self, track: Tensor, outcome: Tensor, station: Tensor) -> Tensor:  # (B, T) each -> (B, T, d)
        """Taste after each token."""
        return self.after(self.items(track), outcome, station)

    def after(self, items: Tensor, outcome: Tensor, station: Tensor) -> Tensor:  # (B, T, d), (B, T), (B, T)
        """The same from the tracks' vectors."""
        x = items * sqrt(self.config.width)
        x = x + F.embedding(outcome, self.outcome) + self.position[: items.shape[1]]
        x = x + self._without_row_0(self.station, self.station_row(station))
        x = dropout(x, self.config.dropout, training=self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def ask(self, hidden: Tensor, station: Tensor) -> Tensor:  # (..., d), (...,) -> (..., d)
        """The taste vector for what comes next on a station."""
        return hidden + self._without_row_0(self.asked, self.station_row(station))

    @staticmethod
    def _without_row_0(table: Tensor, row: Tensor) -> Tensor:
        return F.embedding(row, table) * (row > 0).unsqueeze(-1)
