"""musicnn (Pons & Serra 2019, arXiv 1909.06654), trained on the Million Song Dataset, as a front-end.

One window is 187 frames of the log-mel spectrogram, three seconds. The front of the network looks at it with "timbral"
kernels (7 frames by 38 or 67 mel bands) and "temporal" ones (32, 64 or 128 frames by one band), each pooled to its maximum
over frequency; three convolutions over time follow, then maximum and mean over time, a dense layer – whose 200 outputs are
the embedding – and the 50 tags.

A :class:`Setting` says how much of a track is listened to and in which arithmetic. ``EXACT`` is the reference, to its last
digits; :func:`fast` is what the player uses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError
from embeddings.excerpts import ExcerptPlan
from embeddings.frontend import Embedded
from embeddings.networks.mel import MEL_BANDS, log_mel, samples_for
from embeddings.networks.musicnn_front import Affine, Front, PooledConvolution, TimeConvolution
from embeddings.networks.specs import MUSICNN
from embeddings.samples import checked_mono
from embeddings.weights.files import MUSICNN_WHEEL, read_member
from embeddings.weights.tf_checkpoint import read_checkpoint

WINDOW_FRAMES = 187
"""Three seconds, the length it was trained on; windows do not overlap and a last, shorter one is left out."""


class Arithmetic(Enum):
    """Of the products in the convolutions."""

    FLOAT32 = "float32"
    """numpy's: the reference's own precision, on every machine."""
    BFLOAT16 = "bfloat16"
    """PyTorch's (:mod:`embeddings.networks.musicnn_bfloat16`): three times as fast where the processor has it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The thoroughness with which a track is listened to.

    Attributes:
        windows: of longer tracks, this many, evenly spread.
        arithmetic: of the products in the convolutions.
    """

    windows: int
    arithmetic: Arithmetic


EXACT = Setting(windows=20, arithmetic=Arithmetic.FLOAT32)
"""A minute of sound, in float32: the reference's own values."""

FAST_WINDOWS = 12
"""The fewest that stay within a point of the twenty of ``EXACT`` (240 tracks of 3:40; genre of the 5 nearest by other artists
70.0 % against 70.4 %, nearest of all by the same artist 36.5 % against 36.5 %). Eight lose 0.8 and 1.5 points, five gain 0.8 and
lose 3.0, each give or take four. ``python -m bench embed-quality`` measures it."""


def fast() -> Setting:
    """The fewest windows that lose nothing, with products in bfloat16 where PyTorch is there and this processor has it."""
    if find_spec("torch") is None:
        return Setting(FAST_WINDOWS, Arithmetic.FLOAT32)
    from embeddings.networks.musicnn_bfloat16 import processor_has_bfloat16  # noqa: PLC0415 - only where there is PyTorch

    return Setting(FAST_WINDOWS, Arithmetic.BFLOAT16 if processor_has_bfloat16() else Arithmetic.FLOAT32)


INDEX_MEMBER = "musicnn/MSD_musicnn/.index"
DATA_MEMBER = "musicnn/MSD_musicnn/.data-00000-of-00001"

BATCH_NORM_EPSILON = 0.001
"""The default of TensorFlow 1's ``batch_normalization``, which the reference uses."""


class Musicnn:
    """The front-end: samples in, one 200-d vector and 50 tags per window out."""

    spec = MUSICNN

    def __init__(self, network: "MusicnnNetwork", setting: Setting) -> None:
        self._network = network.in_bfloat16() if setting.arithmetic is Arithmetic.BFLOAT16 else network
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
        columns = zip(*(self._network(patch) for patch in patches), strict=True)
        return Activations(*(np.stack(column) for column in columns))


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


Layer = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From (T, channels) to (T, filters)."""


@dataclass(frozen=True, slots=True)
class Dense:
    """A matrix and a bias."""

    kernel: NDArray[np.float32]  # (in, out)
    bias: NDArray[np.float32]  # (out,)

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (in,) to (out,)."""
        return x @ self.kernel + self.bias


