"""The configuration of a run: everything, besides the data, that determines its figures; and the models that can be measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommender.baselines import BASELINES, TrackFacts, build, names
from recommender.configuration import SequentialConfig
from recommender.datasets.dataset import Dataset
from recommender.evaluation.bootstrap import FEWEST_UNITS
from recommender.evaluation.metric_runner import Candidates
from recommender.evaluation.query_states import State
from recommender.evaluation.splits import (
    Split,
    split_global_time,
    split_listener_last,
    split_random,
    walk_forward,
)
from recommender.events import EventLog
from recommender.experiments.records import ExperimentError
from recommender.interfaces import Recommender

Content = NDArray[np.float32]
Settings = tuple[tuple[str, SequentialConfig], ...]
"""Models by name, each with its configuration."""


class SplitName(StrEnum):
    """A way of dividing past and test."""

    LISTENER_LAST = "listener-last"
    GLOBAL_TIME = "global-time"
    WALK_FORWARD = "walk-forward"
    RANDOM = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """The data of a run, as every kind of experiment names them, and its seeds.

    Attributes:
        dataset: ``KIND:PATH``, or ``log``.
        seeds: of models, and of a division of the data that is drawn.
        columns: (key, column) pairs, as the data set was read with.
        limit: rows it was cut to, or None.
        music, index: where the audio lies and which file is which track, or empty.
        frontend: what made vectors of the audio, or empty.
    """

    dataset: str
    seeds: tuple[int, ...]
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    music: str = ""
    index: str = ""
    frontend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolConfig(DataConfig):
    """The protocol by which the models of a run are measured.

    Attributes:
        split: how past and test are divided.
        state: what is input when a test row is predicted.
        candidates: among which tracks targets are ranked.
        most_listeners: size of the sample of listeners that is measured on, or None for all.
    """

    split: SplitName
    state: State
    candidates: Candidates
    most_listeners: int | None = None

    def splits(self, dataset: Dataset, seed: int) -> list[Split]:
        """The split of a seed, or the folds of a walk forward; only a random one depends on the seed."""
        log = dataset.log
        if self.split is SplitName.LISTENER_LAST:
            return [split_listener_last(log)]
        if self.split is SplitName.GLOBAL_TIME:
            return [split_global_time(log)]
        if self.split is SplitName.WALK_FORWARD:
            return walk_forward(log)
        why = (
            "though the set has a clock: what is later is learned from too"
            if dataset.ordered
            else "for the set has no order in time: nothing here speaks of the future"
        )
        return [replace(split_random(log, seed), notes=(f"Drawn at random, anew for each seed, {why}.",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(ProtocolConfig):
    """A comparison of models.

    Attributes:
        models: names on the roster of the kind of experiment.
        settings: configurations of the models that have one.
    """

    models: tuple[str, ...]
    settings: Settings = ()


@dataclass(frozen=True, slots=True)
class Roster:
    """The models of a kind of experiment.

    Attributes:
        kind: of the experiment, as its record names it.
        reference: the model that all others are compared with.
        names: the models that a text names, given what is known of the tracks; ValueError for one that is none.
        build: makes a model of that name, from what is known of the tracks, a seed, and the settings of the configuration.
        settings: how each of the models named is configured where that is not fixed: with the name, what determines it.
    """

    kind: str
    reference: str
    names: Callable[[str, TrackFacts], Sequence[str]]
    build: Callable[[str, TrackFacts, int, Settings], Recommender]
    settings: Callable[[Sequence[str]], Settings]


def _plain(name: str, facts: TrackFacts, seed: int, _settings: Settings) -> Recommender:
    return build(name, facts, seed=seed)


def _fixed(_models: Sequence[str]) -> Settings:
    return ()


def is_seeded(model: str) -> bool:
    """True for a model that draws random numbers; any other is measured once on a split without one."""
    return model not in BASELINES or BASELINES[model].seeded


PLAIN = Roster("baselines", "like-rate", names, _plain, _fixed)
"""The baselines."""


def configure(
    dataset: Dataset,
    *,
    roster: Roster = PLAIN,
    models: str = "all",
    seeds: int = 1,
    split: SplitName | None = None,
    state: State | None = None,
    candidates: Candidates | None = None,
    most_listeners: int | None = None,
) -> ExperimentConfig:
    """The configuration for a data set, with what fits it filled in.

    Args:
        dataset: what is measured on.
        roster: the models there are.
        models: ``all``, or names with commas between them.
        seeds: how many; 0, 1, … are used.
        split: left out, random without a clock, else each listener's last rows or, with few listeners, one moment.
        state: left out, walking where there are few listeners and a clock, else frozen.
        candidates: left out, :func:`fitting_candidates`.
        most_listeners: size of the sample of listeners that is measured on, or None for all.

    Raises:
        ExperimentError: a model is unknown, or the data set has no clock and one is needed.
    """
    few = len(dataset.listeners) < FEWEST_UNITS
    if split is None:
        alone = SplitName.GLOBAL_TIME if few else SplitName.LISTENER_LAST
        split = alone if dataset.ordered else SplitName.RANDOM
    if state is None:
        state = State.WALKING if few and split is not SplitName.RANDOM else State.FROZEN
    _check_order(split, state, ordered=dataset.ordered, name=dataset.name)
    try:
        chosen = roster.names(models, TrackFacts(dataset.content, dataset.artist))
    except ValueError as error:
        raise ExperimentError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    return ExperimentConfig(
        dataset=dataset.name,
        models=tuple(chosen),
        seeds=tuple(range(seeds)),
        split=split,
        state=state,
        candidates=candidates or fitting_candidates(dataset.log),
        most_listeners=most_listeners,
        settings=roster.settings(chosen),
    )


def fitting_candidates(log: EventLog) -> Candidates:
    """The whole catalogue where any listener has two rows about one track, else the tracks they have no row about.

    Ratings are given once, music is heard again.
    """
    key = np.sort(log.listener * max(1, log.tracks) + log.track)
    return Candidates.CATALOGUE if np.any(key[1:] == key[:-1]) else Candidates.UNHEARD


def _check_order(split: SplitName, state: State, *, ordered: bool, name: str) -> None:
    """Refuse what needs a clock where there is none."""
    if not ordered and split is not SplitName.RANDOM:
        raise ExperimentError(f"{name} has no clock, so there is no split {split}: use --split random.")
    if split is SplitName.RANDOM and state is State.WALKING:
        raise ExperimentError("Rows drawn at random cannot be walked through: use --state frozen, or another split.")
