"""Any audio file as float32 stereo samples, for front-ends that listen to the width of the sound."""

from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from embeddings.decode import FULL_SCALE, MAX_SECONDS, decode_as, decode_mono
from embeddings.errors import EmbeddingError

STEREO = 2


def decode_channels(path: Path, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """The file in one channel, (N,), or in two, (2, N); see :func:`embeddings.decode.decode_mono`.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    return decode_stereo(path, sample_rate) if channels == STEREO else decode_mono(path, sample_rate)


def decode_stereo(path: Path, sample_rate: int, max_seconds: float = MAX_SECONDS) -> NDArray[np.float32]:
    """Decode the file's first audio stream as two channels and resample: (2, N) float32, N >= 1.

    Mono is heard on both sides; of more than two channels both sides hear the mean. The content, not the extension,
    decides the format. At most ``max_seconds`` from the start are decoded. Damaged packets end nothing.

    Raises:
        EmbeddingError: the file cannot be read or holds no decodable audio.
    """
    return decode_as(path, sample_rate, STEREO, lambda frame: stereo_samples(frame).T, max_seconds).T


def stereo_samples(frame: AudioFrame) -> NDArray[np.float32]:
    """A decoded frame of any sample format as (2, samples) float32, nominally within -1…1."""
    return stereo_of(frame.to_ndarray(), frame)


def stereo_of(raw: NDArray[np.generic], frame: AudioFrame) -> NDArray[np.float32]:
    """The contents of one frame, or of several like ``frame`` joined, as two channels.

    Args:
        raw: (channels, samples) when the frame's format is planar, else (1, samples · channels).
        frame: tells format and channels.

    Returns:
        (2, samples) float32, nominally within -1…1.
    """
    kind = frame.format.name.removesuffix("p")
    if kind not in FULL_SCALE:
        raise EmbeddingError(f'the file\'s sample format "{kind}" is not known')
    planes = (raw if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels).T).astype(np.float64)
    centred = (planes - FULL_SCALE["u8"] if kind == "u8" else planes) / FULL_SCALE[kind]
    sides = centred if len(centred) == STEREO else np.tile(centred.mean(axis=0), (STEREO, 1))
    return sides.astype(np.float32)
