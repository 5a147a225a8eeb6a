"""Models on any data set: every one of a roster with every seed through one protocol, and what can be concluded.

A run goes model by model and seed by seed; each is saved as it is done, so an interrupted run goes on where it was.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.datasets.dataset import Dataset
from recommender.datasets.summary import statistics
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import Part, Split
from recommender.experiments.config import ExperimentConfig, SplitName, splits
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import ModelMeasurement, averaged, from_bytes, to_bytes
from recommender.experiments.model_sets import PLAIN, UNSEEDED, Roster
from recommender.experiments.pictures import baseline_drawings
from recommender.experiments.pooled_auc import pooled_auc
from recommender.experiments.processes import in_processes
from recommender.experiments.provenance import fingerprint_of_dataset
from recommender.experiments.records import ExperimentError, Record
from recommender.experiments.results import results_of
from recommender.experiments.store import Finding, RunStore, Workspace, conduct

BOOTSTRAP_SEED = 0
"""The same draws for every model, seed and run, so that all of them can be compared in pairs."""
RAW_FEATURES = frozenset({"mssd"})
"""Kinds whose content vectors are columns in units of their own, which have to be standardised."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is."""

    stage: str
    done: int
    total: int
    within: float
    """Share of the measurement in progress, 0…1."""
    computed: int
    """Measurements done by this process, those found on disk not counted."""


Progress = Callable[[Step], None]


