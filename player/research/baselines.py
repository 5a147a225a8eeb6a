"""Models on a named data set: from the options of a command to a record, and from a record to the same again."""

from dataclasses import dataclass, replace

from player.errors import PlayerError, UsageError
from player.research.datasets import Desk, Source, read, reopened
from player.research.progress import Teller, errors_as
from recommender.datasets.dataset import Dataset
from recommender.evaluation.query_states import State
from recommender.experiments.model_comparison import compare_models
from recommender.experiments.records import Record, configuration_as
from recommender.experiments.run_config import PLAIN, ExperimentConfig, Roster, SplitName, configure
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
    dataset, wanted = read(desk, wanted)
    with errors_as(UsageError):
        question = configure(
            dataset,
            roster=roster,
            models=wishes.models,
            seeds=wishes.seeds,
            split=wishes.split,
            state=wishes.state,
            most_listeners=wishes.most_listeners,
        )
    return _run(desk, dataset, replace(question, **wanted.words()), roster, jobs=jobs)


def repeat(desk: Desk, record: Record, roster: Roster = PLAIN) -> Record:
    """Measure what a record says once more, from its configuration alone.

    Raises:
        PlayerError: the record cannot be used, or the data are no longer those it was made on.
    """
    with errors_as(PlayerError):
        question = configuration_as(ExperimentConfig, record.configuration)
    return _run(desk, reopened(desk, record, question), question, roster, repeats=record.id)


def _run(
    desk: Desk, dataset: Dataset, question: ExperimentConfig, roster: Roster, jobs: int = 1, repeats: str = ""
) -> Record:
    teller = Teller(desk)
    with errors_as(PlayerError):
        return compare_models(
            RunStore(desk.paths.experiments),
            dataset,
            question,
            roster=roster,
            jobs=jobs,
            on_progress=lambda step: teller.tell(
                f"Measuring {step.stage}", step.done, step.total, step.computed, step.within
            ),
            resume=not repeats,
            repeats=repeats,
        )
