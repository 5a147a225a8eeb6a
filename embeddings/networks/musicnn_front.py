"""The front of musicnn: two sizes of "timbral" and three of "temporal" convolutions, each pooled over frequency.

They have a single input channel, and torch runs such convolutions far below the processor's speed; as products of matrices
they run at it. There are two ways here. :class:`ExactFront` computes in float32 and copies as little as it can.
:class:`HalfFront` computes the products in bfloat16 (8 bits of precision, accumulated in float32), on processors whose matrix
units do that several times as fast: then the number of calls counts, so it makes few and large ones.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

TIMBRAL_FRAMES = 7
"""Height of the timbral kernels."""
BANDS_AT_ONCE = 16
"""Bands whose temporal products are made together: what comes out of them stays in the second-level cache."""


class Front(Protocol):
    """From (B, T, 96) normalised spectrogram to (B, T, 561) features."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply."""
        ...


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
        return self.norm(torch.relu(largest.float() * self.sign + self.bias))


@dataclass(frozen=True, slots=True)
class ExactFront:
    """All arithmetic in float32; a window at a time is fastest."""

    timbral: tuple[PooledConvolution, ...]  # 2 × 204 filters
    temporal: tuple[PooledConvolution, ...]  # 3 × 51 filters, longest kernel first

    def __call__(self, x: Tensor) -> Tensor:
        """See :class:`Front`."""
        return torch.cat([*_timbral(x, self.timbral), *_temporal(x, self.temporal)], dim=2)


@dataclass(frozen=True, slots=True)
class HalfFront:
    """Products in bfloat16; the rest in float32."""

    timbral: tuple[PooledConvolution, ...]
    temporal: PooledConvolution  # the three kernels side by side, zeros where the shorter ones do not reach

    def __call__(self, x: Tensor) -> Tensor:
        """See :class:`Front`."""
        return self.features(x.to(torch.bfloat16))

    def features(self, x: Tensor) -> Tensor:
        """The same for a spectrogram in the arithmetic of the kernels, whatever it is."""
        return torch.cat([*_timbral_at_once(x, self.timbral), _temporal_at_once(x, self.temporal)], dim=2)


def halved(front: ExactFront) -> HalfFront:
    """The same filters for products in bfloat16."""
    longest = front.temporal[0].kernel.shape[0]
    beside = [F.pad(block.kernel, (0, 0, *_margins(block.kernel.shape[0], longest))) for block in front.temporal]
    temporal = PooledConvolution(
        torch.cat(beside, dim=1).bfloat16(),
        torch.cat([block.sign for block in front.temporal]),
        torch.cat([block.bias for block in front.temporal]),
        Affine(
            torch.cat([block.norm.scale for block in front.temporal]),
            torch.cat([block.norm.shift for block in front.temporal]),
        ),
    )
    return HalfFront(tuple(replace(block, kernel=block.kernel.bfloat16()) for block in front.timbral), temporal)


def _margins(kernel_frames: int, longest: int) -> tuple[int, int]:
    """Frames before and after a kernel in the row of the longest one."""
    before = _frames_before(longest) - _frames_before(kernel_frames)
    return before, longest - kernel_frames - before


def _timbral(x: Tensor, blocks: tuple[PooledConvolution, ...]) -> list[Tensor]:
    """Kernels of 7 frames by many bands over (B, T, 96): one (B, T, filters) per block.

    Each frame becomes a row of its 7 neighbours band by band, 96 · 7 numbers. A kernel placed at band f then sees the
    contiguous stretch of that row that starts at 7 f: a strided matrix, multiplied without being copied.
    """
    batch, frames, _ = x.shape
    rows = _timbral_rows(x)
    outputs: list[Tensor] = []
    for block in blocks:
        size = block.kernel.shape[0]
        largest = rows[:, :size] @ block.kernel
        products = torch.empty_like(largest)
        for start in range(TIMBRAL_FRAMES, rows.shape[1] - size + 1, TIMBRAL_FRAMES):
            torch.mm(rows[:, start : start + size], block.kernel, out=products)
            torch.maximum(largest, products, out=largest)
        outputs.append(block.finish(largest).view(batch, frames, -1))
    return outputs


def _timbral_rows(x: Tensor) -> Tensor:
    """(B, T, 96) to (B · T, 96 · 7): each frame's row of 7 neighbours, band by band."""
    batch, frames, bands = x.shape
    around = TIMBRAL_FRAMES // 2
    neighbours = F.pad(x, (0, 0, around, around)).unfold(1, TIMBRAL_FRAMES, 1)
    return neighbours.reshape(batch * frames, bands * TIMBRAL_FRAMES)


def _timbral_at_once(x: Tensor, blocks: tuple[PooledConvolution, ...]) -> list[Tensor]:
    """As :func:`_timbral`, with the stretches of all bands copied under each other for one product per block."""
    batch, frames, _ = x.shape
    rows = _timbral_rows(x)
    outputs: list[Tensor] = []
    for block in blocks:
        size = block.kernel.shape[0]
        stretches = rows.unfold(1, size, TIMBRAL_FRAMES).transpose(0, 1)  # (bands it fits at, B · T, size)
        products = stretches.reshape(-1, size) @ block.kernel
        largest = products.view(len(stretches), batch * frames, -1).amax(dim=0)
        outputs.append(block.finish(largest).view(batch, frames, -1))
    return outputs


def _temporal_at_once(x: Tensor, block: PooledConvolution) -> Tensor:
    """As :func:`_temporal`, all kernels in one product per group of bands: (B, T, filters)."""
    batch, frames, _ = x.shape
    longest = block.kernel.shape[0]
    before = _frames_before(longest)
    padded = F.pad(x, (0, 0, before, longest - 1 - before)).permute(2, 0, 1).contiguous()  # (96, B, T + longest - 1)
    largest: list[Tensor] = []
    for group in padded.split(BANDS_AT_ONCE):
        products = group.unfold(2, longest, 1).reshape(-1, longest) @ block.kernel
        largest.append(products.view(len(group), batch * frames, -1).amax(dim=0))
    return block.finish(torch.stack(largest).amax(dim=0)).view(batch, frames, -1)


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
    """Frames that a same-padded kernel reaches back."""
    return (kernel_frames - 1) // 2
