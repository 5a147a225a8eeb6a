"""Experiments on named data sets: measured and kept, and repeated from the record alone.

What imports torch is imported when it is run.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.research.datasets import Desk, Source, read, reopened
from recommender.datasets.dataset import Dataset
from recommender.experiments.habits_comparison import KIND as HABITS
from recommender.experiments.habits_comparison import HabitsConfig, compare_habits
from recommender.experiments.records import ExperimentError, Record, configuration_as
from recommender.experiments.store import RunStore

if TYPE_CHECKING:
    from player.research.datasets import AnyQuestion
    from recommender.experiments.run_config import Roster


def measure(
    desk: Desk, kind: str, wanted: Source, ask: Callable[[Dataset, Source], "AnyQuestion"], *, jobs: int = 1
) -> Record:
    """Open the data set, carry the experiment out, keep the record.

    Args:
        desk: the listener's data, and where progress is told.
        kind: one of ``KINDS``.
        wanted: the data set.
        ask: the question about the data as they were read.
        jobs: measurements at once, where the kind has several.

    Raises:
        UsageError: the question does not fit the data set.
        PlayerError: the data set cannot be read or says too little, or the record cannot be stored.
    """
    dataset, wanted = read(desk, wanted)
    with errors_as(UsageError):
        question = ask(dataset, wanted)
    return _run(desk, HABITS if isinstance(question, HabitsConfig) else kind, dataset, question, jobs)


def repeat(desk: Desk, record: Record) -> Record:
    """Carry a run out again from its configuration alone; the new one says which it repeats.

    Raises:
        PlayerError: the run was never finished, is of a kind that is not known here, or its data have changed.
    """
    if not record.finished:
        raise PlayerError(f"Experiment {record.id} was interrupted: finish it first, by the command that began it.")
    if record.kind not in KINDS:
        raise PlayerError(f"Experiment {record.id} is of a kind that this version does not know, {record.kind!r}.")
    with errors_as(PlayerError):
        question = configuration_as(_question(record.kind), record.configuration)
    return _run(desk, record.kind, reopened(desk, record, question), question, repeats=record.id)


@contextmanager
def errors_as(kind: type[PlayerError]) -> Generator[None]:
    """Within it what is wrong with an experiment is an error of the player, with the same words."""
    try:
        yield
    except ExperimentError as error:
        raise kind(str(error)) from error


def _run(desk: Desk, kind: str, dataset: Dataset, question: "AnyQuestion", jobs: int = 1, repeats: str = "") -> Record:
    with errors_as(PlayerError):
        return KINDS[kind](_Work(desk, kind, dataset, question, jobs, repeats))


@dataclass(slots=True)
class _Work:
    """One run, whatever its kind."""

    desk: Desk
    kind: str
    dataset: Dataset
    question: Any
    """Of the kind's own class."""
    jobs: int
    repeats: str
    started: float = field(default_factory=time.monotonic)

    @property
    def store(self) -> RunStore:
        return RunStore(self.desk.paths.experiments)

    def tell(self, stage: str, done: int, total: int, computed: int, within: float = 0.0) -> None:
        """Pass a step on, with the time left at the pace so far.

        Args:
            stage: what is being done.
            done: parts of the run that are finished.
            total: of how many.
            computed: how many of the finished ones this process has done itself, those found on disk not counted.
            within: share of the part in progress, 0…1.
        """
        # The first parts are the cheap ones: before one is done there is nothing to estimate by.
        seconds = None
        if computed:
            seconds = (time.monotonic() - self.started) / (computed + within) * (total - done - within)
        self.desk.progress(JobProgress(stage, done, total, seconds))


def roster_of(kind: str) -> "Roster":
    """The models that ``baselines`` or ``sequential`` choose from."""
    if kind == "sequential":
        from recommender.experiments.sequential_models import SEQUENTIAL  # noqa: PLC0415 - imports torch

        return SEQUENTIAL
    from recommender.experiments.run_config import PLAIN  # noqa: PLC0415 - as it is run

    return PLAIN


def _run_models(work: _Work) -> Record:
    from recommender.experiments.model_comparison import compare_models  # noqa: PLC0415 - as it is run

    return compare_models(
        work.store,
        work.dataset,
        work.question,
        roster=roster_of(work.kind),
        jobs=work.jobs,
        on_progress=lambda step: work.tell(
            f"Measuring {step.stage}", step.done, step.total, step.computed, step.within
        ),
        resume=not work.repeats,
        repeats=work.repeats,
    )


def _run_p_hard(work: _Work) -> Record:
    from recommender.experiments.p_hard_sweep import run_p_hard  # noqa: PLC0415 - imports torch

    return run_p_hard(
        work.store,
        work.dataset,
        work.question,
        jobs=work.jobs,
        on_progress=lambda step: work.tell("Training and measuring", step.done, step.total, step.computed, step.within),
        resume=not work.repeats,
        repeats=work.repeats,
    )


def _run_clep(work: _Work) -> Record:
    from recommender.experiments.clep_experiment import run_clep  # noqa: PLC0415 - imports torch

    begun: list[int] = []

    def told(done: int, total: int) -> None:
        # An interrupted run goes on in the middle.
        begun.append(done)
        work.tell("Training CLEP", done, total, done - begun[0] + 1)

    return run_clep(work.dataset, work.question, work.store, told, resume=not work.repeats, repeats=work.repeats)


def _run_habits(work: _Work) -> Record:
    return compare_habits(
        work.store,
        work.dataset,
        work.question,
        lambda stage, done, total: work.tell(stage, done, total, done),
        resume=not work.repeats,
        repeats=work.repeats,
    )


KINDS: dict[str, Callable[[_Work], Record]] = {
    HABITS: _run_habits,
    "baselines": _run_models,
    "clep": _run_clep,
    "p-hard": _run_p_hard,
    "sequential": _run_models,
}
"""Kinds of experiments, and what carries each out."""


def _question(kind: str) -> "type[AnyQuestion]":
    """The class of a kind's question."""
    if kind == "clep":
        from recommender.experiments.clep_experiment import ClepExperimentConfig  # noqa: PLC0415 - imports torch

        return ClepExperimentConfig
    if kind == HABITS:
        return HabitsConfig
    if kind == "p-hard":
        from recommender.experiments.p_hard_config import PHardConfig  # noqa: PLC0415 - as it is run

        return PHardConfig
    from recommender.experiments.run_config import ExperimentConfig  # noqa: PLC0415 - as it is run

    return ExperimentConfig
