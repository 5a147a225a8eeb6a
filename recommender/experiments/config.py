"""What a run of the baselines is asked: everything, besides the data, that determines its figures."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

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
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.model_sets import PLAIN, Roster, Settings
from recommender.experiments.records import ExperimentError


class SplitName(StrEnum):
    """How past and test are divided."""

    LISTENER_LAST = "listener-last"
    GLOBAL_TIME = "global-time"
    WALK_FORWARD = "walk-forward"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class ExperimentConfig:
    """What is asked.

    Attributes:
        dataset: ``KIND:PATH``, or ``log``.
        models: names on the roster of the kind of experiment.
        seeds: of models, and of a random split.
        split: how past and test are divided.
        state: what is input when a test row is predicted.
        candidates: among which tracks targets are ranked.
        columns: (key, column) pairs, as the data set was read with.
        limit: rows it was cut to, or None.
        music, index: where the audio lies and which file is which track, or empty.
        frontend: what made vectors of the audio, or empty.
        most_listeners: size of the sample of listeners that is measured on, or None for all.
        settings: configurations of the models that have one.
    """

    dataset: str
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    split: SplitName
    state: State
    candidates: Candidates
    columns: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    music: str = ""
    index: str = ""
    frontend: str = ""
    most_listeners: int | None = None
    settings: Settings = ()

    def to_json(self) -> JsonObject:
        """As a record keeps it."""
        return json_object(self)


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
    """The question about a data set, with what fits it filled in.

    Args:
        dataset: what is asked about.
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
        chosen = roster.names(models, dataset.content is not None)
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


def heard_again(log: EventLog) -> bool:
    """Whether any listener has two rows about one track: ratings are given once, music is heard again."""
    key = np.sort(log.listener * max(1, log.tracks) + log.track)
    return bool(np.any(key[1:] == key[:-1]))


def fitting_candidates(log: EventLog) -> Candidates:
    """The whole catalogue where tracks are heard again, else the tracks that the listener has no row about."""
    return Candidates.CATALOGUE if heard_again(log) else Candidates.UNHEARD


def _check_order(split: SplitName, state: State, *, ordered: bool, name: str) -> None:
    """Refuse what needs a clock where there is none."""
    if not ordered and split is not SplitName.RANDOM:
        raise ExperimentError(f"{name} has no clock, so there is no split {split}: use --split random.")
    if split is SplitName.RANDOM and state is State.WALKING:
        raise ExperimentError("Rows drawn at random cannot be walked through: use --state frozen, or another split.")


def splits(log: EventLog, name: SplitName, seed: int, *, ordered: bool) -> list[Split]:
    """The split, or the folds of a walk forward; only a random one depends on the seed."""
    if name is SplitName.LISTENER_LAST:
        return [split_listener_last(log)]
    if name is SplitName.GLOBAL_TIME:
        return [split_global_time(log)]
    if name is SplitName.WALK_FORWARD:
        return walk_forward(log)
    why = (
        "though the set has a clock: what is later is learned from too"
        if ordered
        else "for the set has no order in time: nothing here speaks of the future"
    )
    return [replace(split_random(log, seed), notes=(f"Drawn at random, anew for each seed, {why}.",))]
