"""The course of a training: epochs over batches that are drawn elsewhere, steps that all processes take together, and its end.

One process over one log in memory is the smallest case of the same code. All processes take as many steps as the one with
most batches: who has none left gives no gradient. A process's loss counts by its positions, so that a step of many
processes has the gradient of the mean over all their positions together. All chance follows from the seed and the position,
so a training that goes on from a state that was kept ends as one that was never interrupted.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recommender.configuration import SequentialConfig
from recommender.events import EventLog
from recommender.sequence.batches import Batch, BatchSampler
from recommender.sequence.items import TrackCounts
from recommender.sequence.negatives import NegativeCounts
from recommender.sequence.network import Items, SequentialNetwork
from recommender.sequence.objective import Objective
from recommender.sequence.validation import Validation
from recommender.training.checkpoints import (
    EpochReport,
    Mark,
    Position,
    StepReport,
    TrainedSequence,
    TrainingState,
    weights_of,
)
from recommender.training.compute import PROCESSOR, Machine, processes, together, total

BETAS = (0.9, 0.98)
"""Decay of Adam's averages, as SASRec has it."""
LOSSES_AT_ONCE = 50
"""Steps after which losses are read: reading one makes the processor wait for the device."""


class TrainingRows(Protocol):
    """What is learned from; no listener is in two parts."""

    @property
    def stations(self) -> int:
        """How many stations there are: their numbers are below it."""
        ...

    @property
    def counts(self) -> TrackCounts:
        """What was heard how often."""
        ...

    def epoch(self, epoch: int, begin: Mark) -> Iterator[tuple[Mark, Batch]]:
        """This process's batches of an epoch from a place on, each with the place after it; the same whenever asked."""
        ...


class RowsInMemory:
    """A log at hand, in one part.

    Args:
        log: all rows.
        config: of the network.
        seed: of windows and negatives.
    """

    def __init__(self, log: EventLog, config: SequentialConfig, seed: int) -> None:
        self.stations = int(log.station.max(initial=-1)) + 1
        self.sampler = BatchSampler(log, config)
        self._log = log
        self._seed = seed

    @property
    def counts(self) -> TrackCounts:
        """What was heard how often."""
        return TrackCounts.of(self._log)

    def epoch(self, epoch: int, begin: Mark) -> Iterator[tuple[Mark, Batch]]:
        """The batches of the log."""
        drawn = enumerate(self.sampler.epoch(np.random.default_rng([self._seed, epoch, 0])), 1)
        return ((Mark(0, done), batch) for done, batch in islice(drawn, begin.batches, None))


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """What a training is run with and watched by, beside its data and configuration.

    Attributes:
        machine: where it computes.
        prepare: may change the fresh weights.
        restore: may make the fresh state an earlier one.
        keep: told after every epoch, and within one after each ``keep_seconds``, in every process at the same step.
        keep_seconds: by the first process's clock.
        on_epoch: told about every epoch, in the first process.
        on_step: told every :data:`LOSSES_AT_ONCE` steps, in the first process.
        should_stop: asked after every epoch.
        most_steps: after which the training ends, wherever it is; None for no such limit.
    """

    machine: Machine = PROCESSOR
    prepare: Callable[[SequentialNetwork, Items], None] = lambda _, __: None
    restore: Callable[[TrainingState], None] = lambda _: None
    keep: Callable[[TrainingState], None] = lambda _: None
    keep_seconds: float = float("inf")
    on_epoch: Callable[[EpochReport], None] = lambda _: None
    on_step: Callable[[StepReport], None] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False
    most_steps: int | None = None


def optimiser_of(network: SequentialNetwork, machine: Machine) -> torch.optim.Optimizer:
    """Adam as SASRec has it; one pass over each tensor on a GPU, ten small ones on a processor."""
    return torch.optim.Adam(
        network.parameters(), lr=network.config.learning_rate, betas=BETAS, fused=machine.device.type == "cuda"
    )


