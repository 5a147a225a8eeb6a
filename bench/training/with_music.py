"""``player retrain`` on 10,000 events while music plays: seconds, and how often the music faltered (``python -m bench.training.with_music``).

The training is the command that the player runs in the background, a child at the lowest priority; the music goes through
the player's own audio process, to the default device where there is one and else to a silent clock, which is said.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from threading import Event, Lock

from bench.synthetic import synthetic_library
from player.audio import messages as audio
from player.audio.client import AudioClient
from player.demo import demo_music
from player.jobs import JobChild, JobResult

EVENTS = TRACKS = 10_000
QUIET_SECONDS = 5.0
"""How long the music plays alone first."""


class Music:
    """Plays files one after the other, for ever, and counts what went wrong."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = cycle(files)
        self._lock = Lock()
        self._token = 0
        self.ready = Event()
        self.output = ""
        self.underruns = 0
        self.tracks = 0
        self.client = AudioClient(self._heard)

    def next(self) -> None:
        """Begin the next file."""
        with self._lock:
            self._token += 1
            self.client.send(audio.Load(str(next(self._files)), 0.0, self._token, play=True))

    def _heard(self, event: audio.Event) -> None:
        match event:
            case audio.Ready(engine, device, note):
                self.output = note or f"{engine} on {device}"
                self.ready.set()
            case audio.Position():
                self.underruns = max(self.underruns, event.underruns)
            case audio.Finished():
                self.tracks += 1
                self.next()
            case audio.Failed(_, message) | audio.DeviceLost(message) | audio.GaveUp(message):
                sys.exit(message)
            case _:
                pass


def main() -> None:
    """Print what it took, and how the music fared."""
    music = Music(sorted(demo_music().rglob("*.opus")))
    results: list[JobResult] = []
    with tempfile.TemporaryDirectory() as scratch:
        synthetic_library(Path(scratch), TRACKS, EVENTS).close()
        if not music.ready.wait(10.0):
            sys.exit("The audio process does not answer; see `player doctor`.")
        music.next()
        time.sleep(QUIET_SECONDS)
        alone = music.underruns
        started = time.perf_counter()
        command = ["retrain", "--full", "--data-dir", scratch]
        child = JobChild(command, lambda _: None, results.append)
        child.join()
        taken = time.perf_counter() - started
    music.client.close()
    if not results or not results[0].ok:
        sys.exit(results[0].summary if results else "The training ended without a result.")
    print(f"{EVENTS} events over {TRACKS} tracks: {taken:.1f} s, music on ({music.output})")
    print(
        f"faltered {alone} times alone, {music.underruns - alone} times beside the training; {music.tracks} tracks ended"
    )


if __name__ == "__main__":
    main()
