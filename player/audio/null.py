"""An output without a device: frames are asked for at the speed of the clock and dropped.

Machines without a sound card (servers, test runs) play on it: positions, ends and feedback are as with a real one.
"""

import time
from threading import Event, Thread

import numpy as np

from player.audio.output import Render
from player.audio.ring import CHANNELS

RATE = 48_000
PERIOD_SECONDS = 0.02
"""How often frames are taken; as a device's period."""

LONGEST_GAP_SECONDS = 1.0
"""After a longer sleep (a suspended machine) the clock starts anew instead of racing through what was missed."""


class NullOutput:
    """Takes ``RATE`` frames a second and drops them."""

    def __init__(self) -> None:
        self.device = "none (silent)"
        self.rate = RATE
        self.underruns = 0
        self._closing = Event()
        self._awake = Event()
        self._thread: Thread | None = None

    def start(self, render: Render) -> None:
        """Have a thread of its own call ``render`` once woken."""
        self._thread = Thread(target=self._run, args=(render,), name="null-output", daemon=True)
        self._thread.start()

    def unheard(self) -> float:
        """Nothing: it hears at once."""
        return 0.0

    def failed(self) -> bool:
        """Never: there is nothing to lose."""
        return False

    def rest(self) -> None:
        """Stop the clock until woken."""
        self._awake.clear()

    def wake(self) -> None:
        """Let the clock go on."""
        self._awake.set()

    def reopened(self) -> "NullOutput":
        """Another one."""
        return NullOutput()

    def close(self) -> None:
        """Stop the clock."""
        self._closing.set()
        self._awake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, render: Render) -> None:
        scratch = np.zeros((int(RATE * LONGEST_GAP_SECONDS), CHANNELS), np.float32)
        since, taken = time.monotonic(), 0
        while not self._closing.wait(PERIOD_SECONDS):
            if not self._awake.is_set():
                self._awake.wait()
                since, taken = time.monotonic(), 0
                continue
            due = int((time.monotonic() - since) * RATE) - taken
            if due > len(scratch):
                since, taken = time.monotonic(), 0
                continue
            render(scratch[:due])
            taken += due
