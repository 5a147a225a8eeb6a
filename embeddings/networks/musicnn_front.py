"""musicnn's convolutions in numpy: as products of matrices they run at the processor's speed.

The front has two sizes of "timbral" and three of "temporal" convolutions, each pooled over frequency; what follows are
convolutions over time. A window at a time is fastest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

TIMBRAL_FRAMES = 7
"""Height of the timbral kernels, and of those over time."""


@dataclass(frozen=True, slots=True)
class Affine:
    """A batch normalisation with its statistics fixed: y = x · scale + shift, per channel."""

    scale: NDArray[np.float32]
    shift: NDArray[np.float32]

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply to (…, channels)."""
        return x * self.scale + self.shift


@dataclass(frozen=True, slots=True)
class PooledConvolution:
    """Convolution, ReLU, batch normalisation, then the maximum over frequency.

    The pooling comes last in the reference but is done first here, on the bare products: ReLU and a positive scale keep
    the order of values, and filters whose scale is negative are stored negated (``sign`` -1), which turns their minimum
    into a maximum. So a ninth of the memory is moved, and the result is the same.
    """

    kernel: NDArray[np.float32]  # (frames · bands, filters), negated where sign is -1
    sign: NDArray[np.float32]  # (filters,)
    bias: NDArray[np.float32]  # (filters,)
    norm: Affine

    def finish(self, largest: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the largest products over frequency, (…, filters), to the block's output of the same shape."""
        return self.norm(np.maximum(largest * self.sign + self.bias, 0))


@dataclass(frozen=True, slots=True)
class Front:
    """The convolutions that look at the spectrogram."""

    timbral: tuple[PooledConvolution, ...]  # 2 × 204 filters
    temporal: tuple[PooledConvolution, ...]  # 3 × 51 filters, longest kernel first

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (T, 96) normalised spectrogram to (T, 561) features."""
        return np.concatenate([*_timbral(x, self.timbral), *_temporal(x, self.temporal)], axis=1)


@dataclass(frozen=True, slots=True)
class TimeConvolution:
    """Convolution over 7 frames and all channels, ReLU, batch normalisation."""

    kernel: NDArray[np.float32]  # (7 · channels, filters), frame by frame
    bias: NDArray[np.float32]  # (filters,)
    norm: Affine

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """From (T, channels) to (T, filters)."""
        around = TIMBRAL_FRAMES // 2
        neighbours = sliding_window_view(np.pad(x, ((around, around), (0, 0))), TIMBRAL_FRAMES, axis=0)  # (T, in, 7)
        return self.finish(neighbours.transpose(0, 2, 1).reshape(len(x), -1) @ self.kernel)

    def finish(self, products: NDArray[np.float32]) -> NDArray[np.float32]:
        """From the bare products to the layer's output."""
        return self.norm(np.maximum(products + self.bias, 0))


def _timbral(x: NDArray[np.float32], blocks: tuple[PooledConvolution, ...]) -> list[NDArray[np.float32]]:
    """Kernels of 7 frames by many bands over (T, 96): one (T, filters) per block.

    Each frame becomes a row of its 7 neighbours band by band, 96 · 7 numbers. A kernel placed at band f then sees the
    contiguous stretch of that row that starts at 7 f: a strided matrix, multiplied without being copied.
    """
    around = TIMBRAL_FRAMES // 2
    neighbours = sliding_window_view(np.pad(x, ((around, around), (0, 0))), TIMBRAL_FRAMES, axis=0)  # (T, 96, 7)
    rows = neighbours.reshape(len(x), -1)
    outputs: list[NDArray[np.float32]] = []
    for block in blocks:
        size = len(block.kernel)
        largest = rows[:, :size] @ block.kernel
        products = np.empty_like(largest)
        for start in range(TIMBRAL_FRAMES, rows.shape[1] - size + 1, TIMBRAL_FRAMES):
            np.matmul(rows[:, start : start + size], block.kernel, out=products)
            np.maximum(largest, products, out=largest)
        outputs.append(block.finish(largest))
    return outputs


def _temporal(x: NDArray[np.float32], blocks: tuple[PooledConvolution, ...]) -> list[NDArray[np.float32]]:
    """Kernels of many frames by one band over (T, 96), padded to the same T: one (T, filters) per block.

    Kernels of even length reach one frame further after than before, as TensorFlow pads. They share one unfolded input:
    the shorter ones use the middle of the longest one's rows.
    """
    frames, bands = x.shape
    longest = len(blocks[0].kernel)
    before = frames_before(longest)
    padded = np.ascontiguousarray(np.pad(x, ((before, longest - 1 - before), (0, 0))).T)  # (96, T + longest - 1)
    rows = sliding_window_view(padded, longest, axis=1).reshape(bands * frames, longest)
    outputs: list[NDArray[np.float32]] = []
    for block in blocks:
        size = len(block.kernel)
        start = before - frames_before(size)
        products = rows[:, start : start + size] @ block.kernel
        outputs.append(block.finish(products.reshape(bands, frames, -1).max(axis=0)))
    return outputs


def frames_before(kernel_frames: int) -> int:
    """Frames that a same-padded kernel reaches back."""
    return (kernel_frames - 1) // 2
