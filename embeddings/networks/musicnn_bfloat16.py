"""musicnn's convolutions with their products in bfloat16 (8 bits of precision, accumulated in float32), in torch.

On processors whose matrix units multiply bfloat16 several times as fast the number of calls counts, so there are few and
large ones here; :mod:`embeddings.networks.musicnn_front` copies as little as it can instead. Both compute the same.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from embeddings.networks.musicnn_front import (
    TIMBRAL_FRAMES,
    Front,
    TimeConvolution,
    frames_before,
)

BANDS_AT_ONCE = 16
"""Bands whose temporal products are made together: what comes out of them stays in the second-level cache."""


def processor_has_bfloat16() -> bool:
    """Instructions that multiply matrices of bfloat16."""
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))


class TorchFront:
    """The front with products in torch, in bfloat16 or, to be compared, in another arithmetic; the rest in float32.

    Args:
        front: the filters.
        arithmetic: of the products.
    """

    def __init__(self, front: Front, arithmetic: torch.dtype = torch.bfloat16) -> None:
        self._timbral = [(block, _kernel(block.kernel, arithmetic)) for block in front.timbral]
        longest = len(front.temporal[0].kernel)
        beside = [np.pad(block.kernel, (_margins(len(block.kernel), longest), (0, 0))) for block in front.temporal]
        self._temporal = front.temporal
        self._temporal_kernels = _kernel(np.concatenate(beside, axis=1), arithmetic)  # zeros where one does not reach
        self._arithmetic = arithmetic

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`Front.__call__`."""
        with torch.inference_mode():
            image = torch.from_numpy(x).to(self._arithmetic)
            largest = self._temporal_products(image)
            filters = np.cumsum([len(block.sign) for block in self._temporal])[:-1]
            temporal = [
                block.finish(part)
                for block, part in zip(self._temporal, np.split(largest, filters, axis=-1), strict=True)
            ]
            return np.concatenate([*self._timbral_outputs(image), *temporal], axis=-1)

    def _timbral_outputs(self, x: Tensor) -> list[NDArray[np.float32]]:
        """As in :class:`Front`, with the stretches of all bands copied under each other for one product per block."""
        frames, bands = x.shape
        around = TIMBRAL_FRAMES // 2
        neighbours = F.pad(x, (0, 0, around, around)).unfold(0, TIMBRAL_FRAMES, 1)
        rows = neighbours.reshape(frames, bands * TIMBRAL_FRAMES)
        outputs: list[NDArray[np.float32]] = []
        for block, kernel in self._timbral:
            size = len(kernel)
            stretches = rows.unfold(1, size, TIMBRAL_FRAMES).transpose(0, 1)  # (bands it fits at, T, size)
            products = stretches.reshape(-1, size) @ kernel
            outputs.append(block.finish(products.view(len(stretches), frames, -1).amax(dim=0).float().numpy()))
        return outputs

    def _temporal_products(self, x: Tensor) -> NDArray[np.float32]:
        """The largest products of the temporal kernels, all in one product per group of bands: (T, filters)."""
        kernels = self._temporal_kernels
        frames, longest = len(x), len(kernels)
        before = frames_before(longest)
        padded = F.pad(x, (0, 0, before, longest - 1 - before)).T.contiguous()  # (96, T + longest - 1)
        largest: list[Tensor] = []
        for group in padded.split(BANDS_AT_ONCE):
            products = group.unfold(1, longest, 1).reshape(-1, longest) @ kernels
            largest.append(products.view(len(group), frames, -1).amax(dim=0))
        return torch.stack(largest).amax(dim=0).float().numpy()


@dataclass(frozen=True, slots=True)
class TorchTimeConvolution:
    """A convolution over time with its products in bfloat16."""

    layer: TimeConvolution
    kernel: Tensor  # (filters, channels, 7), as conv1d wants it

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """See :meth:`TimeConvolution.__call__`."""
        with torch.inference_mode():
            image = torch.from_numpy(x.T[None]).to(self.kernel.dtype)
            products = F.conv1d(image, self.kernel, padding=self.kernel.shape[-1] // 2)[0].T.float()
            return self.layer.finish(products.numpy())


def in_bfloat16(layer: TimeConvolution) -> TorchTimeConvolution:
    """The same filters for products in bfloat16."""
    frames = layer.kernel.reshape(TIMBRAL_FRAMES, -1, layer.kernel.shape[1])  # (7, in, out)
    return TorchTimeConvolution(layer, _kernel(frames.transpose(2, 1, 0), torch.bfloat16))


def _kernel(array: NDArray[np.float32], arithmetic: torch.dtype) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(arithmetic)


def _margins(kernel_frames: int, longest: int) -> tuple[int, int]:
    """Frames before and after a kernel in the row of the longest one."""
    before = frames_before(longest) - frames_before(kernel_frames)
    return before, longest - kernel_frames - before
