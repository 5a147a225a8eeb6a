"""The log-mel spectrogram that musicnn was trained on, in numpy.

It equals ``librosa.feature.melspectrogram`` (Slaney mel scale and area normalisation, periodic Hann window, power
spectrum, frames centred on their time) followed by the reference's log10(10000·x + 1), all in float32. The reference
stores the spectrogram as float16 between the two steps; under the NumPy it was written for, the product with 10000 was
float32, under NumPy 2 it would overflow, so float16 is left out altogether.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Hz."""
FFT_SIZE = 512
HOP = 256
MEL_BANDS = 96
LOG_GAIN = 10_000.0
"""Lifts quiet bands above the +1 inside the logarithm."""

# The Slaney (Auditory Toolbox) mel scale: linear below 1 kHz, logarithmic above.
LINEAR_HZ_PER_MEL = 200.0 / 3.0
KNEE_HZ = 1000.0
KNEE_MEL = KNEE_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0
"""27 mels above the knee are a factor of 6.4 in frequency."""

FRAMES_AT_ONCE = 1024
"""Frames transformed together: 2 MB of windows, which stay in the cache."""


def samples_for(frames: int) -> int:
    """The fewest samples that give ``frames`` frames."""
    return (frames - 1) * HOP


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The log-mel spectrogram of (N,) samples at 16 kHz: (1 + N // 256, 96) float32.

    Raises:
        ValueError: fewer samples than half a window, which cannot be mirrored at the edges.
    """
    if len(samples) <= FFT_SIZE // 2:
        raise ValueError(f"{len(samples)} samples are fewer than the {FFT_SIZE // 2 + 1} that one frame needs")
    padded = np.pad(np.asarray(samples, dtype=np.float32), FFT_SIZE // 2, mode="reflect")
    frames = sliding_window_view(padded, FFT_SIZE)[::HOP]
    spectrogram = np.empty((len(frames), MEL_BANDS), dtype=np.float32)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        rows = slice(start, start + FRAMES_AT_ONCE)
        spectrum = np.fft.rfft(frames[rows] * hann_window(), axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        spectrogram[rows] = power @ mel_filters().T
    return np.log10(np.float32(LOG_GAIN) * spectrogram + np.float32(1.0))


@lru_cache(maxsize=1)
def hann_window() -> NDArray[np.float32]:
    """The periodic Hann window, (512,)."""
    phase = 2.0 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@lru_cache(maxsize=1)
def mel_filters() -> NDArray[np.float32]:
    """Triangles of equal area, (96, 257), from 0 Hz to 8 kHz on the Slaney mel scale."""
    bins = np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1)
    mels = np.linspace(0.0, float(hz_to_mel(np.array(SAMPLE_RATE / 2))), MEL_BANDS + 2)
    edges = mel_to_hz(mels)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    area = 2.0 / (edges[2:] - edges[:-2])
    return (triangles * area[:, None]).astype(np.float32)


def hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hz on the Slaney mel scale, elementwise."""
    above = KNEE_MEL + np.log(np.maximum(hz, KNEE_HZ) / KNEE_HZ) / LOG_STEP
    return np.where(hz < KNEE_HZ, hz / LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of :func:`hz_to_mel`."""
    above = KNEE_HZ * np.exp(LOG_STEP * (np.maximum(mel, KNEE_MEL) - KNEE_MEL))
    return np.where(mel < KNEE_MEL, mel * LINEAR_HZ_PER_MEL, above)
