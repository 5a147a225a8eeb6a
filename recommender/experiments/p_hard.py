"""Mei et al. 2024, Fig. 1 and 2, on any data set: the sequential model over the share of real negatives it is trained with.

Every (value, seed) is a training of its own, with the same schedule and patience; it is saved as it is done, so an
interrupted run goes on where it was. Like-rate and popularity stand beside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.datasets.dataset import Dataset
from recommender.evaluation.splits import Part, Split
from recommender.experiments.baselines import dataset_facts
from recommender.experiments.config import SplitName, splits
from recommender.experiments.json_values import json_object
from recommender.experiments.measurements import averaged
from recommender.experiments.p_hard_config import PHardConfig
from recommender.experiments.p_hard_figures import p_hard_drawings
from recommender.experiments.p_hard_report import PHardResults, results_of
from recommender.experiments.p_hard_run import (
    BOOTSTRAP_SEED,
    Task,
    TrainedPart,
    measure_part,
    part_from_bytes,
    part_to_bytes,
)
from recommender.experiments.processes import in_processes
from recommender.experiments.provenance import fingerprint_of_dataset
from recommender.experiments.records import ExperimentError, Record
from recommender.experiments.store import Finding, RunStore, Workspace, conduct
from recommender.training.sequential_recommender import name_of

KIND = "p-hard"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: trainings done, of how many, and how many this process has made itself."""

    done: int
    total: int
    computed: int


Progress = Callable[[Step], None]


def run_p_hard(
    store: RunStore,
    dataset: Dataset,
    question: PHardConfig,
    *,
    jobs: int = 1,
    on_progress: Progress | None = None,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Train and measure every value with every seed, and keep the record.

    Args:
        store: where records are kept.
        dataset: as the question names it.
        question: what is asked.
        jobs: trainings at once, each in a process of its own; they change the time, not the figures.
        on_progress: told how far it is.
        resume: whether an interrupted run of the same question is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: there is nothing to train or to measure on, or the record cannot be stored.
    """

    def study(workspace: Workspace) -> Finding:
        run = _Run(dataset, question, workspace, on_progress or (lambda _: None))
        results = run.results(jobs)
        return Finding(json_object(results), dataset_facts(dataset), p_hard_drawings(results))

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, KIND, question.to_json(), fingerprint, study, resume=resume, repeats=repeats)


class _Run:
    """One run: its plan, its parts, and what they come to."""

    def __init__(self, dataset: Dataset, question: PHardConfig, workspace: Workspace, tell: Progress) -> None:
        self._dataset = dataset
        self._question = question
        self._workspace = workspace
        self._tell = tell
        self._splits: dict[int, list[Split]] = {}

    def results(self, jobs: int) -> PHardResults:
        """Make what is missing, then average and compare."""
        tasks = self._plan()
        parts = self._parts(tasks, jobs)
        by_model: dict[str, list[TrainedPart]] = {}
        for task in tasks:
            by_model.setdefault(task.model, []).append(parts[task])
        question = self._question
        return results_of(
            question,
            {p_hard: by_model[name_of(p_hard)] for p_hard in question.p_hard},
            {model: by_model[model] for model in question.beside},
            {
                model: averaged([part.measurement for part in found], BOOTSTRAP_SEED)
                for model, found in by_model.items()
            },
            [split for found in self._splits.values() for split in found],
        )

    def _plan(self) -> list[Task]:
        """Seed by seed, so that an interrupted run has whole curves."""
        question, tasks = self._question, list[Task]()
        for seed in question.seeds:
            if question.split is SplitName.RANDOM or not self._splits:
                found = splits(self._dataset.log, question.split, seed, ordered=self._dataset.ordered)
                self._splits[seed] = found
            folds = [fold for fold, split in enumerate(next(reversed(self._splits.values()))) if _measurable(split)]
            for fold in folds:
                tasks += [Task(name_of(p_hard), p_hard, seed, fold) for p_hard in question.p_hard]
                if seed in self._splits:  # models without a random number: once a split
                    tasks += [Task(model, None, seed, fold) for model in question.beside]
        if not tasks:
            raise ExperimentError(
                f"There is nothing to measure on in {self._dataset.name}: after the split {question.split} no row with a "
                "clear like or dislike is left to be predicted from earlier ones; choose another --split, or more data."
            )
        return tasks

    def _parts(self, tasks: Sequence[Task], jobs: int) -> Mapping[Task, TrainedPart]:
        parts = {task: part for task in tasks if (part := self._saved(task)) is not None}
        missing = [task for task in tasks if task not in parts]
        found = len(parts)
        self._tell(Step(found, len(tasks), 0))
        try:
            for task, part in in_processes(_measure, _Given(self._dataset, self._question), missing, jobs):
                measurement, beside = part_to_bytes(part)
                self._workspace.save(f"{task.file}.safetensors", measurement)
                self._workspace.save(f"{task.file}.json", beside)
                parts[task] = part
                self._tell(Step(len(parts), len(tasks), len(parts) - found))
        except ValueError as error:
            raise ExperimentError(f"The model cannot be trained on {self._dataset.name}: {error}.") from error
        return parts

    def _saved(self, task: Task) -> TrainedPart | None:
        load = self._workspace.load
        part = part_from_bytes(load(f"{task.file}.safetensors"), load(f"{task.file}.json"))
        return part if part is not None and part.measurement.model == task.model else None


@dataclass(frozen=True, slots=True)
class _Given:
    """What every training works on."""

    dataset: Dataset
    question: PHardConfig


def _measure(given: _Given, task: Task) -> TrainedPart:
    return measure_part(given.dataset, given.question, task)


def _measurable(split: Split) -> bool:
    """Whether there is a judged test row, and anything before it."""
    return bool(np.any((split.part == Part.TEST) & split.log.judged)) and bool(split.is_past.any())
