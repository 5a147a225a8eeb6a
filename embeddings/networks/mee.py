"""MEE, the Music Effects Encoder (Koo, Paik & Lee 2022, arXiv 2202.08520), in torch: it hears how music was produced.

Twelve residual blocks over stereo samples: a convolution whose result is added to its input, and one that changes the
number of channels and of frames; each is followed by batch normalisation and ReLU, and sees its input mirrored at the
edges. The mean over time, 2048 numbers, is the representation (the original's ``fc``, for the contrastive task, is only
there for comparison).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.excerpts import ExcerptPlan
from embeddings.frontend import Embedded
from embeddings.networks.conv_bn_fusion import Convolution, torch_convolution
from embeddings.networks.specs import MEE, MEE_FILE
from embeddings.samples import untagged, windows_of
from embeddings.weights.torch_state_dict import Parameters, read_parameters

MAX_WINDOWS = 10
"""Of longer tracks, this many windows spread evenly are embedded: production changes less over a track than music."""
CHANNELS = (16, 32, 64, 128, 256, 256, 512, 512, 1024, 1024, 2048, 2048)
KERNELS = (25, 25, 15, 15, 10, 10, 10, 10, 5, 5, 5, 5)
STRIDES = (4, 4, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1)
PROJECTED = 512


class Mee:
    """The front-end: stereo samples in, one 2048-d vector per window out."""

    spec = MEE
    excerpts = ExcerptPlan(MAX_WINDOWS, MEE.window_samples)

    def __init__(self, network: "MeeNetwork") -> None:
        self._network = network

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`; the samples are (2, N)."""
        return self.embed_excerpts([samples])

    def embed_excerpts(self, excerpts: Sequence[NDArray[np.float32]]) -> Embedded:
        """See :meth:`embeddings.excerpts.HearsExcerpts.embed_excerpts`."""
        return untagged(self.run(windows_of(excerpts, MEE, MAX_WINDOWS)).pooled)

    def run(self, windows: NDArray[np.float32]) -> "MeeOutputs":
        """The network's outputs for (W, 2, N) float32 windows of equal length."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(windows)).split(1)  # one window's activations at a time
            columns = zip(*(self._network.forward(batch) for batch in batches), strict=True)
            return MeeOutputs(*(torch.cat(column).numpy() for column in columns))


@dataclass(frozen=True, slots=True)
class MeeOutputs:
    """The outputs that can be compared with the reference, per window: float32, (W, 2048) and (W, 512)."""

    pooled: NDArray[np.float32]
    projected: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MeeNetwork:
    """The whole encoder."""

    blocks: tuple[tuple[Convolution, Convolution], ...]
    projection: Tensor  # (512, 2048)
    projection_bias: Tensor  # (512,)

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, 2, N) to pooled (B, 2048) and projected (B, 512)."""
        x = windows
        for residual, widening in self.blocks:
            x = _same(x, residual) + x
            x = _same(x, widening)
        pooled = x.mean(dim=2)
        return pooled, F.linear(pooled, self.projection, self.projection_bias)


def _same(x: Tensor, convolution: Convolution) -> Tensor:
    """Convolution and ReLU, the input mirrored at both ends; an even kernel reaches one sample further to the right."""
    missing = convolution.kernel.shape[2] - 1
    left = missing // 2
    return torch.relu(convolution(F.pad(x, (left, missing - left), mode="reflect")))


def load_mee(_name: str, checkpoint: Path) -> Mee:
    """Read the authors' checkpoint.

    Raises:
        EmbeddingError: the file is missing, damaged, holds anything but numbers, or is another network's.
    """
    contents = MEE_FILE.read(checkpoint)
    first = "encoder.0.conv1.conv1d.conv1d.weight"
    return Mee(network_from(read_parameters(contents, first, "the Music Effects Encoder")))


def network_from(parameters: Parameters) -> MeeNetwork:
    """Build the network, every shape checked.

    Raises:
        EmbeddingError: a parameter is missing, has another shape, or is not finite.
    """
    inputs = (MEE.channels, *CHANNELS)
    blocks = tuple(
        (
            _layer(parameters, f"encoder.{number}.conv1.conv1d", (inputs[number], inputs[number], width), stride=1),
            _layer(parameters, f"encoder.{number}.conv2.conv1d", (outputs, inputs[number], width), stride=stride),
        )
        for number, (outputs, width, stride) in enumerate(zip(CHANNELS, KERNELS, STRIDES, strict=True))
    )
    return MeeNetwork(
        blocks,
        parameters.tensor("fc.weight", (PROJECTED, CHANNELS[-1])),
        parameters.tensor("fc.bias", (PROJECTED,)),
    )


def _layer(parameters: Parameters, name: str, shape: tuple[int, int, int], stride: int) -> Convolution:
    return torch_convolution(parameters, f"{name}.conv1d", f"{name}.batch_norm", shape, stride)
