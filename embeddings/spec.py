"""The spec of a front-end: all that is known of it before it is loaded.

Nothing here imports numpy or torch, for every ``player frontends`` and every look at a stored vector reads the specs.
"""

import importlib.util
import re
from dataclasses import dataclass
from enum import StrEnum

from embeddings.weights.files import Weights

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Of a front-end: it is typed on a command line and printed on a terminal."""


@dataclass(frozen=True, slots=True)
class OptionalPackage:
    """A Python package that one front-end cannot do without and all the others can.

    Attributes:
        module: what it is imported as.
        requirement: what pip is asked for.
    """

    module: str
    requirement: str


@dataclass(frozen=True, slots=True)
class FrontEndSpec:
    """A front-end, as far as it is known before it is loaded.

    Attributes:
        name: its name in settings, on the command line and in the database: small letters, digits, single hyphens.
        version: changes whenever its vectors do, so that stored ones are made anew.
        sample_rate: Hz, of the samples it listens to.
        channels: of those samples: 1 or 2.
        window_samples: samples that one vector is made of.
        dimension: length of one vector.
        weights: their origin, their hash where one is published, and their licence.
        tag_names: the meaning of the columns of its tags; empty for a front-end that does not tag.
        needs: the optional Python package it cannot do without.

    Raises:
        ValueError: the name is not one, or a number is not positive.
    """

    name: str
    version: str
    sample_rate: int
    channels: int
    window_samples: int
    dimension: int
    weights: Weights
    tag_names: tuple[str, ...] = ()
    needs: OptionalPackage | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name for a front-end: small letters, digits and single hyphens are")
        if self.channels not in {1, 2}:
            raise ValueError(f"{self.name} wants {self.channels} channels; sound is decoded in 1 or 2")
        if min(self.sample_rate, self.window_samples, self.dimension) < 1:
            raise ValueError(f"{self.name} has a sample rate, a window or a dimension below 1")

    @property
    def licence(self) -> str:
        """SPDX identifier of the weights' licence."""
        return self.weights.licence


class State(StrEnum):
    """A front-end's readiness, or the thing it lacks."""

    READY = "ready"
    WEIGHTS_MISSING = "weights missing"
    PACKAGE_MISSING = "package missing"
    COMMAND_MISSING = "command missing"
    NOT_RUN = "not run here"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why a front-end cannot be used now.

    Attributes:
        state: in two words.
        fix: what to do, or why nothing helps: a sentence without its first capital and full stop.
    """

    state: State
    fix: str


def lacking_package(spec: FrontEndSpec) -> Obstacle | None:
    """The optional package, if the front-end needs one that is not installed; nothing is imported."""
    if spec.needs is None or importlib.util.find_spec(spec.needs.module) is not None:
        return None
    wanted = spec.needs.requirement
    return Obstacle(State.PACKAGE_MISSING, f"install the Python package {wanted}: pip install {wanted}")
