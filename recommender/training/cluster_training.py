"""Training on shards with Ray (Moritz et al. 2018): processes that take every step together, on one machine or on many.

Ray Train starts the processes, joins them (DDP over gloo, or nccl between GPUs), keeps their checkpoints and starts them
again where one was lost; Ray Data reads ahead: tasks beside the training read shards and draw their batches. The shards and
the folder of the run must lie under the same paths on every machine.
"""

import json
import resource
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from recommender.cluster import LOCAL, connection
from recommender.configuration import SequentialConfig
from recommender.models.numpy_inference import Standardisation
from recommender.sequence.batches import Batch
from recommender.sequence.validation import FrozenValidator
from recommender.training.checkpoints import (
    CheckpointError,
    EpochReport,
    Mark,
    StepReport,
    TrainedSequence,
    TrainingState,
    load_state,
    save_state,
)
from recommender.training.compute import Machine, Precision, processes, total
from recommender.training.loading import ShardRequest, draw_part
from recommender.training.progress import TerminalProgress, print_line
from recommender.training.sequential_recommender import ESASREC, export_sequential
from recommender.training.shards import ShardError, ShardFolder
from recommender.training.trainer import TrainingSetup, train_on

QUESTION = "question.json"
WEIGHTS = "weights.safetensors"
REPORT = "training.json"
KIB_PER_MB = 1024.0
"""Linux gives the peak of memory in KiB."""
LONGEST_WAIT_SECONDS = 7200
"""For the other processes: the first one validates and writes checkpoints while they wait."""
LOSSES_OF_MACHINES = 8
"""So often a training is begun again from its last checkpoint."""
LAST_LINES_SECONDS = 5.0
LOADERS = 4
"""Shards that are drawn at a time for each GPU; for a processor it is one, whose drawing takes a fortieth of a step there."""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A training as the command line asks for it; see ``python -m recommender.training train --help``."""

    shards: Path
    out: Path
    config: SequentialConfig = ESASREC
    cluster: str = LOCAL
    workers: int = 1
    gpus: bool = False
    precision: str = "auto"
    steps: int | None = None
    seed: int = 0
    threads: int = 1
    checkpoint_every: float = 600.0

    @property
    def numbers(self) -> str:
        """The precision that is computed in: bfloat16 on a GPU, if nothing else was asked for."""
        return self.precision if self.precision != "auto" else "bf16" if self.gpus else "fp32"

    def question(self, folder: ShardFolder) -> Mapping[str, object]:
        """What the trained weights follow from."""
        return {
            "shards": folder.fingerprint,
            "configuration": asdict(self.config),
            "precision": self.numbers,
            "seed": self.seed,
            "workers": self.workers,
            "steps": self.steps,
        }


def train(request: TrainingRequest) -> Mapping[str, object]:
    """Train, write weights and figures into the folder, and return the figures; what was interrupted goes on.

    Raises:
        ShardError: the shards cannot be read.
        ClusterError: there is no such cluster.
        CheckpointError: the folder holds another training, or cannot be written; or the training failed for good.
    """
    folder = ShardFolder(request.shards)
    if folder.parts < request.workers:
        raise ShardError(
            f"{request.shards} has {folder.parts} shards for {request.workers} workers: convert the data set with a smaller"
            " --shard-rows."
        )
    out = request.out.absolute()
    _same_question(out, request.question(folder))
    with connection(request.cluster), _told_lines() as lines:
        result = _fitted(replace(request, shards=request.shards.absolute(), out=out), lines)
        with result.checkpoint.as_directory() as kept:
            for name in (WEIGHTS, REPORT):
                shutil.copy(Path(kept, name), out / name)
    return json.loads((out / REPORT).read_bytes())


def _same_question(out: Path, question: Mapping[str, object]) -> None:
    """Note what is asked beside the checkpoints, or check that they are of the same training."""
    path, text = out / QUESTION, json.dumps(question, indent=1, default=str)
    try:
        out.mkdir(parents=True, exist_ok=True)
        theirs = json.loads(path.read_bytes()) if path.exists() else None
        if theirs is None:
            path.write_text(text, "utf-8")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be used ({error}): train into another folder.") from None
    mine = json.loads(text)
    if theirs is not None and theirs != mine:
        different = next(name for name in mine if not isinstance(theirs, dict) or theirs.get(name) != mine[name])
        raise CheckpointError(
            f"{out} holds another training, whose {different} is not this one's: train into another folder."
        )


@contextmanager
def _told_lines() -> Generator[Any]:
    """A queue whose lines are written to stderr as they come."""
    from ray import get_runtime_context  # noqa: PLC0415 - an extra
    from ray.util.queue import Queue  # noqa: PLC0415
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    here = NodeAffinitySchedulingStrategy(get_runtime_context().get_node_id(), soft=False)
    lines = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})

    def tell() -> None:
        while (line := lines.get()) is not None:
            print_line(line)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield lines
    finally:
        lines.put(None)
        teller.join(LAST_LINES_SECONDS)
        lines.shutdown()


def _fitted(request: TrainingRequest, lines: Any) -> Any:
    """Ray's result, with the last checkpoint."""
    from ray.train import CheckpointConfig, FailureConfig, RunConfig, ScalingConfig  # noqa: PLC0415 - an extra
    from ray.train.torch import TorchConfig, TorchTrainer  # noqa: PLC0415
    from ray.train.v2.api.exceptions import TrainingFailedError  # noqa: PLC0415

    trainer = TorchTrainer(
        run_worker,
        train_loop_config={"request": request, "lines": lines},
        scaling_config=ScalingConfig(num_workers=request.workers, use_gpu=request.gpus),
        # What steers the training travels between processors, gradients between GPUs.
        torch_config=TorchConfig(
            backend="cpu:gloo,cuda:nccl" if request.gpus else "gloo", timeout_s=LONGEST_WAIT_SECONDS
        ),
        run_config=RunConfig(
            name=request.out.name,
            storage_path=str(request.out.parent),
            failure_config=FailureConfig(max_failures=LOSSES_OF_MACHINES),
            checkpoint_config=CheckpointConfig(num_to_keep=1),
        ),
    )
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        return trainer.fit()
    except SystemExit:  # Ray's answer to Ctrl-C, once all its processes are stopped
        raise KeyboardInterrupt from None
    except TrainingFailedError as error:
        raise CheckpointError(f"The training into {request.out} failed: {_cause(error)}") from error
    finally:
        signal.signal(signal.SIGINT, interrupted)  # Ray leaves its own


