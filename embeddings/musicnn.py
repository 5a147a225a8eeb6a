"""musicnn (Pons & Serra 2019, arXiv 1909.06654), trained on the Million Song Dataset, as a front-end in torch.

One window is 187 frames of the log-mel spectrogram, three seconds. The front of the network looks at it with "timbral"
kernels (7 frames by 38 or 67 mel bands) and "temporal" ones (32, 64 or 128 frames by one band), each pooled to its maximum
over frequency; three convolutions over time follow, then maximum and mean over time, a dense layer – whose 200 outputs are
the embedding – and the 50 tags.

Convolutions with a single input channel run far below the processor's speed in torch, so both kinds are matrix products
here: see :func:`_timbral` and :func:`_temporal`. All arithmetic is float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.cards import MUSICNN
from embeddings.checkpoint import read_checkpoint
from embeddings.errors import EmbeddingError
from embeddings.frontend import Embedded, checked_mono
from embeddings.mel import HOP, MEL_BANDS, SAMPLE_RATE, log_mel, samples_for
from embeddings.weights import MUSICNN_WHEEL, read_member, verified

WINDOW_FRAMES = 187
"""Three seconds, the length it was trained on; windows do not overlap and a last, shorter one is left out."""
MAX_WINDOWS = 20
"""Of longer tracks, this many windows spread evenly are embedded: a minute of sound. On one-minute tracks five windows of
twenty already gave the same nearest neighbours (5-NN genre accuracy .738 against .743), and the cost is per window."""
WINDOWS_AT_ONCE = 1
"""Windows per pass through the network: more only push the unfolded input out of the processor's cache (35 ms a window
alone, 40 to 56 in fives and tens)."""

INDEX_MEMBER = "musicnn/MSD_musicnn/.index"
DATA_MEMBER = "musicnn/MSD_musicnn/.data-00000-of-00001"

BATCH_NORM_EPSILON = 0.001
"""The default of TensorFlow 1's ``batch_normalization``, which the reference uses."""


class Musicnn:
    """The front-end: samples in, one 200-d vector and 50 tags per window out."""

    name = MUSICNN.name
    version = MUSICNN.version
    licence = MUSICNN.weights.licence
    sample_rate = SAMPLE_RATE
    channels = 1
    window_seconds = WINDOW_FRAMES * HOP / SAMPLE_RATE
    dimension = MUSICNN.dimension
    tag_names = MUSICNN.tag_names

    def __init__(self, network: "Network") -> None:
        self._network = network

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        mono = checked_mono(samples)
        # Short audio is repeated, as the network's training did.
        spectrogram = log_mel(np.resize(mono, max(len(mono), samples_for(WINDOW_FRAMES))))
        activations = self.run(spread_windows(spectrogram, MAX_WINDOWS))
        return Embedded(activations.penultimate, activations.tags)

    def run(self, patches: NDArray[np.float32]) -> "Activations":
        """The network's outputs for (W, 187, 96) float32 patches of log-mel spectrogram."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(patches)).split(WINDOWS_AT_ONCE)
            columns = zip(*(self._network.forward(batch) for batch in batches), strict=True)
            return Activations(*(torch.cat(column).numpy() for column in columns))


@dataclass(frozen=True, slots=True)
class Activations:
    """What can be compared with the reference, per window: float32, (W, 50), (W, 200), (W, 753), (W, 753)."""

    tags: NDArray[np.float32]
    penultimate: NDArray[np.float32]
    mean_pool: NDArray[np.float32]
    max_pool: NDArray[np.float32]


def spread_windows(spectrogram: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """(T, 96) frames cut into windows, of which at most ``most``, evenly spread: (W, 187, 96), T >= 187."""
    count = len(spectrogram) // WINDOW_FRAMES
    windows = spectrogram[: count * WINDOW_FRAMES].reshape(count, WINDOW_FRAMES, MEL_BANDS)
    if count <= most:
        return windows
    return windows[((np.arange(most) + 0.5) * count / most).astype(np.intp)]


def load_musicnn(wheel: Path) -> Musicnn:
    """Read MSD_musicnn from the ``musicnn`` wheel, whose SHA-256 is verified first.

    Raises:
        EmbeddingError: the wheel is missing, is another file, or does not hold the network.
    """
    contents = verified(wheel, MUSICNN_WHEEL)
    variables = read_checkpoint(read_member(contents, INDEX_MEMBER), read_member(contents, DATA_MEMBER))
    return Musicnn(network_from(variables))


# --- The network -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Affine:
    """A batch normalisation with its statistics fixed: y = x · scale + shift, per channel."""

    scale: Tensor
    shift: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Apply to (…, channels)."""
        return torch.addcmul(self.shift, x, self.scale)


