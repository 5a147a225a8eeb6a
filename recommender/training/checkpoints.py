"""Checkpoints: all that the rest of a training depends on, in one file that is whole or not there.

A safetensors file: weights, the best epoch's weights, the optimiser's averages, losses and random states are its tensors,
and its header holds, as JSON, how far the training is, which training it is, and a SHA-256 of both. Nothing is pickled,
and nothing is believed before it is checked.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from recommender.sequence.negatives import NegativeCounts
from recommender.sequence.network import Items, SequentialNetwork
from recommender.training.compute import Ranks


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
class TrainingState:
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

    def restore(self, state: TrainingState, ranks: Ranks) -> None:
        """Before the first step: make the state what was written down last, where anything was."""
        ...

    def between_rounds(self, state: TrainingState, ranks: Ranks) -> None:
        """After every round but an epoch's last; may find that it is too early."""
        ...

    def after_epoch(self, state: TrainingState, ranks: Ranks) -> None:
        """After every epoch."""
        ...


class NoKeeper:
    """Writes nothing: a short training is begun again."""

    def restore(self, state: TrainingState, ranks: Ranks) -> None:
        """Nothing."""

    def between_rounds(self, state: TrainingState, ranks: Ranks) -> None:
        """Nothing."""

    def after_epoch(self, state: TrainingState, ranks: Ranks) -> None:
        """Nothing."""


def weights_of(network: SequentialNetwork) -> dict[str, Tensor]:
    """A copy of all that is learned, on the processor."""
    return {name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()}


FORMAT = "1"
"""Raised whenever the content changes its meaning; other formats are refused."""
EVERY_SECONDS = 600.0
"""What is lost at most when a training is killed, beside the round that goes on."""
RANDOM_BYTES = 1024
"""Room for the JSON of a numpy generator: every process has to send the same number of bytes."""
RANDOM = "random"


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message is one sentence that says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class _Header:
    """What the file says beside its tensors."""

    question: dict[str, str]
    position: Position
    scaler: dict[str, float]


