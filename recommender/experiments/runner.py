"""The course of a run that measures models: every one with every seed on every split, through one protocol.

Each measurement is saved as it is done, so an interrupted run goes on where it was; they can be made in processes of their own,
and the figures are those of one process, whatever order they come in.
"""

import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.cluster import TRIES, connected
from recommender.datasets.dataset import Dataset
from recommender.datasets.summary import statistics
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.splits import Part, Split
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import BOOTSTRAP_SEED, ModelMeasurement, from_bytes, to_bytes
from recommender.experiments.records import ExperimentError
from recommender.experiments.run_config import Content, ProtocolConfig, SplitName, is_seeded
from recommender.experiments.store import Workspace
from recommender.interfaces import Recommender

Given = TypeVar("Given")
Task = TypeVar("Task")
Made = TypeVar("Made")

PARENT_CHECK_SECONDS = 2.0
"""How often a child looks whether its parent still lives."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is."""

    stage: str
    done: int
    total: int
    within: float
    """Share of the measurement in progress, 0…1."""
    computed: int
    """Measurements done by this process, those found on disk not counted."""


Progress = Callable[[RunProgress], None]


@dataclass(frozen=True, slots=True)
class Study:
    """What every measurement of a run works on; sent to other processes, so its functions are those of a module.

    Attributes:
        dataset: what is measured on.
        config: the protocol.
        models: their names, in order.
        build: makes a model of that name with a seed.
        also: adds to a measurement what the experiment wants to know besides, from the fitted model and the split.
        content: vectors by which the distance within lists is measured, or None.
    """

    dataset: Dataset
    config: ProtocolConfig
    models: tuple[str, ...]
    build: Callable[[str, int], Recommender]
    also: Callable[[ModelMeasurement, Recommender, Split], ModelMeasurement]
    content: Content | None = None

    def splits(self, seed: int) -> list[Split]:
        """The splits of a seed, one or the folds of a walk forward."""
        return self.config.splits(self.dataset, seed)

    def distinct_splits(self) -> list[Split]:
        """Those of all seeds, each once: only a random split depends on the seed."""
        seeds = self.config.seeds if self.config.split is SplitName.RANDOM else self.config.seeds[:1]
        return [split for seed in seeds for split in self.splits(seed)]