@dataclass(frozen=True, slots=True)
class PooledConvolution:
    """Convolution, ReLU, batch normalisation, then the maximum over frequency.

    The pooling comes last in the reference but is done first here, on the bare products: ReLU and a positive scale keep
    the order of values, and filters whose scale is negative are stored negated (``sign`` -1), which turns their minimum
    into a maximum. So a ninth of the memory is moved, and the result is the same.
    """

    kernel: Tensor  # (frames · bands, filters), negated where sign is -1
    sign: Tensor  # (filters,)
    bias: Tensor  # (filters,)
    norm: Affine

    def finish(self, largest: Tensor) -> Tensor:
        """From the largest products over frequency, (…, filters), to the block's output of the same shape."""
        return self.norm(torch.relu(largest * self.sign + self.bias))


@dataclass(frozen=True, slots=True)
class TimeConvolution:
    """Convolution over 7 frames and all channels, ReLU, batch normalisation."""

    kernel: Tensor  # (filters, channels, 7), as conv1d wants it
    bias: Tensor  # (filters,)
    norm: Affine

    def __call__(self, x: Tensor) -> Tensor:
        """From (B, T, channels) to (B, T, filters)."""
        same = self.kernel.shape[-1] // 2
        products = F.conv1d(x.transpose(1, 2), self.kernel, self.bias, padding=same)
        return self.norm(torch.relu(products).transpose(1, 2))


@dataclass(frozen=True, slots=True)
class Dense:
    """A matrix and a bias."""

    kernel: Tensor  # (in, out)
    bias: Tensor  # (out,)

    def __call__(self, x: Tensor) -> Tensor:
        """From (B, in) to (B, out)."""
        return torch.addmm(self.bias, x, self.kernel)


@dataclass(frozen=True, slots=True)
class Network:
    """The whole of musicnn; figures in the comments are for MSD_musicnn."""

    normalise_input: Affine
    timbral: tuple[PooledConvolution, ...]  # 2 × 204 filters
    temporal: tuple[PooledConvolution, ...]  # 3 × 51 filters, longest kernel first
    over_time: tuple[TimeConvolution, ...]  # 3 × 64 filters, the second and third with a residual connection
    normalise_pooled: Affine
    dense: Dense
    normalise_dense: Affine
    output: Dense

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """From (B, 187, 96) to tags (B, 50), penultimate (B, 200), mean_pool (B, 753), max_pool (B, 753)."""
        x = self.normalise_input(patches)
        front = torch.cat([*_timbral(x, self.timbral), *_temporal(x, self.temporal)], dim=2)  # (B, T, 561)
        first = self.over_time[0](front)  # (B, T, 64)
        second = self.over_time[1](first) + first
        third = self.over_time[2](second) + second
        features = torch.cat([front, first, second, third], dim=2)  # (B, T, 753)
        max_pool, mean_pool = features.amax(dim=1), features.mean(dim=1)
        pooled = torch.stack([max_pool, mean_pool], dim=2).flatten(1)  # interleaved: max, mean, max, mean, …
        penultimate = self.normalise_dense(torch.relu(self.dense(self.normalise_pooled(pooled))))
        return torch.sigmoid(self.output(penultimate)), penultimate, mean_pool, max_pool