def run_baselines(
    store: RunStore,
    dataset: Dataset,
    question: ExperimentConfig,
    *,
    roster: Roster = PLAIN,
    jobs: int = 1,
    on_progress: Progress | None = None,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Measure the models, test their differences, and keep the record.

    Args:
        store: where records are kept.
        dataset: as the question names it, with content vectors where there are any.
        question: what is asked.
        roster: where its models come from.
        jobs: measurements at once, each in a process of its own; they change the time, not the figures.
        on_progress: told how far it is.
        resume: whether an interrupted run of the same question is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: there is nothing to measure on, or the record cannot be stored.
    """

    def study(workspace: Workspace) -> Finding:
        return measure_baselines(dataset, question, workspace, on_progress, roster, jobs)

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, roster.kind, question.to_json(), fingerprint, study, resume=resume, repeats=repeats)


def measure_baselines(
    dataset: Dataset,
    question: ExperimentConfig,
    workspace: Workspace,
    on_progress: Progress | None = None,
    roster: Roster = PLAIN,
    jobs: int = 1,
) -> Finding:
    """The figures of a run; see :func:`run_baselines`. One thread, so that sums come out the same every time."""
    with threadpool_limits(1):
        parts = _Run(_Given(dataset, question, roster), workspace, on_progress, jobs).parts()
    together = {model: averaged(parts[model], BOOTSTRAP_SEED) for model in question.models}
    results = results_of(question, parts, together, roster.reference)
    return Finding(json_object(results), dataset_facts(dataset), baseline_drawings(results.results))


def dataset_facts(dataset: Dataset) -> JsonObject:
    """The data set in figures: its statistics, how the reading went, and what has to be said beside them."""
    reading = dataset.reading
    return json_object(
        {
            "name": dataset.name,
            "kind": dataset.kind,
            "ordered": dataset.ordered,
            **json_object(statistics(dataset)),
            "content_dimension": 0 if dataset.content is None else dataset.content.shape[1],
            "reading": reading,
            "notes": dataset.notes,
        }
    )


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


@dataclass(frozen=True, slots=True)
class _Given:
    """What every measurement works on."""

    dataset: Dataset
    question: ExperimentConfig
    roster: Roster

    def splits(self, seed: int) -> list[Split]:
        """The splits of a seed, one or the folds of a walk forward."""
        return splits(self.dataset.log, self.question.split, seed, ordered=self.dataset.ordered)


@dataclass(slots=True)
class _Run:
    given: _Given
    workspace: Workspace
    on_progress: Progress | None
    jobs: int
    computed: int = 0

    def parts(self) -> Mapping[str, Sequence[ModelMeasurement]]:
        """All measurements by model; those that a former attempt has saved are read."""
        plan = self._plan()
        tasks = [task for _, own in plan for task in own]
        found = {task: part for task in tasks if (part := self._saved(task)) is not None}
        make = self._here(plan, found) if self.jobs <= 1 else self._elsewhere(tasks, found)
        for task, part in make:
            self.workspace.save(task.file, to_bytes(part))
            found[task] = part
            self.computed += 1
        models = self.given.question.models
        return {model: [found[task] for task in tasks if task.model == model] for model in models}

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
                    yield task, _measured(self.given, task, split, lambda own, all_, tell=tell: tell(own / all_))

    def _elsewhere(
        self, tasks: Sequence[_Task], found: Mapping[_Task, ModelMeasurement]
    ) -> Iterator[tuple[_Task, ModelMeasurement]]:
        """In processes of their own, in whatever order they are done."""
        missing = [task for task in tasks if task not in found]
        self._tell("models", len(found), len(tasks), 0.0)
        for task, part in in_processes(_measure, self.given, missing, self.jobs):
            yield task, part
            self._tell("models", len(found), len(tasks), 0.0)

    def _plan(self) -> list[tuple[Split, list[_Task]]]:
        """The splits, each with what is to be measured on it."""
        plan: list[tuple[Split, list[_Task]]] = []
        question = self.given.question
        for place, seed in enumerate(question.seeds):
            again = place > 0 and question.split is not SplitName.RANDOM
            models = [model for model in question.models if not (again and model in UNSEEDED)]
            for fold, split in enumerate(self.given.splits(seed) if models else []):
                if not _measurable(split):
                    continue
                plan.append((split, [_Task(model, seed, fold) for model in models]))
        if not plan:
            raise ExperimentError(
                f"There is nothing to measure on in {self.given.dataset.name}: after the split {question.split} no row with "
                "a clear like or dislike is left to be predicted from earlier ones; choose another --split, or more data."
            )
        return plan

    def _saved(self, task: _Task) -> ModelMeasurement | None:
        content = self.workspace.load(task.file)
        part = None if content is None else from_bytes(content)
        return part if part is not None and part.model == task.model else None

    def _stage(self, task: _Task) -> str:
        return task.model if len(self.given.question.seeds) == 1 else f"{task.model}, seed {task.seed}"

    def _tell(self, stage: str, done: int, total: int, within: float) -> None:
        if self.on_progress is not None:
            self.on_progress(Step(stage, done, total, within, self.computed))


def _measure(given: _Given, task: _Task) -> ModelMeasurement:
    """One measurement in a process of its own: one thread, so that sums come out the same every time."""
    with threadpool_limits(1):
        return _measured(given, task, given.splits(task.seed)[task.fold], None)


def _measured(
    given: _Given, task: _Task, split: Split, on_progress: Callable[[int, int], None] | None
) -> ModelMeasurement:
    question, content = given.question, _content(given.dataset)
    recommender = given.roster.build(task.model, content, task.seed, question.settings)
    evaluation = evaluate(
        [recommender],
        split,
        state=question.state,
        content=content,
        candidates=question.candidates,
        seed=BOOTSTRAP_SEED,
        most_listeners=question.most_listeners,
        on_progress=on_progress,
    )
    pooled = None
    if question.state is State.FROZEN:
        listeners = len(given.dataset.listeners)
        pooled = pooled_auc(recommender, split, listeners, question.most_listeners, BOOTSTRAP_SEED)
    return ModelMeasurement(task.model, task.seed, evaluation, pooled)


def _measurable(split: Split) -> bool:
    """Whether there is a judged test row, and anything before it."""
    return bool(np.any((split.part == Part.TEST) & split.log.judged)) and bool(split.is_past.any())


def _content(dataset: Dataset) -> NDArray[np.float32] | None:
    content = dataset.content
    if content is None or dataset.kind not in RAW_FEATURES:
        return content
    known = content[np.isfinite(content).all(axis=1)]
    if not len(known):
        return None
    scale = known.std(axis=0)
    return ((content - known.mean(axis=0)) / np.where(scale > 0, scale, 1.0)).astype(np.float32)
