"""Convolutions with the batch normalisation that follows folded into them: the same function in half the passes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


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


def folded(kernel: Tensor, bias: Tensor, norm: BatchNorm, stride: int = 1) -> Convolution:
    """The convolution that does what convolving and then normalising did; the products are made in float64."""
    scale, shift = norm.affine()
    scaled = kernel.double() * scale.reshape(-1, *(1,) * (kernel.dim() - 1))
    return Convolution(scaled.float().contiguous(), (bias.double() * scale + shift).float(), stride)
