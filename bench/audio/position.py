"""How true the position is (``python -m bench.audio.position``): a tone that rises with time is played, recorded, and read.

Whenever the audio process tells its position, the frequency of what the sink's monitor has just recorded says where the music
really is. The recorder's own delay, 10 to 20 ms, is in the figures.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.audio.sine import AMPLITUDE, RECORDED_RATE
from bench.sounds import write_sound
from player.audio import messages as audio
from player.audio.client import AudioClient
from tests.support.pulse import PulseServer

SECONDS = 20
FIRST_HERTZ, HERTZ_A_SECOND = 200.0, 100.0
WINDOW = 4096
FINE = 1 << 18
SOUNDING = 0.2
SETTLED_SECONDS = 0.6
"""So long after a command the fade of what was before is still in the window."""


def main() -> None:
    """Print the differences of a play with a seek and a pause in it."""
    told: list[tuple[int, float, float]] = []
    commands: list[float] = []
    with tempfile.TemporaryDirectory(prefix="position-") as folder:
        path = Path(folder) / "rising.flac"
        seconds = np.arange(SECONDS * 48_000) / 48_000
        rising = np.sin(2 * np.pi * (FIRST_HERTZ * seconds + HERTZ_A_SECOND / 2 * seconds**2))
        write_sound(path, (AMPLITUDE * rising).astype(np.float32), "flac")
        server_folder = Path(folder) / "server"
        server_folder.mkdir()
        server = PulseServer(server_folder)
        with server.recording() as recording:

            def heard(event: audio.Event) -> None:
                if isinstance(event, audio.Position) and event.playing:
                    told.append((recording.frames, time.monotonic(), event.seconds))

            with AudioClient(heard, engine="stream", environment=server.environment) as client:
                for command, wait in (
                    (audio.Load(str(path), 0.0, 1, play=True), 5.0),
                    (audio.Seek(12.0), 4.0),
                    (audio.Pause(), 1.0),
                    (audio.Play(), 3.0),
                ):
                    commands.append(time.monotonic())
                    client.send(command)
                    time.sleep(wait)
            recorded = recording.everything()[:, 0]
        server.kill()
    off = [
        1000 * (place - _place(recorded[end - WINDOW : end]))
        for end, when, place in told
        if all(not 0 < when - command < SETTLED_SECONDS for command in commands)
        and np.abs(recorded[end - WINDOW : end]).max(initial=0) > SOUNDING
    ]
    print(f"{len(off)} positions: {min(off):+.0f} … {max(off):+.0f} ms, median {float(np.median(off)):+.0f} ms")


def _place(samples: NDArray[np.float32]) -> float:
    """Seconds into the rising tone at the end of these samples."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), FINE))
    hertz = float(spectrum.argmax()) * RECORDED_RATE / FINE
    return (hertz - FIRST_HERTZ) / HERTZ_A_SECOND + len(samples) / 2 / RECORDED_RATE


if __name__ == "__main__":
    main()
