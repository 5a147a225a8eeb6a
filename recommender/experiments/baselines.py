"""The baselines on any data set: every model with every seed through one protocol, and what can be concluded.

A run goes model by model and seed by seed; each is saved as it is done, so an interrupted run goes on where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.baselines import build
from recommender.datasets.dataset import Dataset
from recommender.datasets.summary import statistics
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.splits import Part, Split
from recommender.evaluation.states import State
from recommender.experiments.measurements import Measurement, averaged, from_bytes, to_bytes
from recommender.experiments.pictures import baseline_drawings
from recommender.experiments.pooled import pooled_auc
from recommender.experiments.provenance import fingerprint_of_dataset
from recommender.experiments.question import UNSEEDED, Question, SplitName, splits
from recommender.experiments.records import ExperimentError, Record
from recommender.experiments.results import results_of
from recommender.experiments.store import Finding, RunStore, Workspace, conduct
from recommender.experiments.values import JsonObject, json_object

KIND = "baselines"
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
    question: Question,
    *,
    on_progress: Progress | None = None,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Measure the models, test their differences, and keep the record.

    Args:
        store: where records are kept.
        dataset: as the question names it, with content vectors where there are any.
        question: what is asked.
        on_progress: told how far it is.
        resume: whether an interrupted run of the same question is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: there is nothing to measure on, or the record cannot be stored.
    """

    def study(workspace: Workspace) -> Finding:
        return measure_baselines(dataset, question, workspace, on_progress)

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, KIND, question.to_json(), fingerprint, study, resume=resume, repeats=repeats)


def measure_baselines(
    dataset: Dataset, question: Question, workspace: Workspace, on_progress: Progress | None = None
) -> Finding:
    """The figures of a run; see :func:`run_baselines`. One thread, so that sums come out the same every time."""
    with threadpool_limits(1):
        parts = _Run(dataset, question, workspace, on_progress).parts()
    together = {model: averaged(parts[model], BOOTSTRAP_SEED) for model in question.models}
    results = results_of(question, parts, together)
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
        return f"{self.model}-seed-{self.seed}-fold-{self.fold}.safetensors"


@dataclass(slots=True)
class _Run:
    dataset: Dataset
    question: Question
    workspace: Workspace
    on_progress: Progress | None
    computed: int = 0

    def parts(self) -> Mapping[str, Sequence[Measurement]]:
        """All measurements by model; those that a former attempt has saved are read."""
        found: dict[str, list[Measurement]] = {model: [] for model in self.question.models}
        content = _content(self.dataset)
        plan = self._plan()
        total, done = sum(len(tasks) for _, tasks in plan), 0
        for split, tasks in plan:
            for task in tasks:
                part = self._saved(task)
                if part is None:
                    part = self._measure(task, split, content, done, total)
                    self.workspace.save(task.file, to_bytes(part))
                    self.computed += 1
                found[task.model].append(part)
                done += 1
        return found

    def _plan(self) -> list[tuple[Split, list[_Task]]]:
        """The splits, each with what is to be measured on it."""
        plan: list[tuple[Split, list[_Task]]] = []
        question = self.question
        for place, seed in enumerate(question.seeds):
            again = place > 0 and question.split is not SplitName.RANDOM
            models = [model for model in question.models if not (again and model in UNSEEDED)]
            folds = splits(self.dataset.log, question.split, seed, ordered=self.dataset.ordered) if models else []
            for fold, split in enumerate(folds):
                if not _measurable(split):
                    continue
                plan.append((split, [_Task(model, seed, fold) for model in models]))
        if not plan:
            raise ExperimentError(
                f"There is nothing to measure on in {self.dataset.name}: after the split {question.split} no row with a "
                "clear like or dislike is left to be predicted from earlier ones; choose another --split, or more data."
            )
        return plan

    def _saved(self, task: _Task) -> Measurement | None:
        content = self.workspace.load(task.file)
        part = None if content is None else from_bytes(content)
        return part if part is not None and part.model == task.model else None

    def _measure(
        self, task: _Task, split: Split, content: NDArray[np.float32] | None, done: int, total: int
    ) -> Measurement:
        question = self.question
        stage = task.model if len(question.seeds) == 1 else f"{task.model}, seed {task.seed}"
        self._tell(stage, done, total, 0.0)
        recommender = build(task.model, content=content, seed=task.seed)
        evaluation = evaluate(
            [recommender],
            split,
            state=question.state,
            content=content,
            candidates=question.candidates,
            seed=BOOTSTRAP_SEED,
            most_listeners=question.most_listeners,
            on_progress=lambda listeners, everyone: self._tell(stage, done, total, listeners / everyone),
        )
        pooled = None
        if question.state is State.FROZEN:
            pooled = pooled_auc(
                recommender, split, len(self.dataset.listeners), question.most_listeners, BOOTSTRAP_SEED
            )
        return Measurement(task.model, task.seed, evaluation, pooled)

    def _tell(self, stage: str, done: int, total: int, within: float) -> None:
        if self.on_progress is not None:
            self.on_progress(Step(stage, done, total, within, self.computed))


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
