"""The network of the sequential model: SASRec with what was thought of each track, and on which station, as input.

Kang & McAuley 2018 for the causal transformer; Mei et al., UMAP 2024 (arXiv 2406.04488) for an embedding of its own
for each kind of feedback. What the best mode adds is switched on by the configuration, field by field.
"""

from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.events import EventLog, Outcome
from recommender.models.parameter_shapes import POOL_SCALE
from recommender.sequence.items import Items
from recommender.sequence.layers import INITIAL_SCALE, LikingHead, block_of, dropout, states, worths
from recommender.sequence.linear_item_map import Shallow


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


INITIAL_WORTH = {Outcome.THUMB_UP: 1.0, Outcome.FINISH: 1.0, Outcome.REPLAY: 1.0}
HEARD_WORTH = 0.5
"""What other outcomes are worth before anything is learned: whatever was heard tells something of a taste."""


class SequentialNetwork(nn.Module):
    """Tokens in, a taste vector out at every position; a score is its product with a track's vector, plus its bias."""

    worth: nn.Parameter | None
    key: nn.Parameter | None
    next_bias: nn.Parameter | None
    taste: LikingHead | None
    shallow: Shallow | None

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
        self._build_elements(items)

    def _build_elements(self, items: Items) -> None:
        """What the configuration adds; after all else, so that what is off changes no random number."""
        config, width = self.config, self.config.width
        pooled, rows = bool(config.set_weight), len(items.shrink)
        self.register_parameter("worth", worths(INITIAL_WORTH, HEARD_WORTH) if pooled else None)
        self.register_parameter("key", nn.Parameter(torch.randn(rows, width) * INITIAL_SCALE) if pooled else None)
        self.register_parameter("next_bias", nn.Parameter(torch.from_numpy(items.log_popularity)) if pooled else None)
        self.register_module("taste", LikingHead(items, config) if config.liking_weight else None)
        self.register_module("shallow", Shallow(items, config.shallow, config.length) if config.shallow else None)

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

    def forward(self, track: Tensor, outcome: Tensor, station: Tensor) -> Tensor:  # (B, T) each -> (B, T, d + k + L)
        """State after each token: taste, and beside it those of the liking target and of the shallow part where there are such."""
        hidden = self.after(self.items(track), outcome, station)
        if self.worth is not None:
            hidden = self.config.order_weight * hidden + states(self.keys(track), outcome, self.worth)
        parts = [hidden]
        if self.taste is not None:
            parts.append(self.taste.states(self.taste.vectors(track), outcome))
        if self.shallow is not None:
            parts.append(self.shallow.states(self.get_buffer("row")[track], outcome))
        return torch.cat(parts, dim=-1)

    def after(self, items: Tensor, outcome: Tensor, station: Tensor) -> Tensor:  # (B, T, d), (B, T), (B, T)
        """The same from the tracks' vectors."""
        x = items * sqrt(self.config.width)
        x = x + F.embedding(outcome, self.outcome) + self.position[: items.shape[1]]
        x = x + self._without_row_0(self.station, self.station_row(station))
        x = dropout(x, self.config.dropout, training=self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def keys(self, track: Tensor) -> Tensor:  # (...,) -> (..., d)
        """What tracks add to the sum of the history; 0 for one never heard."""
        assert self.key is not None
        row = self.get_buffer("row")[track]
        return POOL_SCALE * F.embedding(row, self.key) * self.get_buffer("shrink")[row].unsqueeze(-1)

    def ask(self, hidden: Tensor, station: Tensor) -> Tensor:  # (..., d), (...,) -> (..., d)
        """The query for what is liked next on a station."""
        return hidden + self._without_row_0(self.asked, self.station_row(station))

    def query(self, state: Tensor, station: Tensor) -> Tensor:  # (..., d + k + L), (...,) -> (..., d + k + 1 + L)
        """What meets the tracks on a station: what is liked next, what would be liked at all and how readily, and what was liked."""
        hidden, liking, liked = self._split(state, level=0)
        asked = self.ask(hidden, station)
        # Beside the sum of the history it is weighed within the state already.
        if self.shallow is not None and self.worth is None:
            asked = self.config.order_weight * asked
        level = [] if self.taste is None else [self.taste.level(liking)]
        return torch.cat([asked, liking, *level, liked], dim=-1)

    def _split(self, parts: Tensor, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """The parts of a state, or of a query, where the one of liking is longer by its level; empty where there is none."""
        liking = 0 if self.taste is None else self.config.taste_width + level
        hidden, second, liked = parts.split(
            [self.config.width, liking, 0 if self.shallow is None else self.config.length], dim=-1
        )
        return hidden, second, liked

    def scored(self, track: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # (...,) -> (..., d + k), (...,) thrice
        """Tracks as they meet :meth:`query`.

        Returns:
            Vectors, biases of being liked next, log odds of being liked at all, and places in the shallow part's map.
        """
        vectors, bias = self.items(track), self.bias(track)
        place = torch.zeros_like(track) if self.shallow is None else self.shallow.places(self.get_buffer("row")[track])
        if self.taste is None:
            return vectors, bias, torch.zeros_like(bias), place
        return torch.cat([vectors, self.taste.vectors(track)], dim=-1), bias, self.taste.bias(track), place

    def combine(self, following: Tensor, liking: Tensor) -> Tensor:
        """The one score: log P(next) up to a constant, plus ``appeal`` times log P(like), of logits of both."""
        return following + self.config.appeal * F.logsigmoid(liking)

    def score(self, query: Tensor, track: Tensor) -> Tensor:  # (..., d + k + 1 + L), (...,) -> (...,)
        """Score of each track for the query beside it."""
        width, (vectors, bias, odds, place) = self.config.width, self.scored(track)
        asked, liking, liked = self._split(query, level=1)
        following = (asked * vectors[..., :width]).sum(-1) + bias
        if self.shallow is not None:
            following = following + self.shallow.score(liked, place)
        if self.taste is None:
            return following
        return self.combine(following, (liking[..., :-1] * vectors[..., width:]).sum(-1) + odds + liking[..., -1])

    def score_all(
        self, query: Tensor, tracks: tuple[Tensor, Tensor, Tensor, Tensor]
    ) -> Tensor:  # (..., d + k + 1 + L) -> (..., n)
        """Score of every one of n tracks, as :meth:`scored` gives them, for each query."""
        width, (vectors, bias, odds, place) = self.config.width, tracks
        asked, liking, liked = self._split(query, level=1)
        following = asked @ vectors[:, :width].T + bias
        if self.shallow is not None:
            following = following + self.shallow.score_all(liked, place)
        if self.taste is None:
            return following
        return self.combine(following, liking[..., :-1] @ vectors[:, width:].T + odds + liking[..., -1:])

    def bias(self, track: Tensor) -> Tensor:  # (...,) -> (...,)
        """What a track has of being liked next, whoever listens, in logits."""
        if self.next_bias is None:
            return torch.zeros(track.shape, device=track.device)
        return self.next_bias[self.get_buffer("row")[track]]

    @torch.no_grad()
    def constants(self) -> dict[str, Tensor]:
        """What serving needs beside the parameters: how much of each own embedding counts, and the shallow part."""
        known = {"shrink": self.get_buffer("shrink").clone()}
        if self.shallow is not None:
            known["shallow"] = self.shallow.get_buffer("weights").clone()
            known["shallow_place"] = self.shallow.get_buffer("place").float()
        return known

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
