"""Decoded samples, checked and cut into windows, for front-ends."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded
from embeddings.spec import FrontEndSpec

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


def windows_of(excerpts: Sequence[NDArray[np.float32]], spec: FrontEndSpec, most: int) -> NDArray[np.float32]:
    """The windows of pieces of a track, or of the one piece that is all of it: (W, samples) or (W, 2, samples).

    Args:
        excerpts: as :func:`embeddings.excerpts.decode_excerpts` gives them.
        spec: tells channels and window.
        most: of each piece, at most so many windows are taken.

    Raises:
        EmbeddingError: a piece is empty, has other channels, is not finite, or is too loud for float32 arithmetic.
    """
    checked = [checked_mono(one) if spec.channels == 1 else checked_audio(one, spec.channels) for one in excerpts]
    return np.concatenate([spread_samples(one, spec.window_samples, most) for one in checked])


def spread_samples(samples: NDArray[np.float32], length: int, most: int) -> NDArray[np.float32]:
    """Cut (…, N) samples into windows that do not overlap, of which at most ``most``, evenly spread: (W, …, length).

    Audio shorter than one window is repeated until it fills one; of longer audio the end that fills none is left out.
    """
    total = samples.shape[-1]
    if total < length:
        samples = np.take(samples, np.arange(length) % total, axis=-1)
        total = length
    count = total // length
    starts = np.arange(count) if count <= most else ((np.arange(most) + 0.5) * count / most).astype(np.intp)
    return np.stack([samples[..., start * length : (start + 1) * length] for start in starts])


def untagged(windows: NDArray[np.float32]) -> Embedded:
    """The result of a front-end that does not tag: (W, dimension) vectors."""
    return Embedded(windows, np.empty((len(windows), 0), np.float32))
