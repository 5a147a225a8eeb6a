"""The state of a training: all that the rest of it depends on, as it is kept between two steps and found again."""

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from msgspec import convert
from torch import Tensor

from recommender.sequence.negatives import NegativeCounts
from recommender.sequence.network import Items, SequentialNetwork


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
        steps, tokens: by all processes since this process was started.
        seconds: since then, validation excluded.
    """

    epoch: int
    epochs: int
    step: int
    loss: float
    seen: int
    steps: int
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in one process's share of an epoch: the part that is read, and how many of its batches are done."""

    part: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """How far a training is, between two steps.

    Attributes:
        epoch: the one that is going on, from 1.
        marks: of each process in this epoch; none at its beginning.
        step: steps taken in all.
        rows: of this epoch, seen by all processes.
        seconds: of training in this epoch.
        best_epoch: the best so far; 0 before the first.
        best_auc: its validation pair AUC; None where there was none.
        finished: whether the training has come to its end.
        counts: of this epoch's negatives, over all processes.
        reports: of the epochs before.
    """

    epoch: int = 1
    marks: tuple[Mark, ...] = ()
    step: int = 0
    rows: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_auc: float | None = None
    finished: bool = False
    counts: NegativeCounts = field(default_factory=NegativeCounts)
    reports: tuple[EpochReport, ...] = ()


@dataclass(slots=True)
class TrainingState:
    """Everything that the rest of a training depends on; what is drawn by chance follows from the seed and the position."""

    network: SequentialNetwork
    optimiser: torch.optim.Optimizer
    best: dict[str, Tensor]
    losses: list[float] = field(default_factory=list[float])
    """Of the steps of this epoch."""
    position: Position = field(default_factory=Position)


def weights_of(network: SequentialNetwork) -> dict[str, Tensor]:
    """A copy of all that is learned, on the processor."""
    return {name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()}


CHECKPOINT = "state.pt"


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message is one sentence that says which, why and what to do."""


def save_state(state: TrainingState, folder: Path) -> None:
    """Write the state into a folder."""
    content = {
        "network": state.network.state_dict(),
        "best": state.best,
        "optimiser": state.optimiser.state_dict(),
        "losses": torch.tensor(state.losses, dtype=torch.float64),
        "position": asdict(state.position),
    }
    torch.save(content, folder / CHECKPOINT)


def load_state(state: TrainingState, folder: Path) -> None:
    """Make the state what was written into a folder; nothing but tensors and plain values is believed.

    Raises:
        CheckpointError: it is missing or damaged, or of another network.
    """
    try:
        content = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
        state.network.load_state_dict(content["network"])
        state.optimiser.load_state_dict(content["optimiser"])
        state.best = content["best"]
        state.losses = content["losses"].tolist()
        state.position = convert(content["position"], Position)
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        why = " ".join(str(error).split())
        raise CheckpointError(
            f"The checkpoint in {folder} cannot be used ({why}): train into another folder."
        ) from None
