"""A training as the command line asks for it: rows, machine, processes, checkpoints, and what is written at the end."""

import json
import os
import resource
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays

from recommender.configuration import SequentialConfig
from recommender.datasets.dataset import DatasetError, parse_columns
from recommender.datasets.opening import open_dataset
from recommender.evaluation.splits import split_listener_last
from recommender.events import EventLog
from recommender.models.numpy_inference import Standardisation
from recommender.sequence.validation import FrozenValidator
from recommender.training.checkpoints import CheckpointError, Checkpoints
from recommender.training.conversion import HELD_OUT_SHARE, UNORDERED
from recommender.training.devices import machine_of
from recommender.training.distributed import Ranks, local_rank, ranks_of_environment
from recommender.training.progress import Teller
from recommender.training.row_sources import RowsInMemory, TrainingRows
from recommender.training.sequential import export_sequential
from recommender.training.sequential_recommender import BEST_BY_GRADIENT, FAITHFUL
from recommender.training.shards import MANIFEST, ShardError, ShardFolder
from recommender.training.trainer import Setting, train_on
from recommender.training.training_state import StepReport, TrainedSequence

MODES: Mapping[str, SequentialConfig] = {"faithful": FAITHFUL, "best": BEST_BY_GRADIENT}
CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "weights.safetensors"
REPORT = "training.json"
KIB_PER_MB = 1024.0
"""Linux gives the peak of memory in KiB."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks for; see ``python -m recommender.training train --help``."""

    data: str
    out: Path
    mode: str
    columns: str = ""
    device: str = "auto"
    precision: str = "auto"
    epochs: int | None = None
    batch: int | None = None
    steps: int | None = None
    seed: int = 0
    threads: int = 1
    checkpoint_every: float = 600.0

    @property
    def configuration(self) -> SequentialConfig:
        """The mode's, with what was asked for otherwise."""
        config = MODES[self.mode]
        return replace(config, epochs=self.epochs or config.epochs, batch=self.batch or config.batch)


@dataclass(frozen=True, slots=True)
class Material:
    """What is trained on.

    Attributes:
        rows: learned from.
        history, held_out: what validation sees, and what it asks.
        content: (tracks, dim) raw vectors, NaN rows where unknown; None where there are none.
        source: the data set's name.
        notes: what has to be said beside figures.
    """

    rows: TrainingRows
    history: EventLog
    held_out: EventLog
    content: NDArray[np.float32] | None
    source: str
    notes: tuple[str, ...]


def train(question: Question) -> Mapping[str, object] | None:
    """Train, write weights and figures into the folder, and return the figures; None in all processes but the first.

    Raises:
        DatasetError, ShardError: the data cannot be read.
        CheckpointError: the folder holds another training's checkpoint or a damaged one, or cannot be written.
        DeviceError: there is no such device.
    """
    torch.set_num_threads(question.threads)
    machine = machine_of(question.device, question.precision, local_rank())
    if machine.device.type == "cuda":
        torch.cuda.set_device(machine.device)  # nccl talks from the current one
    with ranks_of_environment(machine.device.type) as ranks:
        material = _material(question, ranks.size)
        if material.rows.parts < ranks.size:
            raise ShardError(
                f"{question.data} has {material.rows.parts} shards for {ranks.size} processes: convert it with a smaller"
                " --shard-rows."
            )
        config, teller, steps = question.configuration, Teller(), list[StepReport]()
        checkpoints = Checkpoints(
            question.out / CHECKPOINT,
            {
                "data": material.rows.fingerprint,
                "configuration": json.dumps(asdict(config)),
                "seed": str(question.seed),
                "processes": str(ranks.size),
                "precision": machine.precision.value,
                "steps": str(question.steps),
            },
            every=question.checkpoint_every,
            on_restore=teller.restored if ranks.rank == 0 else lambda _: None,
        )

        def on_step(report: StepReport) -> None:
            steps[:] = [report]
            teller.step(report)

        began = time.perf_counter()
        trained = train_on(
            material.rows,
            FrozenValidator(material.history, material.held_out, config.length),
            _standardised(material),
            config,
            question.seed,
            Setting(
                machine=machine,
                ranks=ranks,
                keeper=checkpoints,
                on_epoch=teller.epoch,
                on_step=on_step,
                most_steps=question.steps,
            ),
        )
        figures = _figures(material, trained, steps, ranks) | {
            "mode": question.mode,
            "device": str(machine.device),
            "precision": machine.precision.value,
            "seconds": time.perf_counter() - began,
        }
        if ranks.rank != 0:
            return None
        _write(question.out / WEIGHTS, save_arrays(_contiguous(trained)))
        _write(question.out / REPORT, (json.dumps(figures, indent=2, allow_nan=False) + "\n").encode())
        return figures


def _material(question: Question, processes: int) -> Material:
    """Shards where the data is a folder of them, else the data set in memory, dealt to the processes."""
    folder = Path(question.data)
    if folder.is_dir() or (folder / MANIFEST).exists():
        shards = ShardFolder(folder, prepared=alike)
        history, held_out = shards.validation()
        return Material(shards, history, held_out, shards.content(), shards.manifest.source, shards.manifest.notes)
    dataset = open_dataset(question.data, columns=parse_columns(question.columns))
    split = split_listener_last(alike(dataset.log), test=HELD_OUT_SHARE, validation=0.0)
    rows = RowsInMemory(split.train, processes)
    if not split.train.positives:
        raise DatasetError(f"{question.data} holds no positive to learn from: name another data set.")
    notes = dataset.notes if dataset.ordered else (*dataset.notes, UNORDERED)
    return Material(rows, split.train, split.test, dataset.content, dataset.name, notes)


def alike(log: EventLog) -> EventLog:
    """The log with all feedback meant alike: how strongly is no part of Mei et al. 2024."""
    return replace(log, weight=np.ones(len(log), np.float32))


def _standardised(material: Material) -> NDArray[np.float32]:
    if material.content is None:
        return np.zeros((len(material.rows.counts.heard), 0), np.float32)
    return Standardisation.of(material.content).apply(material.content)


def _figures(material: Material, trained: TrainedSequence, steps: list[StepReport], ranks: Ranks) -> dict[str, object]:
    """What is reported; the peak of memory is the largest of the processes'."""
    peaks = np.zeros(ranks.size)
    peaks[ranks.rank] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MB
    peak = float(ranks.total(peaks).max())
    last = steps[0] if steps else None
    return {
        "source": material.source,
        "notes": list(material.notes),
        "rows": material.rows.rows,
        "tracks": len(material.rows.counts.heard),
        "shards": material.rows.parts,
        "processes": ranks.size,
        "best_epoch": trained.best_epoch,
        "epochs": [
            {
                "epoch": report.epoch,
                "loss": report.loss,
                "pair_auc": report.validation_auc,
                "hard_share": report.hard_share,
                "seconds": report.seconds,
            }
            for report in trained.reports
        ],
        "steps": 0 if last is None else last.step,
        "steps_per_second": None if last is None else last.steps / last.seconds,
        "tokens_per_second": None if last is None else last.tokens / last.seconds,
        "peak_mb_per_process": peak,
    }


def _contiguous(trained: TrainedSequence) -> dict[str, NDArray[np.float32]]:
    return {name: np.ascontiguousarray(array) for name, array in export_sequential(trained).items()}


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    finally:
        temporary.unlink(missing_ok=True)
