"""CLMR (Spijkervet & Burgoyne 2021, arXiv 2103.09410): SampleCNN trained by contrasting pieces of music, in torch.

SampleCNN (Lee et al. 2018) listens to 59,049 = 3¹⁰ samples. A convolution of width and stride 3 is followed by nine blocks
of convolution, batch normalisation, ReLU and maximum over three, which leave one frame; a last convolution gives the 512
numbers that are the representation (the original's ``fc``, for the contrastive task, is left out).
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
from embeddings.networks.specs import CLMR, CLMR_FILE
from embeddings.samples import untagged, windows_of
from embeddings.weights.torch_state_dict import Parameters, read_parameters

MAX_WINDOWS = 12
"""Of longer tracks, this many windows spread evenly are embedded: as many as of musicnn's, which are about as long."""
CHANNELS = (128, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512)
"""Of the first convolution, the nine blocks, and the last convolution."""
WIDTH = 3
"""Of every kernel, of every maximum, and of the first convolution's stride."""


class Clmr:
    """The front-end: samples in, one 512-d vector per window out."""

    spec = CLMR
    excerpts = ExcerptPlan(MAX_WINDOWS, CLMR.window_samples)

    def __init__(self, network: "ClmrNetwork") -> None:
        self._network = network

    def embed(self, samples: NDArray[np.float32]) -> Embedded:
        """See :meth:`embeddings.frontend.FrontEnd.embed`."""
        return self.embed_excerpts([samples])

    def embed_excerpts(self, excerpts: Sequence[NDArray[np.float32]]) -> Embedded:
        """See :meth:`embeddings.excerpts.HearsExcerpts.embed_excerpts`."""
        return untagged(self.run(windows_of(excerpts, CLMR, MAX_WINDOWS)))

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's outputs for (W, 59049) float32 windows: (W, 512) float32."""
        with torch.inference_mode():
            batches = torch.from_numpy(np.ascontiguousarray(windows)).split(1)  # the cost is per window either way
            return torch.cat([self._network.forward(batch) for batch in batches]).numpy()


@dataclass(frozen=True, slots=True)
class ClmrNetwork:
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


def load_clmr(_name: str, checkpoint: Path) -> Clmr:
    """Read the authors' checkpoint (``.pt``, or the zip archive it is published in).

    Raises:
        EmbeddingError: the file is missing, damaged, holds anything but numbers, or is another network's.
    """
    contents = CLMR_FILE.read(checkpoint)
    return Clmr(network_from(read_parameters(contents, "sequential.0.0.weight", "CLMR's SampleCNN")))


def network_from(parameters: Parameters) -> ClmrNetwork:
    """Build the network, every shape checked.

    Raises:
        EmbeddingError: a parameter is missing, has another shape, or is not finite.
    """
    inputs = (1, *CHANNELS)
    layers = [
        torch_convolution(
            parameters,
            f"sequential.{number}.0",
            f"sequential.{number}.1",
            (outputs, inputs[number], WIDTH),
            stride=WIDTH if number == 0 else 1,
        )
        for number, outputs in enumerate(CHANNELS)
    ]
    return ClmrNetwork(layers[0], tuple(layers[1:-1]), layers[-1])
