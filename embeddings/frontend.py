"""The protocol that every front-end fulfils, and the module that offers one.

Nothing here imports numpy or torch, for every ``player frontends`` and every look at a stored vector reads the specs.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from embeddings.spec import FrontEndSpec, Obstacle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

START_SECONDS = 300.0
"""For a worker to load torch and the weights."""
PATIENCE_SECONDS = 300.0
"""A file that takes longer is given up: an hour-long track takes seconds, so this one has hung its decoder."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of one piece of audio, window by window.

    Attributes:
        windows: (W, dimension) float32, one vector per window, W >= 1.
        tags: (W, len(spec.tag_names)) float32 probabilities in 0…1.
    """

    windows: "NDArray[np.float32]"
    tags: "NDArray[np.float32]"


class FrontEnd(Protocol):
    """A pretrained network that turns audio into vectors."""

    @property
    def spec(self) -> FrontEndSpec:
        """Its name, version, sample rate, channels, window, dimension, tags, and the origin of its weights."""
        ...

    def embed(self, samples: "NDArray[np.float32]") -> Embedded:
        """Embed (N,) float32 samples at the spec's rate, (2, N) if it wants two channels, nominally within -1…1.

        Audio shorter than a window is repeated until it fills one. Silence has a vector like any other sound.

        Raises:
            EmbeddingError: the audio is empty, not finite, or too loud for float32 arithmetic.
        """
        ...


def no_obstacle() -> Obstacle | None:
    """For a front-end that needs nothing but its weights and its package."""
    return None


@dataclass(frozen=True, slots=True)
class FrontEndModule:
    """A front-end, or the variants of one network, and the way to load them.

    An entry point of the group :data:`embeddings.registry.GROUP` resolves to one. The Python module that holds it must be
    light: whatever imports torch is imported by ``loader``.

    Attributes:
        specs: the variants, the one to show first.
        loader: given the name in one of the specs and the file of its weights, loads that front-end; either the function,
            or its place as "package.module:function". The file is whatever the user named, so the loader verifies it
            (:meth:`embeddings.weights.files.WeightsFile.read`) and raises :class:`embeddings.errors.EmbeddingError` if it
            is not the right one.
        obstacle: whatever else stands in the way on this machine; quick, for it is asked whenever front-ends are listed.
        most_workers: processes that this machine can bear, where that is fewer than its cores.
        start_seconds: processor time for a process to load the front-end.
        patience_seconds: processor time for one file.
    """

    specs: tuple[FrontEndSpec, ...]
    loader: str | Callable[[str, Path], FrontEnd]
    obstacle: Callable[[], Obstacle | None] = no_obstacle
    most_workers: int | None = None
    start_seconds: float = START_SECONDS
    patience_seconds: float = PATIENCE_SECONDS

    def spec(self, name: str) -> FrontEndSpec | None:
        """The spec of that name, if it is one of these."""
        return next((spec for spec in self.specs if spec.name == name), None)

    def load(self, name: str, weights: Path) -> FrontEnd:
        """Load the front-end ``name`` from its file of weights, which is verified first.

        Raises:
            EmbeddingError: the file is missing, another one, or damaged.
        """
        loader = pkgutil.resolve_name(self.loader) if isinstance(self.loader, str) else self.loader
        return loader(name, weights)
