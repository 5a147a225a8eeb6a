"""The course of a training: epochs over parts of whole listeners, steps that all processes take together, and its end.

One process over one log in memory is the smallest case of the same code. In a *round* every process has one part, and
all take as many steps as the one with most batches: who has none left gives no gradient. A process's loss counts by its
positions, so that a step of many processes has the gradient of the mean over all their positions together. Between
rounds everything that the rest depends on can be written down (:class:`Position`, weights, optimiser, random states),
and a training that goes on from there ends as one that was never interrupted.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recommender.configuration import SequentialConfig
from recommender.sequence.negatives import NegativeCounts
from recommender.sequence.network import Items, SequentialNetwork
from recommender.sequence.objective import Objective
from recommender.sequence.validation import Validation
from recommender.sequence.windows import padded
from recommender.training.checkpoints import (
    EpochReport,
    Keeper,
    NoKeeper,
    Position,
    StepReport,
    TrainedSequence,
    TrainingState,
    weights_of,
)
from recommender.training.compute import PROCESSOR, Alone, Machine, Ranks
from recommender.training.row_sources import TrainingRows, batches

BETAS = (0.9, 0.98)
"""Decay of Adam's averages, as SASRec has it."""
LOSSES_AT_ONCE = 50
"""Steps after which losses are read: reading one makes the processor wait for the device."""


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """What a training is run with and watched by, beside its data and configuration.

    Attributes:
        machine: where it computes.
        ranks: the processes.
        keeper: writes states down.
        on_epoch: told about every epoch.
        on_step: told every :data:`LOSSES_AT_ONCE` steps.
        should_stop: asked after every epoch.
        most_steps: after which the training ends, wherever it is; None for no such limit.
    """

    machine: Machine = PROCESSOR
    ranks: Ranks = field(default_factory=Alone)
    keeper: Keeper = field(default_factory=NoKeeper)
    on_epoch: Callable[[EpochReport], None] = lambda _: None
    on_step: Callable[[StepReport], None] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False
    most_steps: int | None = None


def optimiser_of(network: SequentialNetwork, machine: Machine) -> torch.optim.Optimizer:
    """Adam."""
    fused = True if machine.device.type == "cuda" else None
    return torch.optim.Adam(network.parameters(), lr=network.config.learning_rate, betas=BETAS, fused=fused)


def train_on(
    source: TrainingRows,
    judge: Validation,
    content: NDArray[np.float32],
    config: SequentialConfig,
    seed: int,
    setting: TrainingSetup,
    *,
    prepare: Callable[[SequentialNetwork, Items], None] | None = None,
) -> TrainedSequence:
    """Train a network on one or many parts, in one or many processes.

    Args:
        source: what is learned from.
        judge: says how good an epoch is; asked by the first process only.
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        config: sizes and schedule.
        seed: of weights, windows, negatives and dropout; every process but one that is alone draws its own from it.
        setting: machine, processes, and who watches.
        prepare: may change the fresh weights.

    Returns:
        The network of the best epoch, on the processor, in every process.

    Raises:
        ValueError: there are fewer parts than processes.
    """
    machine, ranks = setting.machine, setting.ranks
    if source.parts < ranks.size:
        raise ValueError(f"{source.parts} parts cannot be dealt to {ranks.size} processes")
    items = Items.of_counts(source.counts, content, config.id_shrinkage, source.likes)
    with torch.random.fork_rng(devices=machine.random_devices):
        torch.manual_seed(seed)
        network = SequentialNetwork(items, source.stations, config)
        if prepare is not None:
            prepare(network, items)
        network.to(machine.device)
        if ranks.size > 1:
            torch.manual_seed(int(np.random.default_rng([seed, ranks.rank]).integers(2**62)))
        state = TrainingState(
            network=network,
            optimiser=optimiser_of(network, machine),
            scaler=machine.scaler(),
            rng=np.random.default_rng(seed if ranks.size == 1 else [seed, ranks.rank]),
            best=weights_of(network),
        )
        setting.keeper.restore(state, ranks)
        TrainingLoop(source, judge, seed, state, setting).run()
    network.load_state_dict(state.best)
    return TrainedSequence(network.to("cpu").eval(), items, state.position.best_epoch, state.position.reports)


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Windows of one part: rows (B, T), and which of them are no padding."""

    objective: Objective
    rows: NDArray[np.int64]
    real: NDArray[np.bool_]


class LossModule(nn.Module):
    """The loss of a batch as a module, so that it can be spread over processes."""

    def __init__(self, network: SequentialNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: WindowBatch | None, rng: np.random.Generator) -> tuple[Tensor, NegativeCounts | None]:
        """The batch's loss and its negatives; without anything to learn from a loss and a gradient of zero, and None."""
        found = None if batch is None else batch.objective.loss(self.network, batch.rows, batch.real, rng)
        if found is not None:
            return found
        return torch.stack([parameter.sum() * 0.0 for parameter in self.network.parameters()]).sum(), None


