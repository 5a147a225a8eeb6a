"""What a training is at a moment, what it reports on the way, and who writes it down."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from recommender.sequence.negatives import NegativeCounts
from recommender.sequence.network import Items, SequentialNetwork
from recommender.training.distributed import Ranks


@dataclass(frozen=True, slots=True)
class EpochReport:
    """How an epoch went.

    Attributes:
        epoch: from 1.
        epochs: at most.
        loss: mean training loss.
        validation_auc: validation pair AUC; None without pairs.
        negatives: where the negative targets came from.
        seconds: that its training took, without the validation.
    """

    epoch: int
    epochs: int
    loss: float
    validation_auc: float | None
    negatives: NegativeCounts
    seconds: float = 0.0

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


@dataclass(frozen=True, slots=True)
class StepReport:
    """How far an epoch is.

    Attributes:
        epoch, epochs: which, and how many at most.
        step: of the whole training, from 1.
        loss: mean over the steps since the last report.
        seen: rows of the epoch that were seen.
        share: what share of the epoch's rows that is, 0…1.
        steps, tokens: by all processes since this process was started.
        seconds: since then, validation excluded.
    """

    epoch: int
    epochs: int
    step: int
    loss: float
    seen: int
    share: float
    steps: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Position:
    """How far a training is, between two rounds.

    Attributes:
        epoch: the one that is going on, from 1.
        round: of this epoch, the next to come, from 0.
        step: steps taken in all.
        rows: of this epoch, seen by all processes.
        seconds: of training in this epoch.
        best_epoch: the best so far; 0 before the first.
        best_auc: its validation pair AUC; None where there was none.
        finished: whether the training has come to its end.
        counts: of this epoch's negatives, by this process.
        reports: of the epochs before.
    """

    epoch: int = 1
    round: int = 0
    step: int = 0
    rows: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_auc: float | None = None
    finished: bool = False
    counts: NegativeCounts = field(default_factory=NegativeCounts)
    reports: tuple[EpochReport, ...] = ()


@dataclass(slots=True)
class State:
    """Everything that the rest of a training depends on; between two rounds it can be written down."""

    network: SequentialNetwork
    optimiser: torch.optim.Optimizer
    scaler: torch.GradScaler
    rng: np.random.Generator
    best: dict[str, Tensor]
    losses: list[float] = field(default_factory=list[float])
    """Of the steps of this epoch."""
    position: Position = field(default_factory=Position)


class Keeper(Protocol):
    """Writes states down and brings them back."""

    def restore(self, state: State, ranks: Ranks) -> None:
        """Before the first step: make the state what was written down last, where anything was."""
        ...

    def between_rounds(self, state: State, ranks: Ranks) -> None:
        """After every round but an epoch's last; may find that it is too early."""
        ...

    def after_epoch(self, state: State, ranks: Ranks) -> None:
        """After every epoch."""
        ...


class NoKeeper:
    """Writes nothing: a short training is begun again."""

    def restore(self, state: State, ranks: Ranks) -> None:
        """Nothing."""

    def between_rounds(self, state: State, ranks: Ranks) -> None:
        """Nothing."""

    def after_epoch(self, state: State, ranks: Ranks) -> None:
        """Nothing."""


def weights_of(network: SequentialNetwork) -> dict[str, Tensor]:
    """A copy of all that is learned, on the processor."""
    return {name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()}