def _cause(error: Exception) -> str:
    """The first process's reason in a sentence."""
    failures: Mapping[int, Exception] = getattr(error, "worker_failures", {})
    reason: BaseException = next(iter(failures.values()), error)
    while reason.__cause__ is not None or getattr(reason, "cause", None) is not None:
        reason = reason.__cause__ or getattr(reason, "cause", reason)
    return " ".join(str(reason).split())


def run_worker(given: Mapping[str, Any]) -> None:
    """The work of one of Ray Train's processes: a ``request``, and a queue for ``lines`` of progress."""
    _Worker(given["request"], TerminalProgress(given["lines"].put)).run()


class _Worker:
    """One of the processes of a training."""

    def __init__(self, request: TrainingRequest, teller: TerminalProgress) -> None:
        from ray.train.torch import get_device  # noqa: PLC0415 - an extra

        self._request = request
        self._teller = teller
        self._folder = ShardFolder(request.shards)
        device = get_device() if request.gpus else torch.device("cpu")
        self._machine = Machine(device, Precision(request.numbers))
        self._state: TrainingState | None = None
        self._steps: StepReport | None = None

    def run(self) -> None:
        """Train, and hand what came of it to Ray."""
        torch.set_num_threads(self._request.threads)
        folder, config, began = self._folder, self._request.config, time.monotonic()
        trained = train_on(
            RowsOnCluster(self._request, folder),
            FrozenValidator(*folder.validation(), config.length),
            _standardised(folder),
            config,
            self._request.seed,
            TrainingSetup(
                machine=self._machine,
                restore=self._restore,
                keep=self._keep,
                keep_seconds=self._request.checkpoint_every,
                on_epoch=self._teller.epoch,
                on_step=self._on_step,
                most_steps=self._request.steps,
            ),
        )
        figures = _figures(folder, trained, self._steps) | {
            "device": str(self._machine.device),
            "precision": self._machine.precision.value,
            "seconds": time.monotonic() - began,
        }
        arrays = {name: np.ascontiguousarray(array) for name, array in export_sequential(trained).items()}

        def write_result(kept: Path) -> None:
            save_file(arrays, kept / WEIGHTS)
            (kept / REPORT).write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", "utf-8")

        self._report(write_result)

    def _restore(self, state: TrainingState) -> None:
        from ray.train import get_checkpoint  # noqa: PLC0415 - an extra

        self._state = state
        checkpoint = get_checkpoint()
        if checkpoint is not None:
            with checkpoint.as_directory() as kept:
                load_state(state, Path(kept))
            if processes()[0] == 0:
                self._teller.restored(state.position)

    def _keep(self, state: TrainingState) -> None:
        if not state.position.finished:  # else it is kept with the result
            self._report(lambda _: None)

    def _report(self, write: Callable[[Path], object]) -> None:
        """Hand a checkpoint of the first process to Ray, at the same step in all of them."""
        from ray.train import Checkpoint, report  # noqa: PLC0415 - an extra

        with tempfile.TemporaryDirectory() as temporary:
            checkpoint = None
            if processes()[0] == 0:
                assert self._state is not None  # there is one before the first step
                save_state(self._state, Path(temporary))
                write(Path(temporary))
                checkpoint = Checkpoint.from_directory(temporary)
            report({}, checkpoint=checkpoint)

    def _on_step(self, report: StepReport) -> None:
        self._steps = report
        self._teller.step(report, self._folder.rows)


