"""The sequential model: a causal transformer over (track, outcome, station) tokens that predicts the next like.

SASRec (Kang & McAuley 2018) with negative feedback as input, an embedding for each outcome (Mei et al., UMAP 2024),
and negatives of which a share are the listener's own (Mei et al. 2024). A track is its content through a linear
tower plus an embedding of its own that is shrunk by how rarely it was heard, so a track never heard has a score.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recommender.configuration import SequentialConfig
from recommender.events import EventLog
from recommender.negatives import NegativeCounts
from recommender.sequential_network import Items, SequentialNetwork
from recommender.sequential_objective import Objective
from recommender.sequential_validation import FrozenValidator, Validation, Validator
from recommender.windows import padded, windows

__all__ = [
    "EpochReport",
    "FrozenValidator",
    "Items",
    "SequentialNetwork",
    "TrainedSequence",
    "Validator",
    "export_sequential",
    "train_sequential",
]

SORTED_BATCHES = 8
"""Batches whose windows are sorted by length together, so that little of a batch is padding and much of it chance."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: from 1.
        epochs: at most.
        loss: mean training loss.
        validation_auc: validation pair AUC; None without pairs.
        negatives: where the negative targets came from.
    """

    epoch: int
    epochs: int
    loss: float
    validation_auc: float | None
    negatives: NegativeCounts

    @property
    def hard_share(self) -> float | None:
        """Share of real negatives among the positions that have one."""
        return self.negatives.realised_share


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
    *,
    validator: Validation | None = None,
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
        validator: says how good an epoch is; left out, every validation row is scored in the state before it.

    Raises:
        ValueError: when no position has a positive to predict.
    """
    objective = Objective(train, config)
    if objective.empty:
        raise ValueError("the sequential model needs a positive after another event of the same listener")
    items = Items.of(train, content, config.id_shrinkage)
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SequentialNetwork(items, int(train.station.max(initial=-1)) + 1, config)
        optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
        judge = validator or Validator(train, validation, config.length)
        best_state, best_epoch, best_auc = _state(network), 0, -np.inf
        reports: list[EpochReport] = []
        for epoch in range(1, config.epochs + 1):
            loss, counts = _train_epoch(network, optimiser, objective, rng)
            auc = judge.pair_auc(network)
            reports.append(EpochReport(epoch, config.epochs, loss, auc, counts))
            on_epoch(reports[-1])
            if auc is None or auc > best_auc:
                best_state, best_epoch, best_auc = _state(network), epoch, -np.inf if auc is None else auc
            if should_stop() or epoch - best_epoch >= config.patience:
                break
    network.load_state_dict(best_state)
    return TrainedSequence(network.eval(), items, best_epoch, tuple(reports))


def _state(network: SequentialNetwork) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _train_epoch(
    network: SequentialNetwork,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    rng: np.random.Generator,
) -> tuple[float, NegativeCounts]:
    """One pass over all windows; returns the mean loss and where the negatives came from."""
    network.train()
    losses: list[float] = []
    counts = NegativeCounts()
    length = network.config.length
    for parts in _batches(list(windows(objective.log, length, rng)), network.config.batch, rng):
        step = objective.loss(network, *padded(parts, length), rng)
        if step is None:
            continue
        loss, drawn = step
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        counts = counts + drawn
    return (float(np.mean(losses)) if losses else 0.0), counts


def _batches(parts: list[NDArray[np.int64]], size: int, rng: np.random.Generator) -> Iterator[list[NDArray[np.int64]]]:
    """All windows in batches of like length, in random order."""
    order = rng.permutation(len(parts))
    lengths = np.array([len(part) for part in parts])
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(parts), SORTED_BATCHES * size):
        together = order[start : start + SORTED_BATCHES * size]
        together = together[np.argsort(lengths[together], kind="stable")]
        batches += [together[first : first + size] for first in range(0, len(together), size)]
    for place in rng.permutation(len(batches)):
        yield [parts[i] for i in batches[place]]


def export_sequential(trained: TrainedSequence) -> dict[str, NDArray[np.float32]]:
    """The weights as arrays under ``sequence.``, own embeddings already shrunk, for ``inference.SequenceScorer``."""
    arrays = {f"sequence.{name}": value.detach().numpy().copy() for name, value in trained.network.state_dict().items()}
    arrays["sequence.own"] *= trained.items.shrink[:, None]
    for table in ("sequence.station", "sequence.asked"):
        arrays[table][0] = 0.0
    return arrays
