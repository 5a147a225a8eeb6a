"""The models that an experiment can measure, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.baselines import build, names
from recommender.configuration import SequentialConfig
from recommender.interfaces import Recommender

Content = NDArray[np.float32]
Settings = tuple[tuple[str, SequentialConfig], ...]
"""Models by name, each with its configuration."""

UNSEEDED = frozenset(
    {
        "popularity",
        "like-rate",
        "personal-most-played",
        "act-r",
        "content-knn",
        "imms",
        "tunelog",
        "item-knn",
        "ease",
        "ease-signed",
    }
)
"""Models without a random number: on a split without one they are measured once, for every seed gives the same."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What can be measured.

    Attributes:
        kind: of the experiment, as its record names it.
        reference: the model that all others are compared with.
        names: the models that a text names, given whether there are content vectors; ValueError for one that is none.
        build: makes a model of that name, from content vectors or None, a seed, and the settings of the question.
        settings: how each of the models named is configured where that is not fixed: with the name, what determines it.
    """

    kind: str
    reference: str
    names: Callable[[str, bool], Sequence[str]]
    build: Callable[[str, Content | None, int, Settings], Recommender]
    settings: Callable[[Sequence[str]], Settings]


def _plain_names(models: str, content: bool) -> Sequence[str]:  # noqa: FBT001 - as a roster has it
    return names(models, content=content)


def _plain(name: str, content: Content | None, seed: int, _settings: Settings) -> Recommender:
    return build(name, content=content, seed=seed)


def _fixed(_models: Sequence[str]) -> Settings:
    return ()


PLAIN = Roster("baselines", "like-rate", _plain_names, _plain, _fixed)
"""The baselines."""