@dataclass(frozen=True, slots=True)
class _Task:
    """One measurement that is to be made."""

    model: str
    seed: int
    fold: int

    @property
    def file(self) -> str:
        """Name of the part it is kept in."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", self.model)
        return f"{plain}-seed-{self.seed}-fold-{self.fold}.safetensors"


def measure_models(
    study: Study, workspace: Workspace, on_progress: Progress | None = None, jobs: int = 1
) -> Mapping[str, Sequence[ModelMeasurement]]:
    """All measurements by model, seed by seed; those that a former attempt has saved are read.

    Args:
        study: what is measured.
        workspace: where measurements are kept until the run ends.
        on_progress: told how far it is.
        jobs: measurements at once, each in a process of its own; they change the time, not the figures.

    Raises:
        ExperimentError: there is nothing to learn from or to measure on, or a process was ended from outside.
    """
    with threadpool_limits(1):  # sums over several threads differ in the last digit with their number
        try:
            return _Run(study, workspace, on_progress, jobs).parts()
        except ValueError as error:
            raise ExperimentError(f"The model cannot be trained on {study.dataset.name}: {error}.") from error


def dataset_facts(dataset: Dataset) -> JsonObject:
    """The data set in figures: its statistics, how the reading went, and what has to be said beside them."""
    return json_object(
        {
            "name": dataset.name,
            "kind": dataset.kind,
            "ordered": dataset.ordered,
            **json_object(statistics(dataset)),
            "content_dimension": 0 if dataset.content is None else dataset.content.shape[1],
            "reading": dataset.reading,
            "notes": dataset.notes,
        }
    )


@dataclass(slots=True)
class _Run:
    study: Study
    workspace: Workspace
    on_progress: Progress | None
    jobs: int
    computed: int = 0

    def parts(self) -> Mapping[str, Sequence[ModelMeasurement]]:
        plan = self._plan()
        tasks = [task for _, own in plan for task in own]
        found = {task: part for task in tasks if (part := self._saved(task)) is not None}
        here = self.jobs <= 1 and connected() is None
        make = self._here(plan, found) if here else self._elsewhere(tasks, found)
        for task, part in make:
            self.workspace.save(task.file, to_bytes(part))
            found[task] = part
            self.computed += 1
        return {model: [found[task] for task in tasks if task.model == model] for model in self.study.models}

    def _here(
        self, plan: Sequence[tuple[Split, Sequence[_Task]]], found: Mapping[_Task, ModelMeasurement]
    ) -> Iterator[tuple[_Task, ModelMeasurement]]:
        """Each split made once, and progress told within a measurement too."""
        total = sum(len(tasks) for _, tasks in plan)
        for split, tasks in plan:
            for task in tasks:
                if task not in found:
                    tell = partial(self._tell, self._stage(task), len(found), total)
                    tell(0.0)
                    yield task, _measured(self.study, task, split, lambda own, all_, tell=tell: tell(own / all_))

    def _elsewhere(
        self, tasks: Sequence[_Task], found: Mapping[_Task, ModelMeasurement]
    ) -> Iterator[tuple[_Task, ModelMeasurement]]:
        """In processes of their own, in whatever order they are done."""
        missing = [task for task in tasks if task not in found]
        self._tell("models", len(found), len(tasks), 0.0)
        for task, part in in_processes(_measure, self.study, missing, self.jobs):
            yield task, part
            self._tell("models", len(found), len(tasks), 0.0)

    def _plan(self) -> list[tuple[Split, list[_Task]]]:
        """The splits, each with what is to be measured on it: seed by seed, so that an interrupted run has whole curves."""
        plan: list[tuple[Split, list[_Task]]] = []
        config = self.study.config
        for place, seed in enumerate(config.seeds):
            again = place > 0 and config.split is not SplitName.RANDOM
            models = [model for model in self.study.models if not again or is_seeded(model)]
            for fold, split in enumerate(self.study.splits(seed) if models else []):
                if _measurable(split):
                    plan.append((split, [_Task(model, seed, fold) for model in models]))
        if not plan:
            raise ExperimentError(
                f"There is nothing to measure on in {self.study.dataset.name}: after the split {config.split} no row with "
                "a clear like or dislike is left to be predicted from earlier ones; choose another --split, or more data."
            )
        return plan

    def _saved(self, task: _Task) -> ModelMeasurement | None:
        content = self.workspace.load(task.file)
        part = None if content is None else from_bytes(content)
        return part if part is not None and part.model == task.model else None

    def _stage(self, task: _Task) -> str:
        return task.model if len(self.study.config.seeds) == 1 else f"{task.model}, seed {task.seed}"

    def _tell(self, stage: str, done: int, total: int, within: float) -> None:
        if self.on_progress is not None:
            self.on_progress(RunProgress(stage, done, total, within, self.computed))


def _measurable(split: Split) -> bool:
    """True with a judged test row, and anything before it."""
    return bool(np.any((split.part == Part.TEST) & split.log.judged)) and bool(split.is_past.any())


def _measure(study: Study, task: _Task) -> ModelMeasurement:
    """One measurement in a process of its own: one thread, so that sums come out the same every time."""
    with threadpool_limits(1):
        return _measured(study, task, study.splits(task.seed)[task.fold], None)


def _measured(
    study: Study, task: _Task, split: Split, on_progress: Callable[[int, int], None] | None
) -> ModelMeasurement:
    config = study.config
    recommender = study.build(task.model, task.seed)
    evaluation = evaluate(
        [recommender],
        split,
        state=config.state,
        content=study.content,
        candidates=config.candidates,
        seed=BOOTSTRAP_SEED,
        most_listeners=config.most_listeners,
        on_progress=on_progress,
    )
    return study.also(ModelMeasurement(task.model, task.seed, evaluation), recommender, split)


def in_processes(
    work: Callable[[Given, Task], Made], given: Given, tasks: Sequence[Task], jobs: int
) -> Iterator[tuple[Task, Made]]:
    """Do every task, and yield each as it is done; on a Ray cluster where this process is connected to one.

    Args:
        work: does one task with what all of them are given; a function of a module, for it is sent by its name.
        given: sent to each process once.
        tasks: what there is to do.
        jobs: processes of this machine at once; with one task or one job everything is done here.

    Raises:
        ExperimentError: a process was ended from outside, or a machine was lost too often.
    """
    ray = connected()
    if ray is not None:
        yield from _on_cluster(ray, work, given, tasks)
        return
    if min(jobs, len(tasks)) <= 1:
        for task in tasks:
            yield task, work(given, task)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in the middle of their work
    pool = ProcessPoolExecutor(jobs, context, _begin, (work, given, os.getpid()))
    try:
        running: dict[Future[Made], Task] = {pool.submit(_do, task): task for task in tasks}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise ExperimentError(
            "A training was ended from outside, perhaps for want of memory: the same command goes on with the others; "
            "use --jobs 1 to need less."
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()  # else an interrupted run would wait for trainings that nobody is waiting for


def _on_cluster(
    ray: Any, work: Callable[[Given, Task], Made], given: Given, tasks: Sequence[Task]
) -> Iterator[tuple[Task, Made]]:
    """A core of the cluster for each task; one whose machine is lost is begun again elsewhere."""
    shared, remote = ray.put(given), ray.remote(num_cpus=1, max_retries=TRIES)(work)
    running: dict[Any, Task] = {remote.remote(shared, task): task for task in tasks}
    try:
        while running:
            done, _ = ray.wait(list(running))
            yield running.pop(done[0]), ray.get(done[0])
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
        raise ExperimentError(
            f"A measurement was lost {TRIES + 1} times with its process ({type(error).__name__}): the same command goes on with"
            " the others."
        ) from error
    finally:
        for each in running:
            ray.cancel(each, force=True)


_here: list[tuple[Callable[[Any, Any], Any], Any]] = []
"""In a child: the work, and what it is given."""


def _begin(work: Callable[[Any, Any], Any], given: object, parent: int) -> None:
    """Start of a child: it ends at once on Ctrl-C, which its parent answers, and when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _here[:] = [(work, given)]


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _do(task: object) -> Any:
    work, given = _here[0]
    return work(given, task)
