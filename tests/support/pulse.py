"""A private PulseAudio with a null sink: a real sound server that nobody hears and that can be recorded.

Nothing outside its folder is touched: it has its own runtime, home and configuration folders, and ALSA programs (which
is how PortAudio speaks on Linux) are pointed at it by a configuration file of their own.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np

RATE = 44_100
SINK = "test"
FRAME_BYTES = 8
FIRST_SECONDS = 10.0


def missing_programs() -> list[str]:
    """What has to be installed before a server can be started."""
    return [name for name in ("pulseaudio", "parec", "pactl") if shutil.which(name) is None]


class PulseServer:
    """A running server; ``environment`` sends a program's sound to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        alsa = folder / "asound.conf"
        alsa.write_text("</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n")
        inherited = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "PULSE_SERVER"}}
        self.environment = inherited | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PULSE_RUNTIME_PATH": str(runtime),
            "ALSA_CONFIG_PATH": str(alsa),
        }
        self._process = self._start()

    def _start(self) -> subprocess.Popen:
        modules = ["module-native-protocol-unix", f"module-null-sink sink_name={SINK} rate={RATE}"]
        process = subprocess.Popen(
            ["pulseaudio", "-n", "--exit-idle-time=-1", "--daemonize=no", *(f"--load={module}" for module in modules)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while subprocess.run(["pactl", "info"], env=self.environment, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RuntimeError("pulseaudio did not start")
            time.sleep(0.05)
        return process

    def kill(self) -> None:
        """Take the server away, as a crash does."""
        self._process.kill()
        self._process.wait()

    def signal(self, number: int) -> None:
        """Stop the server where it is, or let it go on."""
        self._process.send_signal(number)

    def restart(self) -> None:
        """Bring it back after :meth:`kill`."""
        self._process = self._start()

    @contextmanager
    def recording(self) -> "Iterator[Recording]":
        """Record what the sink plays while the block runs."""
        recorder = subprocess.Popen(
            [
                "parec",
                "-d",
                f"{SINK}.monitor",
                "--raw",
                f"--rate={RATE}",
                "--channels=2",
                "--format=float32le",
                "--latency-msec=10",
            ],
            env=self.environment,
            stdout=subprocess.PIPE,
        )
        recording = Recording(recorder)
        try:
            recording.wait_for_first()
            yield recording
        finally:
            recording.close()


class Recording:
    """What comes out of the sink."""

    def __init__(self, recorder: subprocess.Popen) -> None:
        self._recorder = recorder
        self._bytes = bytearray()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for_first(self) -> None:
        """Until the server delivers; it may take seconds before it does."""
        deadline = time.monotonic() + FIRST_SECONDS
        while not self._bytes and time.monotonic() < deadline:
            time.sleep(0.01)

    @property
    def frames(self) -> int:
        """How many were recorded so far."""
        return len(self._bytes) // FRAME_BYTES

    def take(self, seconds: float) -> np.ndarray:
        """What is played from now on for ``seconds``, (N, 2) float32; shorter when the server stalls."""
        start = len(self._bytes)
        end = start + int(seconds * RATE) * FRAME_BYTES
        deadline = time.monotonic() + seconds + 5
        while len(self._bytes) < end and time.monotonic() < deadline:
            time.sleep(0.01)
        return self._frames(start, end)

    def everything(self) -> np.ndarray:
        """All that was recorded so far, (N, 2) float32."""
        return self._frames(0, len(self._bytes))

    def forget(self) -> np.ndarray:
        """All that was recorded since this was last asked, (N, 2) float32; it is not kept."""
        whole = self._frames(0, len(self._bytes))
        del self._bytes[: len(whole) * FRAME_BYTES]
        return whole

    def close(self) -> None:
        """Stop recording."""
        self._recorder.kill()
        self._recorder.wait()
        self._reader.join()
        self._recorder.stdout.close()

    def _read(self) -> None:
        while piece := self._recorder.stdout.read1(1 << 16):
            self._bytes += piece

    def _frames(self, start: int, end: int) -> np.ndarray:
        whole = bytes(self._bytes[start:end])
        return np.frombuffer(whole[: len(whole) // FRAME_BYTES * FRAME_BYTES], "<f4").reshape(-1, 2)


def rms(samples: np.ndarray) -> float:
    """Root mean square over all channels."""
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def dominant_frequency(samples: np.ndarray, rate: int = RATE) -> float:
    """Hz of the strongest partial of the channels' mean."""
    mono = samples.mean(axis=1) * np.hanning(len(samples))
    return float(np.argmax(np.abs(np.fft.rfft(mono))) * rate / len(mono))
