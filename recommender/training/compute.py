"""Where a training computes: the device, in which numbers, and the processes that take every step together."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class Precision(StrEnum):
    """Numbers of the matrix products; weights, sums and losses stay in single precision."""

    SINGLE = "fp32"
    BFLOAT = "bf16"
    """Half the size with the range of single precision: losses need no scaling."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a training computes.

    Attributes:
        device: holds the network.
        precision: of the matrix products.
    """

    device: torch.device
    precision: Precision = Precision.SINGLE

    @property
    def mixed(self) -> AbstractContextManager[object]:
        """The context in which losses are computed."""
        single = self.precision is Precision.SINGLE
        return nullcontext() if single else torch.autocast(self.device.type, torch.bfloat16)

    @property
    def random_devices(self) -> list[torch.device]:
        """Devices beside the processor that draw random numbers."""
        return [self.device] if self.device.type == "cuda" else []


PROCESSOR = Machine(torch.device("cpu"))
"""One core in single precision, as the player trains."""


def processes() -> tuple[int, int]:
    """Which of the processes that train together this is, from 0, and how many there are."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over all processes of arrays of one shape; it travels between processors, so that no GPU is waited for."""
    if not distributed.is_initialized():
        return values
    tensor = torch.from_numpy(values.copy())
    distributed.all_reduce(tensor)
    return tensor.numpy()


def together(module: nn.Module) -> nn.Module:
    """The module with its gradients averaged over all processes, in buckets while the backward pass goes on.

    The buffers are the same everywhere from the start. Parameters may go unused: a tower without content has no rows,
    and an idle process has nothing to learn from.
    """
    if processes()[1] == 1:
        return module
    return DistributedDataParallel(module, forward_sync_buffers=False, find_unused_parameters=True)
