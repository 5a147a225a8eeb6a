"""What the harness and a contender hand each other: rows in, a task in, scores and the course of the training out.

A contender runs in a process of its own, the peers' with the interpreter of another environment, so this module imports
nothing but numpy and the standard library. Everything lies in one folder:

- ``train.npz``, ``validation.npz``: the rows (listener, track, label, order), the same for all;
- ``task.json``: what is to be done;
- ``scores.npy`` and ``course.json``: the answer.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PATIENCE = 10
"""Epochs without a better validation figure before a peer stops: RecBole's own, and that of our faithful model."""
VALIDATION, TEST = "validation", "test"
UNKNOWN = np.nan
"""Score of a track that a contender has no opinion on; the harness ranks it last."""


@dataclass(frozen=True)
class Rows:
    """Feedback in the order of the log.

    Attributes:
        listener, track: (N,) int64 from 0.
        label: (N,) int8, +1 liked, -1 disliked, 0 neither.
        order: (N,) int64, rising place in the whole log; takes the place of the time, so that ties are broken alike.
    """

    listener: NDArray[np.int64]
    track: NDArray[np.int64]
    label: NDArray[np.int8]
    order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.track)

    def where(self, mask: NDArray[np.bool_]) -> "Rows":
        """The rows where ``mask`` (N,) is true."""
        return Rows(self.listener[mask], self.track[mask], self.label[mask], self.order[mask])

    @property
    def likes(self) -> "Rows":
        """The rows that are liked."""
        return self.where(self.label > 0)

    def save(self, path: Path) -> None:
        """Write them as ``.npz``."""
        np.savez(path, listener=self.listener, track=self.track, label=self.label, order=self.order)

    @staticmethod
    def load(path: Path) -> "Rows":
        """Read what :meth:`save` wrote."""
        with np.load(path) as columns:
            return Rows(columns["listener"], columns["track"], columns["label"], columns["order"])


def together(first: Rows, second: Rows) -> Rows:
    """All rows of both, in the order of the log."""
    order = np.concatenate([first.order, second.order])
    place = np.argsort(order)
    return Rows(
        np.concatenate([first.listener, second.listener])[place],
        np.concatenate([first.track, second.track])[place],
        np.concatenate([first.label, second.label])[place],
        order[place],
    )


@dataclass(frozen=True)
class Task:
    """What a contender is to do.

    Attributes:
        dataset: the file the rows come from, for who reads it with a reader of its own.
        listeners, tracks: how many there are; scores are (listeners, tracks).
        part: ``validation``: learn from the training rows, stop by the validation rows, score with the training rows as
            history. ``test``: learn from both, for ``epochs`` epochs if that is given, and score with both as history.
        configuration: of the contender's own keys.
        epochs: as many as were best in the validation; None where the contender knows no epochs to choose, or stops by itself.
        seed: of everything random.
        seconds: of processor time; a training that takes longer ends with the epoch under way.
        threads: that may be used.
    """

    dataset: str
    listeners: int
    tracks: int
    part: str
    configuration: dict[str, object]
    epochs: int | None
    seed: int
    seconds: float
    threads: int

    def save(self, folder: Path) -> None:
        """Write it into the folder of the exchange."""
        (folder / "task.json").write_text(json.dumps(asdict(self)))

    @staticmethod
    def load(folder: Path) -> "Task":
        """Read what :meth:`save` wrote."""
        return Task(**json.loads((folder / "task.json").read_text()))


@dataclass(frozen=True)
class Course:
    """How a training went.

    Attributes:
        epochs: processor seconds (all threads together) of each epoch's training, without its validation where ``validated_apart``.
        clock: the same by the clock on the wall.
        best_epoch: whose weights were kept, from 1.
        targets: predictions that an epoch trains.
        out_of_time: whether the limit ended it.
        validated_apart: whether the time of validation is not in ``epochs``.
    """

    epochs: list[float] = field(default_factory=list[float])
    clock: list[float] = field(default_factory=list[float])
    best_epoch: int = 0
    targets: int = 0
    out_of_time: bool = False
    validated_apart: bool = True


@dataclass(frozen=True)
class Exchange:
    """A task and its rows, as a contender finds them."""

    folder: Path
    task: Task
    train: Rows
    validation: Rows

    @property
    def learned(self) -> Rows:
        """What may be learned from, which is the history that scores are asked for as well."""
        return together(self.train, self.validation) if self.task.part == TEST else self.train

    def first_validation_likes(self) -> Rows:
        """Each listener's first liked validation row: what both peers stop by, who leave one out."""
        likes = self.validation.likes
        return likes.where(np.isin(np.arange(len(likes)), np.unique(likes.listener, return_index=True)[1]))

    def answer(self, scores: NDArray[np.floating], course: Course) -> None:
        """Leave the (listeners, tracks) scores and the course for the harness."""
        expected = (self.task.listeners, self.task.tracks)
        if scores.shape != expected:
            raise ValueError(f"scores are {scores.shape}, the task asks for {expected}")
        np.save(self.folder / "scores.npy", scores.astype(np.float32))
        (self.folder / "course.json").write_text(json.dumps(asdict(course)))


def exchange_of(folder: Path) -> Exchange:
    """Read a folder that the harness prepared."""
    rows = (Rows.load(folder / f"{part}.npz") for part in ("train", "validation"))
    return Exchange(folder, Task.load(folder), *rows)


def asked() -> Exchange:
    """The exchange in the folder named on the command line."""
    return exchange_of(Path(sys.argv[1]))


class Stopwatch:
    """Times the epochs' training by the processor and by the clock, and knows when the limit is over.

    The limit is of processor time, so that it is the same for all whatever else the machine does.
    """

    def __init__(self, limit: float) -> None:
        self._begun = time.process_time()
        self._limit = limit
        self._epoch_begun = (0.0, 0.0)
        self.epochs: list[float] = []
        self.clock: list[float] = []

    def begin_epoch(self) -> None:
        """An epoch's training begins."""
        self._epoch_begun = (time.process_time(), time.perf_counter())

    def end_epoch(self) -> None:
        """It ends; validation comes after."""
        self.epochs.append(time.process_time() - self._epoch_begun[0])
        self.clock.append(time.perf_counter() - self._epoch_begun[1])

    @property
    def over(self) -> bool:
        """Whether the limit is reached."""
        return time.process_time() - self._begun >= self._limit
