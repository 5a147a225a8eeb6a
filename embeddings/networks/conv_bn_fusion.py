"""Convolutions with the batch normalisation that follows folded into them: the same function in half the passes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from embeddings.weights.torch_state_dict import Parameters

TORCH_EPSILON = 1e-5
"""The default of torch's batch normalisation."""


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """A trained batch normalisation, all (channels,)."""

    gamma: Tensor
    beta: Tensor
    mean: Tensor
    variance: Tensor
    epsilon: float

    def affine(self) -> tuple[Tensor, Tensor]:
        """Scale and shift in float64, (channels,) each: y = x · scale + shift (Ioffe & Szegedy 2015, algorithm 2)."""
        scale = self.gamma.double() / torch.sqrt(self.variance.double() + self.epsilon)
        return scale, self.beta.double() - self.mean.double() * scale


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution over time, or over an image."""

    kernel: Tensor  # (out, in, width) or (out, in, height, width)
    bias: Tensor  # (out,)
    stride: int = 1

    def __call__(self, x: Tensor, padding: int = 0) -> Tensor:
        """From (B, in, …) to (B, out, …), with zeros around the input."""
        convolve = F.conv1d if self.kernel.dim() == 3 else F.conv2d  # noqa: PLR2004 - out, in and one axis
        return convolve(x, self.kernel, self.bias, stride=self.stride, padding=padding)


def torch_convolution(
    parameters: Parameters, convolution: str, norm: str, shape: tuple[int, int, int], stride: int = 1
) -> Convolution:
    """A ``Conv1d`` and the ``BatchNorm1d`` that follows it, as torch names their parameters in a checkpoint.

    Args:
        parameters: the checkpoint.
        convolution: the first layer's name there.
        norm: the second one's.
        shape: of the kernel: (out, in, width).
        stride: of the convolution.

    Raises:
        EmbeddingError: a parameter is missing, has another shape, or is not finite.
    """
    channels = shape[:1]
    return folded(
        parameters.tensor(f"{convolution}.weight", shape),
        parameters.tensor(f"{convolution}.bias", channels),
        BatchNorm(
            parameters.tensor(f"{norm}.weight", channels),
            parameters.tensor(f"{norm}.bias", channels),
            parameters.tensor(f"{norm}.running_mean", channels),
            parameters.tensor(f"{norm}.running_var", channels),
            TORCH_EPSILON,
        ),
        stride,
    )


def folded(kernel: Tensor, bias: Tensor, norm: BatchNorm, stride: int = 1) -> Convolution:
    """The convolution that does what convolving and then normalising did; the products are made in float64."""
    scale, shift = norm.affine()
    scaled = kernel.double() * scale.reshape(-1, *(1,) * (kernel.dim() - 1))
    return Convolution(scaled.float().contiguous(), (bias.double() * scale + shift).float(), stride)
