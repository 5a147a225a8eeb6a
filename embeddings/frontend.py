"""The one protocol that every front-end fulfils, and loading one by its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.registry import frontend_module
from embeddings.spec import FrontEndCard


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a front-end makes of one piece of audio, window by window.

    Attributes:
        windows: (W, dimension) float32, one vector per window, W >= 1.
        tags: (W, len(card.tag_names)) float32 probabilities in 0…1.
    """

    windows: NDArray[np.float32]
    tags: NDArray[np.float32]


def untagged(windows: NDArray[np.float32]) -> Embedded:
    """What a front-end that does not tag makes: (W, dimension) vectors."""
    return Embedded(windows, np.empty((len(windows), 0), np.float32))


class FrontEnd(Protocol):
    """A pretrained network that turns audio into vectors."""

    @property
    def card(self) -> FrontEndCard:
        """Its name, version, sample rate, channels, window, dimension, tags, and where its weights come from."""
        ...

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """Embed (N,) float32 samples at the card's rate, (2, N) if it wants two channels, nominally within -1…1.

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
    """Load the front-end ``name`` from its file of weights, which is verified first. Imports what it needs, as torch.

    Raises:
        EmbeddingError: no such front-end, or the file is missing, another one, or damaged.
    """
    return frontend_module(name).load(name, weights)
