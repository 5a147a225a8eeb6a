"""The experiment over ``p_hard`` on a named data set: from the options of a command to a record, and the same again."""

from dataclasses import dataclass, replace

from player.errors import PlayerError, UsageError
from player.research.datasets import Desk, Source, read, reopened
from player.research.progress import Teller, errors_as
from recommender.configuration import Negatives, SequentialConfig
from recommender.datasets.dataset import Dataset
from recommender.evaluation.query_states import State
from recommender.experiments.p_hard_config import Mode, PHardConfig, Tracks, configure_p_hard, parse_p_hard
from recommender.experiments.p_hard_sweep import run_p_hard
from recommender.experiments.records import Record, configuration_as
from recommender.experiments.run_config import SplitName
from recommender.experiments.store import RunStore
from recommender.training.sequential_recommender import ABLATIONS, FAITHFUL

WITH_PAIRS = "best + hard pairs"
"""What ``--mode best`` trains: the best mode with real negatives in a term of their own."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line; None is what fits the data set.

    Attributes:
        p_hard: values with commas between them.
        seeds: how many.
        negatives: which feedback counts as a real negative.
        tracks: what a track is to the model.
        split, state, most_listeners: as for the baselines.
        mode: which model.
        epochs, patience: other than the mode's own.
    """

    p_hard: str
    seeds: int
    mode: Mode = Mode.FAITHFUL
    negatives: Negatives = Negatives.BOTH
    tracks: Tracks = Tracks.IDS
    split: SplitName | None = None
    state: State | None = None
    most_listeners: int | None = None
    epochs: int | None = None
    patience: int | None = None


def measure(desk: Desk, wanted: Source, wishes: Wishes, jobs: int) -> Record:
    """Open the data set, train and measure every value, keep the record.

    Raises:
        PlayerError: the data set cannot be read, the wishes do not fit it, or the record cannot be stored.
    """
    with errors_as(UsageError):
        values = parse_p_hard(wishes.p_hard)
    dataset, wanted = read(desk, wanted)
    with errors_as(UsageError):
        question = configure_p_hard(
            dataset,
            _config(wishes),
            p_hard=values,
            seeds=wishes.seeds,
            mode=wishes.mode,
            negatives=wishes.negatives,
            tracks=wishes.tracks,
            split=wishes.split,
            state=wishes.state,
            most_listeners=wishes.most_listeners,
        )
    return _run(desk, dataset, replace(question, **wanted.words()), jobs)


def repeat(desk: Desk, record: Record, jobs: int = 1) -> Record:
    """Train and measure what a record says once more, from its configuration alone.

    Raises:
        PlayerError: the record cannot be used, or the data are no longer those it was made on.
    """
    with errors_as(PlayerError):
        question = configuration_as(PHardConfig, record.configuration)
    return _run(desk, reopened(desk, record, question), question, jobs, repeats=record.id)


def _config(wishes: Wishes) -> SequentialConfig:
    # The best mode proper has no term for p_hard to act in: its liking target learns from every dislike anyway.
    own = ABLATIONS[WITH_PAIRS] if wishes.mode is Mode.BEST else FAITHFUL
    return replace(own, epochs=wishes.epochs or own.epochs, patience=wishes.patience or own.patience)


def _run(desk: Desk, dataset: Dataset, question: PHardConfig, jobs: int, repeats: str = "") -> Record:
    teller = Teller(desk)
    with errors_as(PlayerError):
        return run_p_hard(
            RunStore(desk.paths.experiments),
            dataset,
            question,
            jobs=jobs,
            on_progress=lambda step: teller.tell(
                "Training and measuring", step.done, step.total, step.computed, step.within
            ),
            resume=not repeats,
            repeats=repeats,
        )
