"""Pooling of a track: its windows pooled into one vector, and vectors as bytes for a database."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded

STORED_DTYPE = np.dtype("<f4")
"""Little-endian float32 whatever the machine, so that a library can move to another."""


@dataclass(frozen=True, slots=True)
class PooledEmbedding:
    """One track as one front-end hears it, over all its windows.

    Attributes:
        vector: (dimension,) float32, their mean.
        spread: (dimension,) float32, their standard deviation; zeros where there was one window.
        tags: (tags,) float32 probabilities in 0…1; (0,) for a front-end that does not tag.
    """

    vector: NDArray[np.float32]
    spread: NDArray[np.float32]
    tags: NDArray[np.float32]


def pool(embedded: Embedded) -> PooledEmbedding:
    """Mean and standard deviation of the windows: (W, dimension) to (dimension,) each, (W, tags) to (tags,).

    Raises:
        EmbeddingError: there are no windows, or they are not finite.
    """
    if len(embedded.windows) == 0:
        raise EmbeddingError("the audio gave no windows to embed")
    vector = embedded.windows.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = embedded.windows.std(axis=0, dtype=np.float64).astype(np.float32)
    tags = embedded.tags.mean(axis=0, dtype=np.float64).astype(np.float32)
    if not all(np.isfinite(values).all() for values in (vector, spread, tags)):
        raise EmbeddingError("the front-end gave values that are no finite numbers for this audio")
    return PooledEmbedding(vector, spread, tags)


def vector_to_bytes(vector: NDArray[np.float32]) -> bytes:
    """A (D,) vector as 4·D bytes, little-endian float32."""
    return np.ascontiguousarray(vector, dtype=STORED_DTYPE).tobytes()


def vector_from_bytes(stored: bytes, dimension: int) -> NDArray[np.float32]:
    """The (dimension,) float32 vector that :func:`vector_to_bytes` stored.

    Raises:
        EmbeddingError: the bytes are not ``dimension`` finite numbers.
    """
    if len(stored) != dimension * STORED_DTYPE.itemsize:
        raise EmbeddingError(
            f"a stored vector has {len(stored)} bytes where {dimension} numbers need {dimension * STORED_DTYPE.itemsize}"
        )
    vector = np.frombuffer(stored, dtype=STORED_DTYPE).astype(np.float32)
    if not np.isfinite(vector).all():
        raise EmbeddingError("a stored vector holds values that are no finite numbers")
    return vector
