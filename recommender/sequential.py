"""The sequential model: a causal transformer over (track, outcome, station) tokens that predicts the next like.

SASRec (Kang & McAuley 2018) with negative feedback as input, an embedding for each outcome (Mei et al., UMAP 2024),
and negatives of which a share are the listener's own (Mei et al. 2024). A track is its content through a linear
tower plus an embedding of its own that is shrunk by how rarely it was heard, so a track never heard has a score.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.evaluation.metrics import same_state_wins
from recommender.events import EventLog, Outcome
from recommender.negatives import NegativeKind, NegativeSampler
from recommender.windows import (
    NO_TARGET,
    by_listener_and_station,
    joined,
    last_row_before,
    listener_rows,
    next_positives,
    padded,
    windows,
)

INITIAL_SCALE = 0.02
"""Standard deviation of fresh embeddings; with 1, as torch has it, the first scores saturate the loss."""


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of the tracks before training.

    Attributes:
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        row: (tracks,) int64 row of the track's own embedding, 0 for a track not heard in training.
        shrink: (rows + 1,) float32 factor of each own embedding, 0 for row 0.
    """

    content: NDArray[np.float32]
    row: NDArray[np.int64]
    shrink: NDArray[np.float32]

    @staticmethod
    def of(train: EventLog, content: NDArray[np.float32], id_shrinkage: float) -> "Items":
        """Give each track heard in ``train`` an embedding of its own, shrunk by n / (n + ``id_shrinkage``)."""
        heard = np.bincount(train.track, minlength=train.tracks)
        tracks = np.flatnonzero(heard)
        row = np.zeros(train.tracks, np.int64)
        row[tracks] = np.arange(1, len(tracks) + 1)
        shrink = np.concatenate([[0.0], heard[tracks] / (heard[tracks] + id_shrinkage)]).astype(np.float32)
        return Items(content, row, shrink)


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
        dropout = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        x = x + F.dropout(self.out(seen.transpose(1, 2).reshape(batch, length, width)), self.dropout, self.training)
        hidden = F.dropout(F.relu(self.up(self.norm_mlp(x))), self.dropout, self.training)
        return x + F.dropout(self.down(hidden), self.dropout, self.training)


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
        content: Tensor = self.get_buffer("content")[distinct] @ self.tower
        row = self.get_buffer("row")[distinct]
        own = self.own[row] * self.get_buffer("shrink")[row].unsqueeze(-1)
        return (content + own)[place]

    def station_row(self, station: Tensor) -> Tensor:
        """Row of the station's embeddings; 0 for one without."""
        known = (station >= 0) & (station < self.stations)
        return torch.where(known, station + 1, torch.zeros_like(station))

    def forward(self, track: Tensor, outcome: Tensor, station: Tensor) -> Tensor:  # (B, T) each -> (B, T, d)
        """Taste after each token."""
        x = self.items(track) * sqrt(self.config.width)
        x = x + self.outcome[outcome] + self.position[: track.shape[1]]
        x = x + self._without_row_0(self.station, self.station_row(station))
        x = F.dropout(x, self.config.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def ask(self, hidden: Tensor, station: Tensor) -> Tensor:  # (..., d), (...,) -> (..., d)
        """The taste vector for what comes next on a station."""
        return hidden + self._without_row_0(self.asked, self.station_row(station))

    @staticmethod
    def _without_row_0(table: Tensor, row: Tensor) -> Tensor:
        return table[row] * (row > 0).unsqueeze(-1)


def pairwise_loss(positive: Tensor, negative: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of ``-log σ(s⁺) - log(1 - σ(s⁻))`` (Kang & McAuley 2018, equation 7).

    Args:
        positive: (P,) scores of the positive targets.
        negative: (P,) scores of their negatives.
        weight: (P,) how strongly each positive is meant, not all 0.

    Returns:
        The scalar loss.
    """
    return (weight * (F.softplus(-positive) + F.softplus(negative))).sum() / weight.sum()


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went: mean loss, validation pair AUC (None without pairs), realised share of real negatives."""

    epoch: int
    epochs: int
    loss: float
    validation_auc: float | None
    hard_share: float | None


@dataclass(frozen=True, slots=True)
class TrainedSequence:
    """The network of the best epoch and the course of the training."""

    network: SequentialNetwork
    items: Items
    best_epoch: int
    reports: tuple[EpochReport, ...]


def train_sequential(
    train: EventLog,
    validation: EventLog,
    content: NDArray[np.float32],
    config: SequentialConfig,
    seed: int,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
) -> TrainedSequence:
    """Train until the validation pair AUC stops rising, and keep the best epoch.

    Args:
        train: what is learned from.
        validation: later rows of the same listeners, for stopping only; without pairs all epochs are run.
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        config: sizes and schedule.
        seed: of weights, windows, negatives and dropout.
        on_epoch: told about every epoch.
        should_stop: asked after every epoch; the best epoch so far is kept.

    Raises:
        ValueError: when no position has a positive to predict.
    """
    targets = next_positives(train)
    if not np.any(targets != NO_TARGET):
        raise ValueError("the sequential model needs a positive after another event of the same listener")
    sampler = NegativeSampler(train, config.p_hard)
    items = Items.of(train, content, config.id_shrinkage)
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SequentialNetwork(items, int(train.station.max(initial=-1)) + 1, config)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
        validator = Validator(train, validation, config.length)
        best_state, best_epoch, best_auc = _state(network), 0, -np.inf
        reports: list[EpochReport] = []
        for epoch in range(1, config.epochs + 1):
            loss, share = _train_epoch(network, optimiser, train, targets, sampler, rng)
            auc = validator.pair_auc(network)
            reports.append(EpochReport(epoch, config.epochs, loss, auc, share))
            on_epoch(reports[-1])
            if auc is None or auc > best_auc:
                best_state, best_epoch, best_auc = _state(network), epoch, -np.inf if auc is None else auc
            if should_stop() or epoch - best_epoch >= config.patience:
                break
    network.load_state_dict(best_state)
    return TrainedSequence(network.eval(), items, best_epoch, tuple(reports))


def _state(network: SequentialNetwork) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _tokens(log: EventLog, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(log.track[rows]),
        torch.from_numpy(log.outcome[rows].astype(np.int64)),
        torch.from_numpy(log.station[rows]),
    )


def _train_epoch(
    network: SequentialNetwork,
    optimiser: torch.optim.Optimizer,
    log: EventLog,
    targets: NDArray[np.int64],
    sampler: NegativeSampler,
    rng: np.random.Generator,
) -> tuple[float, float | None]:
    """One pass over all windows; returns the mean loss and the realised share of real negatives."""
    network.train()
    parts = list(windows(log, network.config.length, rng))
    order = rng.permutation(len(parts))
    losses: list[float] = []
    hard = eligible = 0
    for start in range(0, len(parts), network.config.batch):
        rows, real = padded([parts[i] for i in order[start : start + network.config.batch]], network.config.length)
        aims = np.where(real, targets[rows], NO_TARGET)
        asked = np.nonzero(aims != NO_TARGET)
        aim = aims[asked]
        draw = sampler.draw(log.listener[aim], log.station[aim], log.track[aim], rng)
        weight = log.weight[aim] * (draw.kind != NegativeKind.NONE)
        if weight.sum() <= 0.0:
            continue
        hidden = network(*_tokens(log, rows))[asked]  # (P, d)
        taste = network.ask(hidden, torch.from_numpy(log.station[aim]))
        positive = (taste * network.items(torch.from_numpy(log.track[aim]))).sum(-1)
        negative = (taste * network.items(torch.from_numpy(draw.track))).sum(-1)
        loss = pairwise_loss(positive, negative, torch.from_numpy(weight.astype(np.float32)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        eligible += int(draw.eligible.sum())
        hard += int((draw.kind >= NegativeKind.STATION).sum())
    return (float(np.mean(losses)) if losses else 0.0), (hard / eligible if eligible else None)


class Validator:
    """Pair AUC on later rows, quickly enough for every epoch.

    Each listener's rows are run through in windows that overlap by half, and the state before an event is taken
    where at least half a window lies before it; so states see between half and all of the usual context.
    """

    def __init__(self, train: EventLog, validation: EventLog, length: int) -> None:
        both, later = joined(train, validation)
        self._log = both
        self._length = length
        self._windows: list[NDArray[np.int64]] = []
        self._state_of: dict[int, tuple[int, int]] = {}
        self._groups: list[NDArray[np.int64]] = []
        before = last_row_before(both)
        usable = np.flatnonzero(later & (both.label != 0) & (before != NO_TARGET))
        for rows in by_listener_and_station(both, usable):
            if len(np.unique(both.label[rows])) > 1:
                self._groups.append(rows)
        needed = {int(before[row]) for rows in self._groups for row in rows}
        self._before = before
        for rows in listener_rows(both):
            self._place(rows, needed)

    def _place(self, rows: NDArray[np.int64], needed: set[int]) -> None:
        """Windows of one listener, each holding states for its second half (the first window for all of it)."""
        half = max(1, self._length // 2)
        for start in range(0, len(rows), half):
            part = rows[start : start + self._length]
            fresh = range(0 if start == 0 else self._length - half, len(part))
            wanted = [(int(part[i]), i) for i in fresh if int(part[i]) in needed]
            if wanted:
                self._state_of.update({row: (len(self._windows), i) for row, i in wanted})
                self._windows.append(part)

    @torch.no_grad()
    def pair_auc(self, network: SequentialNetwork) -> float | None:
        """Mean over listeners of the share of (+, -) pairs of a station that are ordered rightly; None without pairs."""
        if not self._groups:
            return None
        network.eval()
        hidden = self._hidden(network)
        won: dict[int, list[float]] = {}
        for rows in self._groups:
            station = torch.from_numpy(self._log.station[rows])
            states = torch.stack([hidden[self._state_of[int(self._before[row])]] for row in rows])
            scores = network.ask(states, station) @ network.items(torch.from_numpy(self._log.track[rows])).T
            wins = same_state_wins(scores.numpy(), self._log.label[rows])
            tally = won.setdefault(int(self._log.listener[rows[0]]), [0.0, 0.0])
            tally[0] += float(wins.sum())
            tally[1] += wins.size
        return float(np.mean([wins / pairs for wins, pairs in won.values()]))

    def _hidden(self, network: SequentialNetwork) -> dict[tuple[int, int], Tensor]:
        states: dict[tuple[int, int], Tensor] = {}
        size = network.config.batch
        for start in range(0, len(self._windows), size):
            parts = self._windows[start : start + size]
            rows, real = padded(parts, self._length)
            out = network(*_tokens(self._log, rows))
            states.update({(start + int(b), int(t)): out[b, t] for b, t in np.argwhere(real)})
        return states


def export_sequential(trained: TrainedSequence) -> dict[str, NDArray[np.float32]]:
    """The weights as arrays under ``sequence.``, own embeddings already shrunk, for ``inference.SequenceScorer``."""
    arrays = {f"sequence.{name}": value.detach().numpy().copy() for name, value in trained.network.state_dict().items()}
    arrays["sequence.own"] *= trained.items.shrink[:, None]
    for table in ("sequence.station", "sequence.asked"):
        arrays[table][0] = 0.0
    return arrays
