"""Arrays on their way to the device that computes."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def on_device(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """The array as a tensor on a device.

    On a processor it shares the array's memory. To a GPU it is copied from pinned memory, so that the copy runs while
    the GPU still computes.

    Args:
        array: any shape.
        device: where the network is.
    """
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