def _timbral(x: Tensor, blocks: tuple[PooledConvolution, ...]) -> list[Tensor]:
    """Kernels of 7 frames by many bands over (B, T, 96): one (B, T, filters) per block.

    Each frame becomes a row of its 7 neighbours band by band, 96 · 7 numbers. A kernel placed at band f then sees the
    contiguous stretch of that row that starts at 7 f: a strided matrix, multiplied without being copied.
    """
    batch, frames, bands = x.shape
    height = 7
    rows = F.pad(x, (0, 0, height // 2, height // 2)).unfold(1, height, 1).reshape(batch * frames, bands * height)
    outputs: list[Tensor] = []
    for block in blocks:
        size = block.kernel.shape[0]
        largest = rows[:, :size] @ block.kernel
        products = torch.empty_like(largest)
        for start in range(height, rows.shape[1] - size + 1, height):
            torch.mm(rows[:, start : start + size], block.kernel, out=products)
            torch.maximum(largest, products, out=largest)
        outputs.append(block.finish(largest).view(batch, frames, -1))
    return outputs


def _temporal(x: Tensor, blocks: tuple[PooledConvolution, ...]) -> list[Tensor]:
    """Kernels of many frames by one band over (B, T, 96), padded to the same T: one (B, T, filters) per block.

    Kernels of even length reach one frame further after than before, as TensorFlow pads. They share one unfolded input:
    the shorter ones use the middle of the longest one's rows.
    """
    batch, frames, bands = x.shape
    longest = blocks[0].kernel.shape[0]
    before = _frames_before(longest)
    padded = F.pad(x, (0, 0, before, longest - 1 - before)).transpose(1, 2).contiguous()  # (B, 96, T + longest - 1)
    rows = padded.unfold(2, longest, 1).reshape(batch * bands * frames, longest)
    outputs: list[Tensor] = []
    for block in blocks:
        size = block.kernel.shape[0]
        start = before - _frames_before(size)
        products = rows[:, start : start + size] @ block.kernel
        outputs.append(block.finish(products.view(batch, bands, frames, -1).amax(dim=1)))
    return outputs


def _frames_before(kernel_frames: int) -> int:
    """How many frames a same-padded kernel reaches back."""
    return (kernel_frames - 1) // 2


# --- From the checkpoint's variables -----------------------------------------------------------------------------

FILTERS_TIMBRAL = 204
FILTERS_TEMPORAL = 51
FILTERS_OVER_TIME = 64
FEATURES = 2 * FILTERS_TIMBRAL + 3 * FILTERS_TEMPORAL + 3 * FILTERS_OVER_TIME
TIMBRAL_KERNELS = ((7, 38), (7, 67))
TEMPORAL_KERNELS = ((128, 1), (64, 1), (32, 1))


def network_from(variables: Mapping[str, NDArray[np.float32]]) -> Network:
    """Build the network from the checkpoint's variables, every shape checked.

    TensorFlow numbered the layers as they were made: convolutions and batch normalisations 0…, in the order of use.

    Raises:
        EmbeddingError: a variable is missing, has another shape, or is not finite.
    """
    read = _Variables(variables)
    front = 2 * FILTERS_TIMBRAL + 3 * FILTERS_TEMPORAL
    over_time_inputs = (front, FILTERS_OVER_TIME, FILTERS_OVER_TIME)
    return Network(
        normalise_input=read.batch_norm(0, 1),
        timbral=tuple(read.pooled(i, i + 1, shape, FILTERS_TIMBRAL) for i, shape in enumerate(TIMBRAL_KERNELS)),
        temporal=tuple(read.pooled(i, i + 1, shape, FILTERS_TEMPORAL) for i, shape in enumerate(TEMPORAL_KERNELS, 2)),
        over_time=tuple(read.over_time(i, i + 1, inputs) for i, inputs in enumerate(over_time_inputs, 5)),
        normalise_pooled=read.batch_norm(9, 2 * FEATURES),
        dense=read.dense("dense", 2 * FEATURES, Musicnn.dimension),
        normalise_dense=read.batch_norm(10, Musicnn.dimension),
        output=read.dense("dense_1", Musicnn.dimension, len(Musicnn.tag_names)),
    )


class _Variables:
    """The checkpoint's variables as layers."""

    def __init__(self, variables: Mapping[str, NDArray[np.float32]]) -> None:
        self._variables = variables

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """One variable, of this shape and finite."""
        array = self._variables.get(name)
        if array is None:
            raise EmbeddingError(f'the checkpoint has no variable "{name}"; it is not MSD_musicnn')
        if array.shape != shape or not np.isfinite(array).all():
            raise EmbeddingError(f'the checkpoint\'s variable "{name}" is not a finite array of shape {shape}')
        return torch.from_numpy(np.array(array, dtype=np.float32))

    def batch_norm(self, number: int, channels: int) -> Affine:
        """The ``number``-th batch normalisation as scale and shift (Ioffe & Szegedy 2015, eq. 4 of the inference form)."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        gamma, beta, mean, variance = (
            self.tensor(f"{_numbered('batch_normalization', number)}/{name}", (channels,)).double() for name in names
        )
        scale = gamma / torch.sqrt(variance + BATCH_NORM_EPSILON)
        return Affine(scale.float(), (beta - mean * scale).float())

    def pooled(self, number: int, norm: int, kernel: tuple[int, int], filters: int) -> PooledConvolution:
        """The ``number``-th convolution, of the front, with the batch normalisation ``norm``."""
        layer = _numbered("conv2d", number)
        weights = self.tensor(f"{layer}/kernel", (*kernel, 1, filters))  # (frames, bands, 1, filters)
        affine = self.batch_norm(norm, filters)
        sign = torch.where(affine.scale < 0, -1.0, 1.0)
        flat = weights.squeeze(2).transpose(0, 1).reshape(-1, filters)  # band by band, as the rows are
        return PooledConvolution(flat * sign, sign, self.tensor(f"{layer}/bias", (filters,)), affine)

    def over_time(self, number: int, norm: int, inputs: int) -> TimeConvolution:
        """The ``number``-th convolution, of the middle, with the batch normalisation ``norm``."""
        layer = _numbered("conv2d", number)
        weights = self.tensor(f"{layer}/kernel", (7, inputs, 1, FILTERS_OVER_TIME)).squeeze(2)  # (7, in, out)
        kernel = weights.permute(2, 1, 0).contiguous()
        bias = self.tensor(f"{layer}/bias", (FILTERS_OVER_TIME,))
        return TimeConvolution(kernel, bias, self.batch_norm(norm, FILTERS_OVER_TIME))

    def dense(self, layer: str, inputs: int, outputs: int) -> Dense:
        """A dense layer."""
        return Dense(self.tensor(f"{layer}/kernel", (inputs, outputs)), self.tensor(f"{layer}/bias", (outputs,)))


def _numbered(kind: str, number: int) -> str:
    """TensorFlow's name of the ``number``-th layer of a kind: the first has no number."""
    return kind if number == 0 else f"{kind}_{number}"
