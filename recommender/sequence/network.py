"""The network of the sequential model: SASRec with what was thought of each track, and on which station, as input.

Kang & McAuley 2018 for the causal transformer; Mei et al., UMAP 2024 (arXiv 2406.04488) for an embedding of its own
for each kind of feedback.
"""

from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.events import EventLog, Outcome
from recommender.sequence.items import Items
from recommender.sequence.layers import INITIAL_SCALE, block_of, dropout


def on_device(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """The array as a tensor on a device.

    On a processor it shares the array's memory. To a GPU it is copied from pinned memory, so that the copy runs while
    the GPU still computes.

    Args:
        array: any shape.
        device: where the network is.
    """
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


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
        for name in ("content", "row", "shrink"):
            self.register_buffer(name, torch.from_numpy(getattr(items, name)), persistent=False)
        width, dimension = config.width, items.content.shape[1]
        self.tower = nn.Parameter(torch.randn(dimension, width) * INITIAL_SCALE / sqrt(max(1, dimension)))
        self.own = nn.Parameter(torch.randn(len(items.shrink), width) * INITIAL_SCALE)
        self.outcome = nn.Parameter(torch.randn(len(Outcome), width) * INITIAL_SCALE)
        self.position = nn.Parameter(torch.randn(config.length, width) * INITIAL_SCALE)
        self.station = nn.Parameter(torch.zeros(stations + 1, width))
        self.asked = nn.Parameter(torch.zeros(stations + 1, width))
        self.blocks = nn.ModuleList(block_of(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.own.device

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
        """The taste after each token."""
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

    def query(self, state: Tensor, station: Tensor) -> Tensor:  # (..., d), (...,) -> (..., d)
        """What meets the tracks' vectors: what is liked next on a station."""
        return state + self._without_row_0(self.asked, self.station_row(station))

    def score(self, query: Tensor, track: Tensor) -> Tensor:  # (..., d), (...,) -> (...,)
        """Score of each track for the query beside it."""
        return (query * self.items(track)).sum(-1)

    @staticmethod
    def _without_row_0(table: Tensor, row: Tensor) -> Tensor:
        return F.embedding(row, table) * (row > 0).unsqueeze(-1)


def tokens(log: EventLog, rows: NDArray[np.int64], network: SequentialNetwork) -> tuple[Tensor, ...]:
    """The arguments of the network for rows (B, T)."""
    device = network.device
    return (
        on_device(log.track[rows], device),
        on_device(log.outcome[rows].astype(np.int64), device),
        on_device(log.station[rows], device),
    )
