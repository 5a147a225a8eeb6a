"""Where a training computes: the device, in which numbers, and the processes that take every step together."""

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


class DeviceError(Exception):
    """A device that cannot be used; the message is one sentence that says which, why and what to do."""


class Precision(StrEnum):
    """Numbers of the matrix products; weights, sums and losses stay in single precision."""

    SINGLE = "fp32"
    BFLOAT = "bf16"
    """Half the size with the range of single precision: losses need no scaling."""
    HALF = "fp16"
    """Half the size and a small range: losses are scaled so that small gradients do not vanish (GPU only)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a training computes.

    Attributes:
        device: holds the network.
        precision: of the matrix products.
    """

    device: torch.device
    precision: Precision

    @property
    def mixed(self) -> AbstractContextManager[object]:
        """The context in which losses are computed."""
        if self.precision is Precision.SINGLE:
            return nullcontext()
        kind = torch.bfloat16 if self.precision is Precision.BFLOAT else torch.float16
        return torch.autocast(self.device.type, kind)

    @property
    def random_devices(self) -> list[torch.device]:
        """Devices beside the processor that draw random numbers."""
        return [self.device] if self.device.type == "cuda" else []

    def scaler(self) -> torch.GradScaler:
        """Scales losses where the precision asks for it, else does nothing."""
        return torch.GradScaler(self.device.type, enabled=self.precision is Precision.HALF)


PROCESSOR = Machine(torch.device("cpu"), Precision.SINGLE)
"""One core in single precision, as the player trains."""


def machine_of(device: str, precision: str, local_rank: int = 0) -> Machine:
    """The machine asked for.

    Args:
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
        precision: a :class:`Precision`, or "auto": single on a processor; on a GPU bfloat16, or half where it has none.
        local_rank: which of this computer's GPUs is this process's.

    Raises:
        DeviceError: there is no such device, or it cannot compute so.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        if precision == Precision.HALF:
            raise DeviceError("fp16 needs a GPU: choose bf16 or fp32.")
        return Machine(torch.device("cpu"), Precision.SINGLE if precision == "auto" else Precision(precision))
    if not torch.cuda.is_available():
        raise DeviceError("This computer has no GPU that torch can use: choose --device cpu.")
    if local_rank >= torch.cuda.device_count():
        raise DeviceError(
            f"Process {local_rank + 1} of this computer has no GPU of its own, for there are"
            f" {torch.cuda.device_count()}: start as many processes."
        )
    if precision == "auto":
        precision = Precision.BFLOAT if torch.cuda.is_bf16_supported() else Precision.HALF
    return Machine(torch.device("cuda", local_rank), Precision(precision))


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
