"""musicnn (Pons & Serra 2019, arXiv 1909.06654), trained on the Million Song Dataset, as a front-end in torch.

One window is 187 frames of the log-mel spectrogram, three seconds. The front of the network looks at it with "timbral"
kernels (7 frames by 38 or 67 mel bands) and "temporal" ones (32, 64 or 128 frames by one band), each pooled to its maximum
over frequency; three convolutions over time follow, then maximum and mean over time, a dense layer – whose 200 outputs are
the embedding – and the 50 tags.

A :class:`Setting` says how much of a track is listened to and in which arithmetic. ``EXACT`` is the reference, to its last
digits; :func:`fast` is what the player uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.errors import EmbeddingError
from embeddings.excerpts import ExcerptPlan
from embeddings.frontend import Embedded
from embeddings.networks.mel import MEL_BANDS, log_mel, samples_for
from embeddings.networks.musicnn_front import Affine, ExactFront, Front, PooledConvolution, halved
from embeddings.networks.specs import MUSICNN
from embeddings.samples import checked_mono
from embeddings.weights.files import MUSICNN_WHEEL, read_member
from embeddings.weights.tf_checkpoint import read_checkpoint

WINDOW_FRAMES = 187
"""Three seconds, the length it was trained on; windows do not overlap and a last, shorter one is left out."""
WINDOWS_AT_ONCE = 1
"""Windows per pass through the network: more only push the unfolded input out of the processor's cache (float32: 35 ms a
window alone, 40 to 56 in fives and tens; bfloat16: 11 ms alone, 13 in fours)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The thoroughness with which a track is listened to.

    Attributes:
        windows: of longer tracks, this many, evenly spread.
        arithmetic: of the products in the convolutions; for bfloat16 see :mod:`embeddings.networks.musicnn_front`.
    """

    windows: int
    arithmetic: torch.dtype


EXACT = Setting(windows=20, arithmetic=torch.float32)
"""A minute of sound, in float32: the reference's own values."""

FAST_WINDOWS = 12
"""The fewest that stay within a point of the twenty of ``EXACT`` (240 tracks of 3:40; genre of the 5 nearest by other artists
70.0 % against 70.4 %, nearest of all by the same artist 36.5 % against 36.5 %). Eight lose 0.8 and 1.5 points, five gain 0.8 and
lose 3.0, each give or take four. ``python -m bench embed-quality`` measures it."""


def fast() -> Setting:
    """The fewest windows that lose nothing, with products in bfloat16 where this processor has instructions for them."""
    abilities = torch.cpu.get_capabilities()
    has_bfloat16 = abilities.get("amx_bf16") or abilities.get("avx512_bf16")
    return Setting(FAST_WINDOWS, torch.bfloat16 if has_bfloat16 else torch.float32)


INDEX_MEMBER = "musicnn/MSD_musicnn/.index"
DATA_MEMBER = "musicnn/MSD_musicnn/.data-00000-of-00001"

BATCH_NORM_EPSILON = 0.001
"""The default of TensorFlow 1's ``batch_normalization``, which the reference uses."""


