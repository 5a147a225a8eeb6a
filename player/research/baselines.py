"""Models on a named data set: from the options of a command to a record, and from a record to the same again."""

import time
from dataclasses import dataclass, field, replace

from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.research.opening import Desk, Source, open_source, reopened, settled
from recommender.evaluation.states import State
from recommender.experiments.baselines import Step, run_baselines
from recommender.experiments.question import Question, SplitName, ask_about
from recommender.experiments.records import ExperimentError, Record, configuration_as
from recommender.experiments.rosters import PLAIN, Roster
from recommender.experiments.store import RunStore


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line; None is what fits the data set."""

    models: str = "all"
    seeds: int = 5
    split: SplitName | None = None
    state: State | None = None
    most_listeners: int | None = None


def measure(desk: Desk, wanted: Source, wishes: Wishes, roster: Roster = PLAIN, jobs: int = 1) -> Record:
    """Open the data set, measure the models of the roster, keep the record.

    Raises:
        PlayerError: the data set cannot be read, the wishes do not fit it, or the record cannot be stored.
    """
    desk.progress(JobProgress("Reading"))
    dataset = open_source(desk, wanted)
    wanted = settled(wanted, dataset)
    try:
        question = ask_about(
            dataset,
            roster=roster,
            models=wishes.models,
            seeds=wishes.seeds,
            split=wishes.split,
            state=wishes.state,
            most_listeners=wishes.most_listeners,
        )
    except ExperimentError as error:
        raise UsageError(str(error)) from error
    try:
        return run_baselines(
            RunStore(desk.paths.experiments),
            dataset,
            replace(question, **wanted.words()),
            roster=roster,
            jobs=jobs,
            on_progress=_Teller(desk).tell,
        )
    except ExperimentError as error:
        raise PlayerError(str(error)) from error


def repeat(desk: Desk, record: Record, roster: Roster = PLAIN) -> Record:
    """Measure what a record says once more, from its configuration alone.

    Raises:
        PlayerError: the record cannot be used, or the data are no longer those it was made on.
    """
    try:
        question = configuration_as(Question, record.configuration)
        dataset = reopened(desk, record, question)
        store = RunStore(desk.paths.experiments)
        teller = _Teller(desk)
        return run_baselines(
            store, dataset, question, roster=roster, on_progress=teller.tell, resume=False, repeats=record.id
        )
    except ExperimentError as error:
        raise PlayerError(str(error)) from error


@dataclass(slots=True)
class _Teller:
    """Tells how far a run is, and how long it will take at the pace so far."""

    desk: Desk
    started: float = field(default_factory=time.monotonic)

    def tell(self, step: Step) -> None:
        """Pass a step on."""
        computed = step.computed + step.within
        left = step.total - step.done - step.within
        # The first models are the cheap ones: before one is done there is nothing to estimate by.
        seconds = (time.monotonic() - self.started) / computed * left if step.computed else None
        self.desk.progress(JobProgress(f"Measuring {step.stage}", step.done, step.total, seconds))