class Checkpoints:
    """Keeps the last state of a training in a file, and brings it back.

    Args:
        path: of the file.
        question: what the training is determined by (data, configuration, seed, processes, …), in words; a checkpoint of
            another one is refused.
        every: seconds between two checkpoints within an epoch; after an epoch there always is one.
        clock: seconds that only ever rise.
        on_restore: told where the training goes on.
    """

    def __init__(
        self,
        path: Path,
        question: Mapping[str, str],
        *,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        on_restore: Callable[[Position], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._question = dict(question)
        self._every = every
        self._clock = clock
        self._on_restore = on_restore
        self._last = clock()

    def between_rounds(self, state: TrainingState, ranks: Ranks) -> None:
        """Write one where the last is old enough by the first process's clock."""
        if ranks.from_first(np.array([self._clock() - self._last]))[0] >= self._every:
            self.after_epoch(state, ranks)

    def after_epoch(self, state: TrainingState, ranks: Ranks) -> None:
        """Write one.

        Raises:
            CheckpointError: when it cannot be written.
        """
        random = ranks.gathered(_random_state(state))
        if ranks.rank == 0:
            self._write(state, random)
        self._last = self._clock()

    def _write(self, state: TrainingState, random: list[NDArray[np.uint8]]) -> None:
        tensors = _tensors(state)
        tensors[RANDOM] = torch.from_numpy(np.stack(random))
        text = json.dumps(asdict(_Header(self._question, state.position, state.scaler.state_dict())), allow_nan=False)
        metadata = {"format": FORMAT, "header": text, "sha256": _digest(text, tensors)}
        temporary = self._path.with_name(f".{self._path.name}-{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, temporary, metadata)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(f"The checkpoint {self._path} cannot be written: {_why(error)}.") from error
        finally:
            temporary.unlink(missing_ok=True)

    def restore(self, state: TrainingState, ranks: Ranks) -> None:
        """Go on from the file, where there is one.

        Raises:
            CheckpointError: it is damaged, or of another training.
        """
        if not self._path.exists():
            return
        header, tensors = self._read()
        for name, mine in self._question.items():
            theirs = header.question.get(name)
            if theirs != mine:
                raise CheckpointError(
                    f"The checkpoint {self._path} is of another training ({name} is {theirs}, not {mine}): remove it, or"
                    " write to another folder."
                )
        try:
            _restore(state, tensors, ranks.rank)
            if state.scaler.is_enabled():
                state.scaler.load_state_dict(header.scaler)
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            raise self._damaged(f"its content does not fit this training, {_one_line(error)}") from None
        state.position = header.position
        self._on_restore(header.position)

    def _read(self) -> tuple[_Header, dict[str, Tensor]]:
        try:
            with safe_open(self._path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no mapping
        except (SafetensorError, OSError) as error:
            raise self._damaged(_one_line(error)) from None
        if metadata.get("format") != FORMAT:
            raise self._damaged(f"its format is {metadata.get('format')}, not {FORMAT}")
        text = metadata.get("header", "")
        if metadata.get("sha256") != _digest(text, tensors):
            raise self._damaged("its content is not what was written")
        try:
            return TypeAdapter(_Header).validate_json(text), tensors
        except ValueError:
            raise self._damaged("its header is no checkpoint's") from None

    def _damaged(self, why: str) -> CheckpointError:
        return CheckpointError(f"The checkpoint {self._path} cannot be used ({why}): remove it to begin anew.")


def _tensors(state: TrainingState) -> dict[str, Tensor]:
    tensors = {
        f"network.{name}": value.detach().cpu().contiguous() for name, value in state.network.state_dict().items()
    }
    tensors |= {f"best.{name}": value.contiguous() for name, value in state.best.items()}
    for place, values in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{place}.{name}": value.detach().cpu().contiguous() for name, value in values.items()}
    tensors["losses"] = torch.tensor(state.losses, dtype=torch.float64)
    return tensors


def _restore(state: TrainingState, tensors: Mapping[str, Tensor], rank: int) -> None:
    state.network.load_state_dict(_under("network.", tensors))
    state.best = _under("best.", tensors)
    _check_same_shapes(state.best, state.network.state_dict())
    averages: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimiser.", tensors).items():
        place, _, kind = name.partition(".")
        averages.setdefault(int(place), {})[kind] = value
    groups = state.optimiser.state_dict()["param_groups"]
    state.optimiser.load_state_dict({"state": averages, "param_groups": groups})
    state.losses = tensors["losses"].tolist()
    random = tensors[RANDOM][rank].numpy()
    state.rng.bit_generator.state = json.loads(random[:RANDOM_BYTES].tobytes())
    kept = torch.get_rng_state().numel()
    torch.set_rng_state(torch.from_numpy(random[RANDOM_BYTES : RANDOM_BYTES + kept].copy()))
    if state.network.device.type == "cuda":
        torch.cuda.set_rng_state(torch.from_numpy(random[RANDOM_BYTES + kept :].copy()), state.network.device)


def _random_state(state: TrainingState) -> NDArray[np.uint8]:
    """States of all that draws random numbers in this process: numpy's generator, torch's, and the GPU's."""
    text = json.dumps(state.rng.bit_generator.state).encode()
    parts = [np.frombuffer(text.ljust(RANDOM_BYTES), np.uint8), torch.get_rng_state().numpy()]
    if state.network.device.type == "cuda":
        parts.append(torch.cuda.get_rng_state(state.network.device).numpy())
    return np.concatenate(parts)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _check_same_shapes(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    if {name: value.shape for name, value in found.items()} != {name: value.shape for name, value in wanted.items()}:
        raise ValueError("the best epoch's weights are of another network")


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = sha256(text.encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.numpy().reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or _one_line(error)).lower()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
