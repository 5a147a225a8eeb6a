"""The one protocol that every front-end fulfils, and the front-ends there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.cards import frontend_card
from embeddings.errors import EmbeddingError


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a front-end makes of one piece of audio, window by window.

    Attributes:
        windows: (W, dimension) float32, one vector per window, W >= 1.
        tags: (W, len(tag_names)) float32 probabilities in 0…1.
    """

    windows: NDArray[np.float32]
    tags: NDArray[np.float32]


class FrontEnd(Protocol):
    """A pretrained network that turns audio into vectors."""

    @property
    def name(self) -> str:
        """What it is called in settings and in the database."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the vectors do, so that stored ones are made anew."""
        ...

    @property
    def licence(self) -> str:
        """SPDX identifier of the weights' licence."""
        ...

    @property
    def sample_rate(self) -> int:
        """Hz, the rate of the samples that :meth:`embed` takes."""
        ...

    @property
    def channels(self) -> int:
        """Channels of the samples that :meth:`embed` takes; 1 means a one-dimensional array."""
        ...

    @property
    def window_seconds(self) -> float:
        """How much audio one window covers."""
        ...

    @property
    def dimension(self) -> int:
        """Length of one vector."""
        ...

    @property
    def tag_names(self) -> tuple[str, ...]:
        """What the columns of :attr:`Embedded.tags` mean; empty for a front-end that does not tag."""
        ...

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """Embed (N,) float32 samples at :attr:`sample_rate`, (channels, N) for more than one, nominally within -1…1.

        Audio shorter than a window is repeated until it fills one. Silence has a vector like any other sound.

        Raises:
            EmbeddingError: the audio is empty, not finite, or too loud for float32 arithmetic.
        """
        ...


LOUDEST = 1e6
"""Full scale is 1, and float files may exceed it; 120 dB above it is damage, and its square nears float32's end."""


def checked_mono(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples as (N,) float32, N >= 1, all finite and at most a million times full scale.

    Raises:
        EmbeddingError: they are not; the message says why.
    """
    if np.ndim(samples) != 1:
        raise EmbeddingError(f"the audio has {np.ndim(samples)} dimensions where mono audio has one")
    return _checked(samples)


def checked_audio(samples: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """The samples as (channels, N) float32, N >= 1, all finite and at most a million times full scale.

    Raises:
        EmbeddingError: they are not; the message says why.
    """
    if np.ndim(samples) != 2 or len(samples) != channels:  # noqa: PLR2004 - channels and time
        raise EmbeddingError(f"the audio's shape is {np.shape(samples)} where ({channels}, samples) is wanted")
    return _checked(samples)


def _checked(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    audio = np.asarray(samples, dtype=np.float32)
    if audio.size == 0:
        raise EmbeddingError("the audio is empty")
    if not np.isfinite(audio).all():
        raise EmbeddingError("the audio holds samples that are no finite numbers (NaN or infinity)")
    if np.abs(audio).max() > LOUDEST:
        raise EmbeddingError("the audio is too loud to compute with: its samples lie far outside -1…1")
    return audio


def load_frontend(name: str, weights: Path) -> FrontEnd:
    """Load the front-end ``name`` from its file of weights, which is verified first. Imports torch.

    Raises:
        EmbeddingError: no such front-end, or the file is missing, another one, or damaged.
    """
    card = frontend_card(name)
    return LOADERS[card.name.partition("-")[0]](name, weights)


def _musicnn(name: str, weights: Path) -> FrontEnd:
    from embeddings.musicnn import load_musicnn  # noqa: PLC0415 - imports torch, which only embedding needs

    del name
    return load_musicnn(weights)


def _openl3(name: str, weights: Path) -> FrontEnd:
    from embeddings.openl3 import load_openl3  # noqa: PLC0415 - as above

    return load_openl3(name, weights)


def _clmr(name: str, weights: Path) -> FrontEnd:
    from embeddings.clmr import load_clmr  # noqa: PLC0415 - as above

    del name
    return load_clmr(weights)


def _mee(name: str, weights: Path) -> FrontEnd:
    from embeddings.mee import load_mee  # noqa: PLC0415 - as above

    del name
    return load_mee(weights)


LOADERS: Mapping[str, Callable[[str, Path], FrontEnd]] = MappingProxyType(
    {"musicnn": _musicnn, "openl3": _openl3, "clmr": _clmr, "mee": _mee}
)
"""By the first part of a front-end's name: what comes after a hyphen is a variant of the same network."""
