"""CLMR (Spijkervet & Burgoyne 2021, arXiv 2103.09410): SampleCNN trained by contrasting pieces of music, in torch.

SampleCNN (Lee et al. 2018) listens to 59,049 = 3¹⁰ samples. A convolution of width and stride 3 is followed by nine blocks
of convolution, batch normalisation, ReLU and maximum over three, which leave one frame; a last convolution gives the 512
numbers that are the representation (the original's ``fc``, for the contrastive task, is left out).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.cards import CLMR
from embeddings.folded import BatchNorm, Convolution, folded
from embeddings.frontend import Embedded, checked_mono
from embeddings.state_dict import Parameters, read_parameters
from embeddings.weights import verified
from embeddings.windows import spread_samples

WINDOW_SAMPLES = 59_049
"""2.68 s."""
MAX_WINDOWS = 20
"""Of longer tracks, this many windows spread evenly are embedded, as for the default front-end."""
CHANNELS = (128, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512)
"""Of the first convolution, the nine blocks, and the last convolution."""
WIDTH = 3
"""Of every kernel, of every maximum, and of the first convolution's stride."""
TORCH_EPSILON = 1e-5
"""The default of torch's batch normalisation, which the reference uses."""


class Clmr:
    """The front-end: samples in, one 512-d vector per window out."""

    name = CLMR.name
    version = CLMR.version
    licence = CLMR.weights.licence
    sample_rate = 22_050
    channels = 1
    window_seconds = WINDOW_SAMPLES / sample_rate
    dimension = CLMR.dimension
    tag_names = CLMR.tag_names

    def __init__(self, network: "Network") -> None:
        self._network = network

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        vectors = self.run(spread_samples(checked_mono(samples), WINDOW_SAMPLES, MAX_WINDOWS))
        return Embedded(vectors, np.empty((len(vectors), 0), np.float32))

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's outputs for (W, 59049) float32 windows: (W, 512) float32."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(windows)).split(1)  # the cost is per window either way
            return torch.cat([self._network.forward(batch) for batch in batches]).numpy()


@dataclass(frozen=True, slots=True)
class Network:
    """SampleCNN, without the task's own last layer."""

    first: Convolution
    blocks: tuple[Convolution, ...]
    last: Convolution

    def forward(self, windows: Tensor) -> Tensor:
        """From (B, 59049) to (B, 512)."""
        x = torch.relu(self.first(windows.unsqueeze(1)))  # (B, 128, 19683)
        for block in self.blocks:
            x = F.max_pool1d(torch.relu(block(x, padding=WIDTH // 2)), WIDTH)
        return torch.relu(self.last(x, padding=WIDTH // 2)).squeeze(2)


def load_clmr(checkpoint: Path) -> Clmr:
    """Read the authors' checkpoint (``.pt``, or the zip archive it is published in).

    Raises:
        EmbeddingError: the file is missing, damaged, holds anything but numbers, or is another network's.
    """
    contents = verified(checkpoint, CLMR.weights)
    return Clmr(network_from(read_parameters(contents, "sequential.0.0.weight", "CLMR's SampleCNN")))


def network_from(parameters: Parameters) -> Network:
    """Build the network, every shape checked.

    Raises:
        EmbeddingError: a parameter is missing, has another shape, or is not finite.
    """
    inputs = (1, *CHANNELS)
    layers = [
        _layer(parameters, number, (outputs, inputs[number], WIDTH), stride=WIDTH if number == 0 else 1)
        for number, outputs in enumerate(CHANNELS)
    ]
    return Network(layers[0], tuple(layers[1:-1]), layers[-1])


def _layer(parameters: Parameters, number: int, shape: tuple[int, int, int], stride: int) -> Convolution:
    norm, channels = f"sequential.{number}.1", shape[:1]
    return folded(
        parameters.tensor(f"sequential.{number}.0.weight", shape),
        parameters.tensor(f"sequential.{number}.0.bias", channels),
        BatchNorm(
            parameters.tensor(f"{norm}.weight", channels),
            parameters.tensor(f"{norm}.bias", channels),
            parameters.tensor(f"{norm}.running_mean", channels),
            parameters.tensor(f"{norm}.running_var", channels),
            TORCH_EPSILON,
        ),
        stride,
    )
