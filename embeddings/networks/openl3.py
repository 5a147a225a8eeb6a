"""OpenL3 (Cramer et al. 2019, "Look, Listen and Learn More", ICASSP), its music networks, in torch.

The network looks at one second as a spectrogram of 128 or 256 mel bands. Three pairs of 3×3 convolutions, each pair
followed by a maximum over 2×2, and a fourth pair give 512 maps; their maximum over large or small rectangles is the
representation of 512 or 6144 numbers.

The original takes a window every tenth of a second and puts half a second of silence before the first. Pooled over a
track, neighbours that share nine tenths of their sound add little, so windows here follow one another without overlap.

The spectrogram equals the reference's librosa front-end (Slaney mel scale and area normalisation, periodic Hann window,
*magnitude* spectrum, frames centred on their time with zeros beyond the edges), in decibels below the loudest value of the
second, at most 80 dB. The transform is made in float64, as there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from embeddings.errors import EmbeddingError
from embeddings.excerpts import ExcerptPlan
from embeddings.frontend import Embedded
from embeddings.networks.conv_bn_fusion import BatchNorm, Convolution, folded
from embeddings.networks.mel import hz_to_mel, mel_to_hz
from embeddings.networks.specs import (
    OPENL3_MEL128_512,
    OPENL3_MEL128_6144,
    OPENL3_MEL128_FILE,
    OPENL3_MEL256_512,
    OPENL3_MEL256_6144,
    OPENL3_MEL256_FILE,
    OPENL3_RATE,
    OPENL3_WINDOW,
)
from embeddings.samples import untagged, windows_of
from embeddings.spec import FrontEndSpec
from embeddings.weights.keras_h5 import KerasLayer, read_keras_h5

MAX_WINDOWS = 20
"""Of longer tracks, this many seconds spread evenly are embedded: more than of musicnn's windows, which are three times as
long, and few enough that 10,000 tracks, at 0.2 s a window, are less than a night's work for two cores."""
CHANNELS = (64, 64, 128, 128, 256, 256, 512, 512)
"""Of the eight convolutions."""
KERAS_EPSILON = 1e-3
"""The default of Keras's batch normalisation, which the reference uses."""
LAST_LAYER = "audio_embedding_layer"
"""The reference's name of its last convolution; the others are numbered."""

FFT_SIZE = 2048
HOP = 242
FRAMES = 1 + OPENL3_WINDOW // HOP
QUIETEST = 1e-10
"""Magnitudes below it count as it, so that silence has a logarithm."""
DYNAMIC_RANGE = 80.0
"""dB."""


@dataclass(frozen=True, slots=True)
class OpenL3Variant:
    """One of the four: how the sound is pictured, and how the maps are pooled.

    Attributes:
        spec: the front-end it is.
        bands: mel bands of the spectrogram.
        pooling: height and width, in the last maps' bands and frames, of the rectangles that maxima are taken over.
    """

    spec: FrontEndSpec
    bands: int
    pooling: tuple[int, int]


VARIANTS: Mapping[str, OpenL3Variant] = MappingProxyType(
    {
        variant.spec.name: variant
        for variant in (
            OpenL3Variant(OPENL3_MEL256_512, 256, (32, 24)),
            OpenL3Variant(OPENL3_MEL256_6144, 256, (8, 8)),
            OpenL3Variant(OPENL3_MEL128_512, 128, (16, 24)),
            OpenL3Variant(OPENL3_MEL128_6144, 128, (4, 8)),
        )
    }
)
FILES = MappingProxyType({128: OPENL3_MEL128_FILE, 256: OPENL3_MEL256_FILE})
"""By the number of mel bands."""