@dataclass(frozen=True, slots=True)
class MusicnnNetwork:
    """The whole of musicnn; figures in the comments are for MSD_musicnn."""

    normalise_input: Affine
    front: Layer  # 2 × 204 timbral and 3 × 51 temporal filters
    over_time: tuple[Layer, ...]  # 3 × 64 filters, the second and third with a residual connection
    normalise_pooled: Affine
    dense: Dense
    normalise_dense: Affine
    output: Dense

    def in_bfloat16(self) -> "MusicnnNetwork":
        """The same network with the products of its convolutions in bfloat16."""
        from embeddings.networks.musicnn_bfloat16 import TorchFront, in_bfloat16  # noqa: PLC0415 - PyTorch takes seconds

        assert isinstance(self.front, Front)
        over_time = tuple(in_bfloat16(layer) for layer in self.over_time if isinstance(layer, TimeConvolution))
        return replace(self, front=TorchFront(self.front), over_time=over_time)

    def __call__(self, patch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """From (187, 96) to tags (50,), penultimate (200,), mean_pool (753,), max_pool (753,)."""
        front = self.front(self.normalise_input(patch))  # (T, 561)
        first = self.over_time[0](front)  # (T, 64)
        second = self.over_time[1](first) + first
        third = self.over_time[2](second) + second
        features = np.concatenate([front, first, second, third], axis=1)  # (T, 753)
        max_pool, mean_pool = features.max(axis=0), features.mean(axis=0)
        pooled = np.stack([max_pool, mean_pool], axis=1).ravel()  # interleaved: max, mean, max, mean, …
        penultimate = self.normalise_dense(np.maximum(self.dense(self.normalise_pooled(pooled)), 0))
        tags = (1 / (1 + np.exp(-self.output(penultimate)))).astype(np.float32, copy=False)
        return tags, penultimate, mean_pool, max_pool


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
        front=Front(
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

    def array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """One variable, of this shape and finite."""
        array = self._variables.get(name)
        if array is None:
            raise EmbeddingError(f'the checkpoint has no variable "{name}"; it is not MSD_musicnn')
        if array.shape != shape or not np.isfinite(array).all():
            raise EmbeddingError(f'the checkpoint\'s variable "{name}" is not a finite array of shape {shape}')
        return np.asarray(array, dtype=np.float32)

    def batch_norm(self, number: int, channels: int) -> Affine:
        """The ``number``-th batch normalisation as scale and shift (Ioffe & Szegedy 2015, eq. 4 of the inference form)."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        gamma, beta, mean, variance = (
            self.array(f"{_numbered('batch_normalization', number)}/{name}", (channels,)).astype(float)
            for name in names
        )
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        return Affine(scale.astype(np.float32), (beta - mean * scale).astype(np.float32))

    def pooled(self, number: int, norm: int, kernel: tuple[int, int], filters: int) -> PooledConvolution:
        """The ``number``-th convolution, of the front, with the batch normalisation ``norm``."""
        layer = _numbered("conv2d", number)
        weights = self.array(f"{layer}/kernel", (*kernel, 1, filters))  # (frames, bands, 1, filters)
        affine = self.batch_norm(norm, filters)
        sign = np.where(affine.scale < 0, -1, 1).astype(np.float32)
        flat = weights[:, :, 0].transpose(1, 0, 2).reshape(-1, filters)  # band by band, as the rows are
        return PooledConvolution(flat * sign, sign, self.array(f"{layer}/bias", (filters,)), affine)

    def over_time(self, number: int, norm: int, inputs: int) -> TimeConvolution:
        """The ``number``-th convolution, of the middle, with the batch normalisation ``norm``."""
        layer = _numbered("conv2d", number)
        kernel = self.array(f"{layer}/kernel", (7, inputs, 1, FILTERS_OVER_TIME)).reshape(-1, FILTERS_OVER_TIME)
        bias = self.array(f"{layer}/bias", (FILTERS_OVER_TIME,))
        return TimeConvolution(kernel, bias, self.batch_norm(norm, FILTERS_OVER_TIME))

    def dense(self, layer: str, inputs: int, outputs: int) -> Dense:
        """A dense layer."""
        return Dense(self.array(f"{layer}/kernel", (inputs, outputs)), self.array(f"{layer}/bias", (outputs,)))


def _numbered(kind: str, number: int) -> str:
    """TensorFlow's name of the ``number``-th layer of a kind: the first has no number."""
    return kind if number == 0 else f"{kind}_{number}"
