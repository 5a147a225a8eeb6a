"""What computes, and in which numbers."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

import torch


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