class OpenL3:
    """The front-end: samples in, one vector per second out."""

    excerpts = ExcerptPlan(MAX_WINDOWS, OPENL3_WINDOW)

    def __init__(self, variant: OpenL3Variant, network: "OpenL3Network") -> None:
        self.spec = variant.spec
        self._variant = variant
        self._network = network

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        return self.embed_excerpts([samples])

    def embed_excerpts(self, excerpts: Sequence[NDArray[np.float32]]) -> Embedded:
        """See :meth:`embeddings.excerpts.HearsExcerpts.embed_excerpts`."""
        return untagged(self.run(decibel_mel(windows_of(excerpts, self.spec, MAX_WINDOWS), self._variant.bands)))

    def run(self, spectrograms: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's outputs for (W, bands, 199) float32 spectrograms: (W, dimension) float32."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(spectrograms)).split(1)  # 13 MB of maps per second of sound
            maps = [self._network.forward(batch) for batch in batches]
            # Keras flattens (bands, frames, maps) in this order.
            pooled = [F.max_pool2d(m, self._variant.pooling).permute(0, 2, 3, 1).flatten(1) for m in maps]
            return torch.cat(pooled).numpy()


@dataclass(frozen=True, slots=True)
class OpenL3Network:
    """Up to and including the last convolution, whose maps are pooled as the variant says."""

    scale: float
    """With ``shift``, the normalisation of the spectrogram; it cannot be folded, for the zeros around come after it."""
    shift: float
    convolutions: tuple[Convolution, ...]

    def forward(self, spectrograms: Tensor) -> Tensor:
        """From (B, bands, 199) to (B, 512, bands / 8, 24)."""
        x = (spectrograms * self.scale + self.shift).unsqueeze(1)
        *pairs, (before, last) = zip(self.convolutions[::2], self.convolutions[1::2], strict=True)
        for first, second in pairs:
            x = torch.relu(first(x, padding=1))
            x = F.max_pool2d(torch.relu(second(x, padding=1)), 2)
        return last(torch.relu(before(x, padding=1)), padding=1)  # the last has neither normalisation nor ReLU


def load_openl3(name: str, weights: Path) -> OpenL3:
    """Read the authors' Keras file, ``.h5`` or ``.h5.gz``, for the front-end ``name`` of :data:`VARIANTS`.

    Raises:
        EmbeddingError: the file is missing, damaged, another network's, or h5py is not installed.
    """
    variant = VARIANTS[name]
    other = {128: "mel256", 256: "mel128"}[variant.bands]
    if other in weights.name:  # the two have the same shapes, so nothing else could tell them apart
        raise EmbeddingError(f"{weights} holds the weights for {other}, which {name} does not use")
    return OpenL3(variant, network_from(read_keras_h5(FILES[variant.bands].read(weights))))


def network_from(layers: tuple[KerasLayer, ...]) -> OpenL3Network:
    """Build the network from the layers that have parameters, every shape checked.

    Raises:
        EmbeddingError: a layer is missing, has another shape, or is not finite.
    """
    norms = [layer for layer in layers if "gamma" in layer.arrays]
    numbered = [layer for layer in layers if "kernel" in layer.arrays and layer.name != LAST_LAYER]
    convolutions = [*numbered, *(layer for layer in layers if layer.name == LAST_LAYER)]
    if (len(norms), len(convolutions)) != (len(CHANNELS), len(CHANNELS)):
        raise EmbeddingError(
            f"the weights have {len(convolutions)} convolutions and {len(norms)} batch normalisations, "
            f"not {len(CHANNELS)} of each; they are not OpenL3's audio network"
        )
    scale, shift = (float(value[0]) for value in _norm(norms[0], 1).affine())
    inputs = (1, *CHANNELS)
    shapes = [(3, 3, inputs[number], outputs) for number, outputs in enumerate(CHANNELS)]
    normalised = [
        folded(*_kernel_and_bias(layer, shape), _norm(norm, shape[3]))
        for layer, shape, norm in zip(convolutions[:-1], shapes[:-1], norms[1:], strict=True)
    ]
    return OpenL3Network(scale, shift, (*normalised, Convolution(*_kernel_and_bias(convolutions[-1], shapes[-1]))))


def _kernel_and_bias(layer: KerasLayer, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Keras's kernel (height, width, in, out) as torch's (out, in, height, width), and the bias."""
    kernel = _tensor(layer, "kernel", shape).permute(3, 2, 0, 1).contiguous()
    return kernel, _tensor(layer, "bias", shape[3:])


def _norm(layer: KerasLayer, channels: int) -> BatchNorm:
    leaves = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = (_tensor(layer, leaf, (channels,)) for leaf in leaves)
    return BatchNorm(gamma, beta, mean, variance, KERAS_EPSILON)


def _tensor(layer: KerasLayer, leaf: str, shape: tuple[int, ...]) -> Tensor:
    array = layer.arrays.get(leaf)
    if array is None or array.shape != shape or not np.isfinite(array).all():
        raise EmbeddingError(f'the weights\' "{layer.name}/{leaf}" is not a finite array of shape {shape}')
    return torch.from_numpy(np.ascontiguousarray(array))


# --- The spectrogram ---------------------------------------------------------------------------------------------


def decibel_mel(windows: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    """The spectrograms of (W, 48000) samples at 48 kHz: (W, bands, 199) float32, each from -80 to 0 dB.

    Raises:
        ValueError: the windows are not one second long.
    """
    if windows.ndim != 2 or windows.shape[1] != OPENL3_WINDOW:  # noqa: PLR2004 - windows and samples
        raise ValueError(f"windows of shape {windows.shape} are not (W, {OPENL3_WINDOW})")
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
    bins = np.linspace(0.0, OPENL3_RATE / 2, FFT_SIZE // 2 + 1)
    edges = mel_to_hz(np.linspace(0.0, float(hz_to_mel(np.array(OPENL3_RATE / 2))), bands + 2))
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)
