"""Where rendered frames go: the protocol that real devices and the clocked null output share."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Render = Callable[[NDArray[np.float32]], None]
"""Fills an (N, 2) array with the next N frames; called from the output's own thread."""


class OutputError(Exception):
    """No sound can come out; the message is one sentence with the fix."""


class Output(Protocol):
    """Something that asks for frames at the speed at which they are heard.

    Attributes:
        device: the name to show.
        rate: frames per second it asks for.
        underruns: how often the device says that it was not served in time.
    """

    device: str
    rate: int
    underruns: int

    def start(self, render: Render) -> None:
        """Be ready to call ``render`` once woken; raises OutputError when the device refuses."""
        ...

    def unheard(self) -> float:
        """Seconds of what was rendered that have not been heard yet."""
        ...

    def failed(self) -> bool:
        """Whether the device stopped asking for frames by itself."""
        ...

    def rest(self) -> None:
        """Stop asking for frames until woken, while nothing is to be heard; resting is not failing."""
        ...

    def wake(self) -> None:
        """Ask for frames; a device that went away meanwhile has failed then."""
        ...

    def reopened(self) -> "Output":
        """The same device, looked for anew and not started yet; raises OutputError while there is none."""
        ...

    def close(self) -> None:
        """Stop calling ``render`` and let the device go."""
        ...
