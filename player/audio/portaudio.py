"""A real device, through PortAudio."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from player.audio.libraries import let_unused_plugins_go, portaudio
from player.audio.messages import DEVICE_HANGS
from player.audio.output import OutputError, Render
from player.audio.ring import CHANNELS

LATENCY_SECONDS = 0.2
"""Asked of the device: a pause is heard soon, and a busy machine has time to fill the next period (docs/research/sound.md, beside work)."""

PERIOD_FRAMES = 2048
"""Frames of one callback, about 45 ms: left to choose, PortAudio takes 20 ms and more than twice the processor time."""

LEAD_SECONDS = 0.02
"""Silence when a device begins: sound servers and converters lose the first milliseconds (8 of them at PulseAudio)."""

ABSENT_RATE = 48_000
"""What is decoded for while there is no device."""

STANDARD_ERROR = 2

LONGEST_DELAY_SECONDS = 2.0
"""A device that says more is not believed."""

SILENT_TOO_LONG_SECONDS = 2.0
"""A device that has not asked for frames for so long is gone, whatever the library says."""

ANSWER_SECONDS = 2.5
"""So long may a device take to open, start or stop: forty times what it takes."""

LISTING_SECONDS = 10.0
"""So long may it take to look for devices: some need seconds to say what they are."""


class PortAudioOutput:
    """A stereo float32 stream to one output device at its own rate."""

    def __init__(self, device: str | None = None) -> None:
        """Find the device; raises OutputError when there is none.

        Args:
            device: part of its name, or its number; None or empty for the system's default.
        """
        self._selector = device
        with _within(LISTING_SECONDS):
            self._library = portaudio()
            try:
                found = self._library.query_devices(_selector(device), "output")
            except (ValueError, self._library.PortAudioError) as error:
                which = f"called {device!r} " if device else ""
                raise OutputError(f"No output device {which}was found; connect one, or choose another.") from error
        self._index = int(found["index"])
        self.device = str(found["name"])
        self.rate = int(found["default_samplerate"])
        self.underruns = 0
        self._heard_at = 0.0
        """When, on the clock that never goes back, the last frame rendered is heard."""
        self._stream: Any = None
        self._stopped = False
        self._resting = True
        self._lead = 0
        """Frames of silence before the next that are rendered."""
        self._last_call = time.monotonic()

    def start(self, render: Render) -> None:
        """Open the device, which calls ``render`` from PortAudio's thread once woken."""

        def callback(out: NDArray[np.float32], frames: int, at: Any, status: Any) -> None:
            now = self._last_call = time.monotonic()
            delay = at.outputBufferDacTime - at.currentTime
            self._heard_at = now + (delay if delay > 0 else latency) + frames / self.rate
            if status.output_underflow:
                self.underruns += 1
            lead, self._lead = self._lead, 0
            out[:lead].fill(0)
            render(out[lead:])

        latency = LATENCY_SECONDS

        try:
            with _within(ANSWER_SECONDS):
                self._stream = self._library.OutputStream(
                    samplerate=self.rate,
                    device=self._index,
                    channels=CHANNELS,
                    dtype="float32",
                    latency=LATENCY_SECONDS,
                    blocksize=PERIOD_FRAMES,
                    callback=callback,
                    finished_callback=self._on_finished,
                )
        except self._library.PortAudioError as error:
            raise OutputError(f"The output device {self.device} refused to open ({_reason(error)}).") from error
        let_unused_plugins_go()
        latency = float(self._stream.latency)

    def unheard(self) -> float:
        """By the device's own account of when it plays what it takes."""
        return min(LONGEST_DELAY_SECONDS, max(0.0, self._heard_at - time.monotonic()))

    def failed(self) -> bool:
        """Whether the stream ended by itself or the device stopped asking."""
        if self._resting:
            return False
        return self._stopped or time.monotonic() - self._last_call > SILENT_TOO_LONG_SECONDS

    def rest(self) -> None:
        """Stop the device until it is woken: a paused player should cost nothing."""
        if self._stream is None or self._resting or self.failed():
            return
        self._resting = True
        with _within(ANSWER_SECONDS), suppress(self._library.PortAudioError):  # where it is gone, waking finds that out
            self._stream.abort()

    def wake(self) -> None:
        """Begin to ask for frames."""
        if self._stream is None or not self._resting:
            return
        self._last_call = time.monotonic()
        self._lead = int(LEAD_SECONDS * self.rate)
        try:
            with _within(ANSWER_SECONDS):
                self._stream.start()
            self._stopped = False
        except self._library.PortAudioError:
            self._stopped = True
        self._resting = False

    def reopened(self) -> "PortAudioOutput":
        """The device asked for at first, among those there are now; PortAudio lists devices only when it starts."""
        return AbsentOutput(self._selector).reopened()

    def close(self) -> None:
        """Drop what the device has not played yet and close it."""
        if self._stream is None:
            return
        with _within(ANSWER_SECONDS), suppress(self._library.PortAudioError):  # gone already is what was wanted
            self._stream.abort()
            self._stream.close()
        self._stream = None

    def _on_finished(self) -> None:
        self._stopped = not self._resting


class AbsentOutput:
    """A device that is not there: looked for until it is, and lost until then."""

    def __init__(self, device: str | None = None) -> None:
        self._selector = device
        self.device = device or "default"
        self.rate = ABSENT_RATE
        self.underruns = 0

    def start(self, render: Render) -> None:
        """Ask for nothing."""

    def rest(self) -> None:
        """Nothing to stop."""

    def wake(self) -> None:
        """Nothing to begin."""

    def unheard(self) -> float:
        """Nothing is rendered."""
        return 0.0

    def failed(self) -> bool:
        """Always, so that the engine looks for it."""
        return True

    def reopened(self) -> PortAudioOutput:
        """The device, once it is there; raises OutputError before."""
        library = portaudio()
        with _within(LISTING_SECONDS), _unheard_complaints():
            library._terminate()  # noqa: SLF001 - sounddevice has no public way to list devices again
            library._initialize()  # noqa: SLF001
        return PortAudioOutput(self._selector)

    def close(self) -> None:
        """Nothing to let go."""


@contextmanager
def _within(seconds: float) -> Generator[None]:
    """End the process where the system's library does not come back; the client knows the exit code, and takes the device for lost.

    A sound server that dies or stops in the moment in which it is spoken to is waited for without end, in C: the thread cannot be
    called back, and the library cannot be used by another.
    """
    timer = Timer(seconds, os._exit, (DEVICE_HANGS,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _unheard_complaints() -> Generator[None]:
    """Without standard error, to which ALSA writes a dozen lines each time that a device is looked for and not there."""
    kept = os.dup(STANDARD_ERROR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(nowhere)
        os.close(kept)


def _selector(device: str | None) -> int | str | None:
    return int(device) if device and device.isdecimal() else device or None


def _reason(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
