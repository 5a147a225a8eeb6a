"""Windows of raw samples, for the front-ends that listen to the waveform itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.frontend import checked_audio, checked_mono
from embeddings.spec import FrontEndCard


def windows_of(excerpts: Sequence[NDArray[np.float32]], card: FrontEndCard, most: int) -> NDArray[np.float32]:
    """The windows of pieces of a track, or of the one piece that is all of it: (W, samples) or (W, 2, samples).

    Args:
        excerpts: as :func:`embeddings.excerpts.decode_excerpts` gives them.
        card: tells channels and window.
        most: of each piece, at most so many windows are taken.

    Raises:
        EmbeddingError: a piece is empty, has other channels, is not finite, or is too loud for float32 arithmetic.
    """
    checked = [checked_mono(one) if card.channels == 1 else checked_audio(one, card.channels) for one in excerpts]
    return np.concatenate([spread_samples(one, card.window_samples, most) for one in checked])


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
