"""The processes of a training: one alone, or several under ``torchrun`` that take every step together."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

LONGEST_WAIT = timedelta(hours=2)
"""For the others: the first process validates and writes checkpoints while they wait."""


class Ranks(Protocol):
    """What a process knows of the others."""

    @property
    def rank(self) -> int:
        """Which one this is, from 0."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over all processes, of arrays of one shape."""
        ...

    def from_first(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the first process has; the others give an array of the same shape."""
        ...

    def gathered(self, values: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """What every process has, by rank; arrays of one length."""
        ...

    def together(self, module: nn.Module) -> nn.Module:
        """The module with its gradients averaged over all processes."""
        ...


class Alone:
    """The only process."""

    rank = 0
    size = 1

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same values."""
        return values

    def from_first(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same values."""
        return values

    def gathered(self, values: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """The values alone."""
        return [values]

    def together(self, module: nn.Module) -> nn.Module:
        """The same module."""
        return module


class Joined:
    """One of several processes.

    What steers the training (counts, verdicts) travels between processors over gloo, so that no GPU has to be waited for;
    gradients travel as the default group does it.
    """

    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()
        control = distributed.new_group(backend="gloo", timeout=LONGEST_WAIT)
        assert isinstance(control, distributed.ProcessGroup)  # this process is in a group of all
        self._control = control

    def total(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over all processes."""
        tensor = torch.from_numpy(values.copy())
        distributed.all_reduce(tensor, group=self._control)
        return tensor.numpy()

    def from_first(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the first process has."""
        tensor = torch.from_numpy(values.copy())
        distributed.broadcast(tensor, src=0, group=self._control)
        return tensor.numpy()

    def gathered(self, values: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        """What every process has."""
        own = torch.from_numpy(values.copy())
        found = [torch.empty_like(own) for _ in range(self.size)]
        distributed.all_gather(found, own, group=self._control)
        return [each.numpy() for each in found]

    def together(self, module: nn.Module) -> nn.Module:
        """Gradients averaged in buckets while the backward pass goes on.

        The buffers are the same everywhere from the start. Parameters may go unused: a tower without content has no rows,
        and an idle process has nothing to learn from.
        """
        return DistributedDataParallel(module, forward_sync_buffers=False, find_unused_parameters=True)


@contextmanager
def ranks_of_environment(device: str) -> Generator[Ranks]:
    """The processes that ``torchrun`` has started, or this one alone where it was started without.

    Args:
        device: kind of device, which decides how gradients travel: nccl between GPUs, gloo between processors.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Alone()
        return
    distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=LONGEST_WAIT)
    try:
        yield Joined()
    finally:
        distributed.destroy_process_group()


def local_rank() -> int:
    """Which of this computer's processes this is, from 0."""
    return int(os.environ.get("LOCAL_RANK", "0"))
