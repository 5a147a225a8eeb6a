"""What is known of a front-end before it is loaded, and how it is loaded: what an entry point hands over.

Nothing here imports numpy or torch, for every ``player frontends`` and every look at a stored vector reads the cards.
"""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings.weights.weight_files import Weights

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Of a front-end: it is typed on a command line and printed on a terminal."""


START_SECONDS = 300.0
"""For a worker to load torch and the weights, on a machine that is busy with everything else."""
PATIENCE_SECONDS = 300.0
"""A file that takes longer is given up: an hour-long track takes seconds, so this one has hung its decoder."""


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
class FrontEndCard:
    """A front-end, as far as it is known before it is loaded.

    Attributes:
        name: what settings, the command line and the database call it: small letters, digits, single hyphens.
        version: changes whenever its vectors do, so that stored ones are made anew.
        sample_rate: Hz, of the samples it listens to.
        channels: of those samples: 1 or 2.
        window_samples: how many of them one vector is made of.
        dimension: length of one vector.
        weights: which weights it needs, where they come from, their hash where one is published, and their licence.
        tag_names: what the columns of its tags mean; empty for a front-end that does not tag.
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

    @property
    def window_seconds(self) -> float:
        """How much audio one window covers."""
        return self.window_samples / self.sample_rate


class State(StrEnum):
    """What a front-end lacks, if anything."""

    READY = "ready"
    WEIGHTS_MISSING = "weights missing"
    PACKAGE_MISSING = "package missing"
    COMMAND_MISSING = "command missing"
    NOT_RUN = "not run here"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a front-end cannot be used now.

    Attributes:
        state: in two words.
        mend: what to do, or why nothing helps: a sentence without its first capital and full stop.
    """

    state: State
    mend: str


def no_obstacle() -> Obstacle | None:
    """For a front-end that needs nothing but its weights and its package."""
    return None


@dataclass(frozen=True, slots=True)
class FrontEndModule:
    """What an entry point of the group :data:`embeddings.registry.GROUP` resolves to.

    The module that holds it must be light: what imports torch is imported by ``load``.

    Attributes:
        cards: the front-end, or the variants of one network, the one to show first.
        load: given one of the cards' names and the file of its weights, loads it. The file is whatever the user named,
            so ``load`` verifies it (:func:`embeddings.weights.weight_files.verified`) and raises
            :class:`embeddings.errors.EmbeddingError` if it is not the right one.
        obstacle: what else stands in the way on this machine; quick, for it is asked whenever front-ends are listed.
        most_workers: processes that this machine can bear, where that is fewer than its cores.
        start_seconds: for a process to load the front-end.
        patience_seconds: for one file.
    """

    cards: tuple[FrontEndCard, ...]
    load: "Callable[[str, Path], FrontEnd]"
    obstacle: Callable[[], Obstacle | None] = no_obstacle
    most_workers: int | None = None
    start_seconds: float = START_SECONDS
    patience_seconds: float = PATIENCE_SECONDS

    def card(self, name: str) -> FrontEndCard | None:
        """The card of that name, if it is one of these."""
        return next((card for card in self.cards if card.name == name), None)


def lacking_package(card: FrontEndCard) -> Obstacle | None:
    """The optional package, if the front-end needs one that is not installed; nothing is imported."""
    if card.needs is None or importlib.util.find_spec(card.needs.module) is not None:
        return None
    wanted = card.needs.requirement
    return Obstacle(State.PACKAGE_MISSING, f"install the Python package {wanted}: pip install {wanted}")
