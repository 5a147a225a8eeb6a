"""CLEP's experiment on a named data set: from the options of a command to a record, and from a record to the same again."""

import time
from dataclasses import dataclass, field

from embeddings.registry import DEFAULT_FRONTEND
from player.errors import PlayerError, UsageError
from player.jobs import JobProgress
from player.research.datasets import Desk, Source, read, reopened
from player.research.own_log import NAME
from player.research.progress import errors_as
from recommender.experiments.clep_experiment import ClepExperimentConfig, run_clep
from recommender.experiments.records import Record, configuration_as
from recommender.experiments.store import RunStore

OWN_VECTORS = "own"
"""What the front-end is called where a data set brings content vectors of its own."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    frontend: str
    seeds: int
    least: int
    ablation: bool


def measure(desk: Desk, wanted: Source, wishes: Wishes) -> Record:
    """Open the data set, run the experiment, keep the record.

    Raises:
        UsageError: the front-end does not go with the data set.
        PlayerError: the data set cannot be read or says too little, or the record cannot be stored.
    """
    frontend = _frontend(wanted, wishes.frontend)
    dataset, wanted = read(desk, wanted)
    question = ClepExperimentConfig(
        dataset=wanted.dataset,
        frontend=frontend,
        seeds=tuple(range(wishes.seeds)),
        least=wishes.least,
        ablation=wishes.ablation,
        columns=wanted.columns,
        limit=wanted.limit,
        music=str(wanted.music or ""),
        index=str(wanted.index or ""),
    )
    with errors_as(PlayerError):
        return run_clep(dataset, question, RunStore(desk.paths.experiments), _Teller(desk).tell)


def _frontend(wanted: Source, asked: str) -> str:
    """What made the vectors that will be used."""
    if wanted.music is not None:
        return asked
    if wanted.dataset != NAME:
        return OWN_VECTORS
    if asked != DEFAULT_FRONTEND:
        raise UsageError(f"Your own log is measured with the vectors of the library, which are {DEFAULT_FRONTEND}'s.")
    return asked


def repeat(desk: Desk, record: Record) -> Record:
    """Run what a record says once more, from its configuration alone.

    Raises:
        PlayerError: the record cannot be used, or the data are no longer those it was made on.
    """
    with errors_as(PlayerError):
        question = configuration_as(ClepExperimentConfig, record.configuration)
        dataset = reopened(desk, record, question)
        store = RunStore(desk.paths.experiments)
        return run_clep(dataset, question, store, _Teller(desk).tell, resume=False, repeats=record.id)


@dataclass(slots=True)
class _Teller:
    """Tells how far the training is, and how long it will take at the pace so far."""

    desk: Desk
    first: int | None = None
    """Where this process began: an interrupted run goes on in the middle."""
    started: float = field(default_factory=time.monotonic)

    def tell(self, done: int, total: int) -> None:
        """Pass an epoch on."""
        if self.first is None:
            self.first, self.started = done - 1, time.monotonic()
        computed = done - self.first
        left = (time.monotonic() - self.started) / computed * (total - done) if computed > 1 else None
        self.desk.progress(JobProgress("Training CLEP", done, total, left))