def train_on(
    source: TrainingRows,
    judge: Validation,
    content: NDArray[np.float32],
    config: SequentialConfig,
    seed: int,
    setting: TrainingSetup,
) -> TrainedSequence:
    """Train until the validation pair AUC stops rising, and keep the best epoch.

    Args:
        source: what is learned from.
        judge: says how good an epoch is, in the first process; without pairs all epochs are run.
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        config: sizes and schedule.
        seed: of weights and dropout, of which every process draws its own.
        setting: machine, beginning, and who watches.

    Returns:
        The network of the best epoch, on the processor, in every process.
    """
    items = Items.of_counts(source.counts, content, config.id_shrinkage)
    with torch.random.fork_rng(devices=setting.machine.random_devices):
        torch.manual_seed(seed)
        network = SequentialNetwork(items, source.stations, config)
        setting.prepare(network, items)
        network.to(setting.machine.device)
        state = TrainingState(network, optimiser_of(network, setting.machine), weights_of(network))
        setting.restore(state)
        TrainingLoop(source, judge, seed, state, setting).run()
    network.load_state_dict(state.best)
    return TrainedSequence(network.to("cpu").eval(), items, state.position.best_epoch, state.position.reports)


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
        self._rank, self._size = processes()
        self._objective = together(Objective(state.network))
        self._pending: list[Tensor] = []
        self._counts = NegativeCounts()
        self._steps = self._tokens = 0
        self._seconds = 0.0
        self._began = self._kept = time.monotonic()

    def run(self) -> None:
        """Train until the validation no longer improves, the epochs are over, or it is asked to stop."""
        while not self._state.position.finished:
            self._epoch()
            self._end_epoch()
            self._setting.keep(self._state)

    @property
    def _out_of_steps(self) -> bool:
        most = self._setting.most_steps
        return most is not None and self._state.position.step + len(self._pending) >= most

    def _epoch(self) -> None:
        state = self._state
        state.network.train()
        mark = state.position.marks[self._rank] if state.position.marks else Mark()
        stream = self._source.epoch(state.position.epoch, mark)
        self._began = time.monotonic()
        while not self._out_of_steps:
            mark, batch = next(stream, (mark, None))
            own = (0, 0) if batch is None else (batch.rows, len(batch.target))
            rows, positions, due = total(np.array([*own, self._due], np.float64)).tolist()
            if not positions:
                break
            self._step(batch, own[1] / positions)
            self._tokens += int(rows)
            state.position = replace(state.position, rows=state.position.rows + int(rows))
            if due or len(self._pending) >= LOSSES_AT_ONCE:
                self._read()
            if due:
                self._keep(mark)
        self._read()

    @property
    def _due(self) -> bool:
        """Whether the state has to be kept, of which the first process decides."""
        return self._rank == 0 and time.monotonic() - self._kept >= self._setting.keep_seconds

    def _keep(self, mark: Mark) -> None:
        marks = np.zeros((self._size, 2))
        marks[self._rank] = mark.part, mark.batches
        places = tuple(Mark(*place) for place in total(marks).astype(int).tolist())
        self._state.position = replace(self._state.position, marks=places)
        self._setting.keep(self._state)
        self._kept = time.monotonic()

    def _step(self, batch: Batch | None, share: float) -> None:
        """One step down the gradient; ``share`` is that of this process in the positions of all."""
        state, setting = self._state, self._setting
        place = [self._seed, self._rank, state.position.step + len(self._pending)]
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0]) >> 1)
        with setting.machine.mixed:
            loss = self._objective(batch) * (share * self._size)  # gradients are averaged over the processes
        state.optimiser.zero_grad()
        loss.backward()
        state.optimiser.step()
        self._pending.append(loss.detach() / self._size)
        if batch is not None:
            self._counts += batch.counts

    def _read(self) -> None:
        """Losses, negatives and time of the last steps, over all processes."""
        if not self._pending:
            return
        state, position = self._state, self._state.position
        losses: list[float] = total(torch.stack(self._pending).double().cpu().numpy()).tolist()
        counts = NegativeCounts(*map(int, total(np.array(astuple(self._counts), np.float64))))
        seconds, now = time.monotonic() - self._began, time.monotonic()
        self._pending.clear()
        self._counts, self._began = NegativeCounts(), now
        self._steps += len(losses)
        self._seconds += seconds
        state.losses += losses
        state.position = replace(
            position,
            step=position.step + len(losses),
            seconds=position.seconds + seconds,
            counts=position.counts + counts,
        )
        if self._rank == 0:
            self._setting.on_step(
                StepReport(
                    epoch=position.epoch,
                    epochs=state.network.config.epochs,
                    step=state.position.step,
                    loss=float(np.mean(losses)),
                    seen=position.rows,
                    steps=self._steps,
                    tokens=self._tokens,
                    seconds=self._seconds,
                )
            )

    def _end_epoch(self) -> None:
        """Validate, remember the best, and begin the next epoch or end; the first process decides for all."""
        state, setting, config = self._state, self._setting, self._state.network.config
        position, auc, stop = state.position, np.nan, False
        loss = float(np.mean(state.losses)) if state.losses else 0.0
        report = EpochReport(position.epoch, config.epochs, loss, None, position.counts, position.seconds)
        if self._rank == 0:
            report = replace(report, validation_auc=self._judge.pair_auc(state.network))
            setting.on_epoch(report)
            auc = np.nan if report.validation_auc is None else report.validation_auc
            stop = setting.should_stop()
        verdict = np.array([auc, stop]) if self._rank == 0 else np.zeros(2)
        auc, stop = total(verdict).tolist()
        report = replace(report, validation_auc=None if np.isnan(auc) else auc)
        best_epoch, best_auc = position.best_epoch, position.best_auc
        if report.validation_auc is None or best_auc is None or report.validation_auc > best_auc:
            state.best = weights_of(state.network)
            best_epoch, best_auc = position.epoch, report.validation_auc
        patient = position.epoch - best_epoch < config.patience
        state.losses = []
        state.position = Position(
            epoch=position.epoch + 1,
            step=position.step,
            best_epoch=best_epoch,
            best_auc=best_auc,
            finished=bool(stop) or not patient or position.epoch >= config.epochs or self._out_of_steps,
            reports=(*position.reports, report),
        )
