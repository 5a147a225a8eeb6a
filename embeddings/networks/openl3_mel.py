"""The spectrogram that OpenL3 looks at, in numpy.

It equals the reference's librosa front-end (Slaney mel scale and area normalisation, periodic Hann window, *magnitude*
spectrum, frames centred on their time with zeros beyond the edges), in decibels below the loudest value of the second,
at most 80 dB. The transform is made in float64, as there.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from embeddings.networks.mel import hz_to_mel, mel_to_hz
from embeddings.networks.openl3_spec import SAMPLE_RATE, WINDOW_SAMPLES

FFT_SIZE = 2048
HOP = 242
FRAMES = 1 + WINDOW_SAMPLES // HOP
QUIETEST = 1e-10
"""Magnitudes below it count as it, so that silence has a logarithm."""
DYNAMIC_RANGE = 80.0
"""dB."""


def decibel_mel(windows: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    """The spectrograms of (W, 48000) samples at 48 kHz: (W, bands, 199) float32, each from -80 to 0 dB.

    Raises:
        ValueError: the windows are not one second long.
    """
    if windows.ndim != 2 or windows.shape[1] != WINDOW_SAMPLES:  # noqa: PLR2004 - windows and samples
        raise ValueError(f"windows of shape {windows.shape} are not (W, {WINDOW_SAMPLES})")
    spectrograms = np.empty((len(windows), bands, FRAMES), np.float32)
    for window, spectrogram in zip(windows, spectrograms, strict=True):
        frames = sliding_window_view(np.pad(window, FFT_SIZE // 2), FFT_SIZE)[::HOP]
        magnitudes = np.abs(np.fft.rfft(frames * _hann_window(), axis=1)).astype(np.float32)
        decibels = 10.0 * np.log10(np.maximum(mel_triangles(bands) @ magnitudes.T, np.float32(QUIETEST)))
        spectrogram[:] = np.maximum(decibels - decibels.max(), -DYNAMIC_RANGE)
    return spectrograms


@lru_cache(maxsize=1)
def _hann_window() -> NDArray[np.float64]:
    """The periodic Hann window, (2048,)."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)


@lru_cache(maxsize=2)
def mel_triangles(bands: int) -> NDArray[np.float32]:
    """Triangles of equal area, (bands, 1025), from 0 Hz to 24 kHz on the Slaney mel scale."""
    bins = np.linspace(0.0, SAMPLE_RATE / 2, FFT_SIZE // 2 + 1)
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.array(SAMPLE_RATE / 2))), bands + 2))
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)