class TrainingLoop:
    """A training from a state to its end."""

    def __init__(
        self, source: TrainingRows, judge: Validation, seed: int, state: TrainingState, setting: TrainingSetup
    ) -> None:
        self._source = source
        self._judge = judge
        self._seed = seed
        self._state = state
        self._setting = setting
        self._step = setting.ranks.together(LossModule(state.network))
        self._pending: list[Tensor] = []
        self._steps = self._tokens = 0
        self._seconds = 0.0

    @property
    def _config(self) -> SequentialConfig:
        return self._state.network.config

    def run(self) -> None:
        """Train until the validation no longer improves, the epochs are over, or it is asked to stop."""
        while not self._state.position.finished:
            self._epoch()

    def _epoch(self) -> None:
        state, ranks = self._state, self._setting.ranks
        rounds = self._rounds(state.position.epoch)
        for index in range(state.position.round, len(rounds)):
            self._round(rounds[index])
            state.position = replace(state.position, round=index + 1)
            if self._out_of_steps:
                break
            if index + 1 < len(rounds):
                self._setting.keeper.between_rounds(state, ranks)
        self._end_epoch()
        self._setting.keeper.after_epoch(state, ranks)

    def _rounds(self, epoch: int) -> list[NDArray[np.int64]]:
        """The parts of each round of an epoch, in an order of the epoch's own."""
        parts, size = self._source.parts, self._setting.ranks.size
        order = np.random.default_rng([self._seed, epoch]).permutation(parts)
        return [order[first : first + size] for first in range(0, parts, size)]

    @property
    def _out_of_steps(self) -> bool:
        most = self._setting.most_steps
        return most is not None and self._state.position.step + len(self._pending) >= most

    def _round(self, parts: NDArray[np.int64]) -> None:
        """One part for each process, some perhaps without."""
        ranks, network = self._setting.ranks, self._state.network
        began = time.perf_counter()
        network.train()
        counts = NegativeCounts()
        mine = self._batches(int(parts[ranks.rank])) if ranks.rank < len(parts) else iter(())
        while not self._out_of_steps:
            batch = next(mine, None)
            tokens = 0.0 if batch is None else float(np.count_nonzero(batch.real))
            loss, drawn = self._loss(batch) if batch is not None or ranks.size > 1 else (None, None)
            positions = 0.0 if drawn is None else float(max(1, drawn.positions))
            everyone = ranks.total(np.array([positions, float(batch is not None), tokens]))
            if everyone[1] == 0.0:
                break
            self._tokens += int(everyone[2])
            self._state.position = replace(self._state.position, rows=self._state.position.rows + int(everyone[2]))
            if loss is not None and everyone[0] > 0.0:
                self._learn(loss, positions / float(everyone[0]))
                counts = counts if drawn is None else counts + drawn
            if len(self._pending) >= LOSSES_AT_ONCE:
                self._read_losses(began)
        self._read_losses(began)
        position = self._state.position
        seconds = time.perf_counter() - began
        self._seconds += seconds
        total = NegativeCounts(*map(int, ranks.total(np.array(astuple(counts), np.float64))))
        self._state.position = replace(position, seconds=position.seconds + seconds, counts=position.counts + total)

    def _batches(self, part: int) -> Iterator[WindowBatch]:
        objective = self._source.objective(part, self._config)
        length, rng = self._config.length, self._state.rng
        for chosen in batches(list(objective.windows(rng)), self._config.batch, rng):
            yield WindowBatch(objective, *padded(chosen, length))

    def _loss(self, batch: WindowBatch | None) -> tuple[Tensor, NegativeCounts | None]:
        with self._setting.machine.mixed:
            return self._step(batch, self._state.rng)

    def _learn(self, loss: Tensor, share: float) -> None:
        """One step down the gradient; ``share`` is that of this process in the positions of all."""
        state, size = self._state, self._setting.ranks.size
        if size > 1:
            loss = loss * (share * size)  # gradients are averaged over the processes
        state.optimiser.zero_grad()
        state.scaler.scale(loss).backward()
        state.scaler.step(state.optimiser)
        state.scaler.update()
        self._pending.append(loss.detach() / size if size > 1 else loss.detach())

    def _read_losses(self, began: float) -> None:
        """Losses of the last steps, over all processes."""
        if not self._pending:
            return
        state, setting = self._state, self._setting
        mine = torch.stack(self._pending).double().cpu().numpy()
        self._pending.clear()
        losses: list[float] = setting.ranks.total(mine).tolist()
        state.losses += losses
        self._steps += len(losses)
        state.position = replace(state.position, step=state.position.step + len(losses))
        if setting.ranks.rank == 0:
            setting.on_step(
                StepReport(
                    epoch=state.position.epoch,
                    epochs=self._config.epochs,
                    step=state.position.step,
                    loss=float(np.mean(losses)),
                    seen=state.position.rows,
                    share=min(1.0, state.position.rows / max(1, self._source.rows)),
                    steps=self._steps,
                    tokens=self._tokens,
                    seconds=self._seconds + time.perf_counter() - began,
                )
            )

    def _end_epoch(self) -> None:
        """Validate, remember the best, and begin the next epoch or end."""
        state, setting, epochs = self._state, self._setting, self._config.epochs
        position = state.position
        auc, stop = self._validated(), False
        loss = float(np.mean(state.losses)) if state.losses else 0.0
        report = EpochReport(position.epoch, epochs, loss, auc, position.counts, position.seconds)
        if setting.ranks.rank == 0:
            setting.on_epoch(report)
            stop = setting.should_stop()
        stop = bool(setting.ranks.from_first(np.array([float(stop)]))[0])
        best_epoch, best_auc = position.best_epoch, position.best_auc
        if auc is None or best_auc is None or auc > best_auc:
            state.best, best_epoch, best_auc = weights_of(state.network), position.epoch, auc
        patient = position.epoch - best_epoch < self._config.patience
        state.losses = []
        state.position = Position(
            epoch=position.epoch + 1,
            step=position.step,
            best_epoch=best_epoch,
            best_auc=best_auc,
            finished=stop or not patient or position.epoch >= epochs or self._out_of_steps,
            reports=(*position.reports, report),
        )

    def _validated(self) -> float | None:
        """The first process's verdict, for all."""
        ranks = self._setting.ranks
        auc = self._judge.pair_auc(self._state.network) if ranks.rank == 0 else None
        found = float(ranks.from_first(np.array([np.nan if auc is None else auc]))[0])
        return None if np.isnan(found) else found