class RowsOnCluster:
    """A process's share of the shards, whose batches are drawn ahead by tasks of Ray Data."""

    def __init__(self, request: TrainingRequest, folder: ShardFolder) -> None:
        self._request = request
        self._folder = folder
        self.stations, self.counts = folder.stations, folder.counts

    def epoch(self, epoch: int, begin: Mark) -> Iterator[tuple[Mark, Batch]]:
        """The batches of every so many-th shard, in an order of the epoch's own."""
        from ray import data  # noqa: PLC0415 - an extra

        loaders = LOADERS if self._request.gpus else 1
        rank, size = processes()
        order = np.random.default_rng([self._request.seed, epoch]).permutation(self._folder.parts)[rank::size]
        parts = [
            ShardRequest(self._request.shards, shard, self._request.config, (self._request.seed, epoch, shard), place)
            for place, shard in enumerate(order.tolist())
        ][begin.part :]
        context = data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False

        def draw(group: Sequence[ShardRequest]) -> Any:
            items = data.from_items([{"request": part} for part in group], override_num_blocks=len(group))
            return items.flat_map(draw_part, compute=data.TaskPoolStrategy(loaders), num_cpus=0).materialize()

        groups = [parts[start : start + loaders] for start in range(0, len(parts), loaders)]
        for drawn in _one_ahead(draw, groups):
            for row in drawn.iter_rows():
                mark = Mark(row["part"], row["batches"])
                if mark.part > begin.part or mark.batches > begin.batches:
                    yield mark, row["batch"]


def _one_ahead(
    draw: Callable[[Sequence[ShardRequest]], Any], groups: Sequence[Sequence[ShardRequest]]
) -> Iterator[Any]:
    """The batches of each group of shards, the next group being drawn while one is learned from.

    Were all drawn in one stream, Ray's scheduler, which runs in this process, would spin once as much lies ready as its limit
    allows: a step then took four times as long.
    """
    with ThreadPoolExecutor(1) as ahead:
        drawing: deque[Future[Any]] = deque()
        for group in groups:
            drawing.append(ahead.submit(draw, group))
            if len(drawing) > 1:
                yield drawing.popleft().result()
        yield from (last.result() for last in drawing)


def _standardised(folder: ShardFolder) -> NDArray[np.float32]:
    content = folder.content()
    if content is None:
        return np.zeros((len(folder.counts.heard), 0), np.float32)
    return Standardisation.of(content).apply(content)


def _figures(folder: ShardFolder, trained: TrainedSequence, last: StepReport | None) -> dict[str, object]:
    """What is reported; the peak of memory is the largest of the processes'."""
    rank, size = processes()
    peaks = np.zeros(size)
    peaks[rank] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MB
    return {
        "source": folder.manifest.source,
        "notes": list(folder.manifest.notes),
        "rows": folder.rows,
        "tracks": len(folder.counts.heard),
        "shards": folder.parts,
        "workers": size,
        "best_epoch": trained.best_epoch,
        "epochs": [_course(each) for each in trained.reports],
        "steps": 0 if last is None else last.step,
        "steps_per_second": None if last is None else last.steps / last.seconds,
        "tokens_per_second": None if last is None else last.tokens / last.seconds,
        "peak_mb_per_process": float(total(peaks).max()),
    }


def _course(report: EpochReport) -> dict[str, object]:
    return {
        "epoch": report.epoch,
        "loss": report.loss,
        "pair_auc": report.validation_auc,
        "hard_share": report.hard_share,
        "seconds": report.seconds,
    }