class Musicnn:
    """The front-end: samples in, one 200-d vector and 50 tags per window out."""

    spec = MUSICNN

    def __init__(self, network: "MusicnnNetwork", setting: Setting) -> None:
        self._network = network.halved() if setting.arithmetic == torch.bfloat16 else network
        self._setting = setting

    @property
    def excerpts(self) -> ExcerptPlan:
        """See :class:`embeddings.excerpts.HearsExcerpts`: a piece is one window."""
        return ExcerptPlan(self._setting.windows, samples_for(WINDOW_FRAMES))

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        return self.embed_excerpts([samples])

    def embed_excerpts(self, excerpts: Sequence[NDArray[np.float32]]) -> Embedded:
        """See :meth:`embeddings.excerpts.HearsExcerpts.embed_excerpts`."""
        activations = self.run(self.patches(excerpts))
        return Embedded(activations.penultimate, activations.tags)

    def patches(self, excerpts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """The windows that are listened to: (W, 187, 96) log-mel spectrograms.

        Raises:
            EmbeddingError: the audio is empty, not finite, or too loud for float32 arithmetic.
        """
        windows = np.concatenate([_windows(checked_mono(excerpt)) for excerpt in excerpts])
        return spread(windows, self._setting.windows)

    def run(self, patches: NDArray[np.float32]) -> "Activations":
        """The network's outputs for (W, 187, 96) float32 patches of log-mel spectrogram."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(patches)).split(WINDOWS_AT_ONCE)
            columns = zip(*(self._network.forward(batch) for batch in batches), strict=True)
            return Activations(*(torch.cat(column).numpy() for column in columns))


@dataclass(frozen=True, slots=True)
class Activations:
    """The outputs that can be compared with the reference, per window: float32, (W, 50), (W, 200), (W, 753), (W, 753)."""

    tags: NDArray[np.float32]
    penultimate: NDArray[np.float32]
    mean_pool: NDArray[np.float32]
    max_pool: NDArray[np.float32]


def _windows(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """All windows of (N,) samples: (W, 187, 96), W >= 1. Short audio is repeated, as in the network's training."""
    spectrogram = log_mel(np.resize(mono, max(len(mono), samples_for(WINDOW_FRAMES))))
    count = len(spectrogram) // WINDOW_FRAMES
    return spectrogram[: count * WINDOW_FRAMES].reshape(count, WINDOW_FRAMES, MEL_BANDS)


def spread(windows: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most ``most`` of the windows (along the first axis), evenly spread and in order."""
    count = len(windows)
    if count <= most:
        return windows
    return windows[((np.arange(most) + 0.5) * count / most).astype(np.intp)]


def load_musicnn(_name: str, wheel: Path, setting: Setting | None = None) -> Musicnn:
    """Read MSD_musicnn from the ``musicnn`` wheel, whose SHA-256 is verified first; by default in the setting :func:`fast`.

    Raises:
        EmbeddingError: the wheel is missing, is another file, or does not hold the network.
    """
    contents = MUSICNN_WHEEL.read(wheel)
    variables = read_checkpoint(read_member(contents, INDEX_MEMBER), read_member(contents, DATA_MEMBER))
    return Musicnn(network_from(variables), setting or fast())


# --- The network -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimeConvolution:
    """Convolution over 7 frames and all channels, ReLU, batch normalisation."""

    kernel: Tensor  # (filters, channels, 7), as conv1d wants it
    bias: Tensor  # (filters,)
    norm: Affine

    def __call__(self, x: Tensor) -> Tensor:
        """From (B, T, channels) to (B, T, filters)."""
        same = self.kernel.shape[-1] // 2
        products = F.conv1d(x.transpose(1, 2).to(self.kernel.dtype), self.kernel, padding=same).float()
        return self.norm(torch.relu(products.transpose(1, 2) + self.bias))


@dataclass(frozen=True, slots=True)
class Dense:
    """A matrix and a bias."""

    kernel: Tensor  # (in, out)
    bias: Tensor  # (out,)

    def __call__(self, x: Tensor) -> Tensor:
        """From (B, in) to (B, out)."""
        return torch.addmm(self.bias, x, self.kernel)


@dataclass(frozen=True, slots=True)
class MusicnnNetwork:
    """The whole of musicnn; figures in the comments are for MSD_musicnn."""

    normalise_input: Affine
    front: Front  # 2 × 204 timbral and 3 × 51 temporal filters
    over_time: tuple[TimeConvolution, ...]  # 3 × 64 filters, the second and third with a residual connection
    normalise_pooled: Affine
    dense: Dense
    normalise_dense: Affine
    output: Dense

    def halved(self) -> "MusicnnNetwork":
        """The same network with the products of its convolutions in bfloat16."""
        assert isinstance(self.front, ExactFront)
        over_time = tuple(replace(layer, kernel=layer.kernel.bfloat16()) for layer in self.over_time)
        return replace(self, front=halved(self.front), over_time=over_time)

    def forward(self, patches: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """From (B, 187, 96) to tags (B, 50), penultimate (B, 200), mean_pool (B, 753), max_pool (B, 753)."""
        front = self.front(self.normalise_input(patches))  # (B, T, 561)
        first = self.over_time[0](front)  # (B, T, 64)
        second = self.over_time[1](first) + first
        third = self.over_time[2](second) + second
        features = torch.cat([front, first, second, third], dim=2)  # (B, T, 753)
        max_pool, mean_pool = features.amax(dim=1), features.mean(dim=1)
        pooled = torch.stack([max_pool, mean_pool], dim=2).flatten(1)  # interleaved: max, mean, max, mean, …
        penultimate = self.normalise_dense(torch.relu(self.dense(self.normalise_pooled(pooled))))
        return torch.sigmoid(self.output(penultimate)), penultimate, mean_pool, max_pool


# --- From the checkpoint's variables -----------------------------------------------------------------------------

FILTERS_TIMBRAL = 204
FILTERS_TEMPORAL = 51
FILTERS_OVER_TIME = 64
FEATURES = 2 * FILTERS_TIMBRAL + 3 * FILTERS_TEMPORAL + 3 * FILTERS_OVER_TIME
TIMBRAL_KERNELS = ((7, 38), (7, 67))
TEMPORAL_KERNELS = ((128, 1), (64, 1), (32, 1))


def network_from(variables: Mapping[str, NDArray[np.float32]]) -> MusicnnNetwork:
    """Build the network from the checkpoint's variables, every shape checked.

    TensorFlow numbered the layers as they were made: convolutions and batch normalisations 0…, in the order of use.

    Raises:
        EmbeddingError: a variable is missing, has another shape, or is not finite.
    """
    read = _Variables(variables)
    front = 2 * FILTERS_TIMBRAL + 3 * FILTERS_TEMPORAL
    over_time_inputs = (front, FILTERS_OVER_TIME, FILTERS_OVER_TIME)
    return MusicnnNetwork(
        normalise_input=read.batch_norm(0, 1),
        front=ExactFront(
            tuple(read.pooled(i, i + 1, shape, FILTERS_TIMBRAL) for i, shape in enumerate(TIMBRAL_KERNELS)),
            tuple(read.pooled(i, i + 1, shape, FILTERS_TEMPORAL) for i, shape in enumerate(TEMPORAL_KERNELS, 2)),
        ),
        over_time=tuple(read.over_time(i, i + 1, inputs) for i, inputs in enumerate(over_time_inputs, 5)),
        normalise_pooled=read.batch_norm(9, 2 * FEATURES),
        dense=read.dense("dense", 2 * FEATURES, MUSICNN.dimension),
        normalise_dense=read.batch_norm(10, MUSICNN.dimension),
        output=read.dense("dense_1", MUSICNN.dimension, len(MUSICNN.tag_names)),
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
