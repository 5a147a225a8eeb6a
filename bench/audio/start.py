"""Time to the first sample (``python -m bench.audio.start [--times N]``).

From "play" to sound in the recording of a null sink, beside MPD and cmus; and from the death of the audio process
(``kill -9``) to sound again.
"""

import argparse
import os
import signal
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from bench.audio.peers import PLAYERS, missing_peers
from bench.audio.sine import RECORDED_RATE, SOUNDING
from tests.support.pulse import PulseServer, Recording, missing_programs
from tests.support.tones import write_tones

SONG_SECONDS = 60.0
PLAYING_SECONDS = 2.0
"""Listened to before the process is killed."""
PATIENCE_SECONDS = 10.0
SILENT_FRAMES = 2_000
"""Of silence in a row: the music has stopped, and is not at a zero of its wave."""


def main() -> None:
    """Print a row for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.audio.start", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    if missing := [*missing_programs(), *missing_peers()]:
        parser.error(f"not installed: {', '.join(missing)}")
    print(f"{'milliseconds to the first sample':<34}{'median':>8}{'least':>8}{'most':>8}")
    for player in PLAYERS:
        taken = [_first_sample(player, killed=False) for _ in range(options.times)]
        _print(f"{player}: play", taken)
    _print("player: audio process killed", [_first_sample("player", killed=True) for _ in range(options.times)])


def _first_sample(player: str, *, killed: bool) -> float:
    """Seconds until there is sound."""
    with tempfile.TemporaryDirectory(prefix="start-") as name:
        work, server_folder = Path(name, "work"), Path(name, "server")
        work.mkdir()
        server_folder.mkdir()
        song = write_tones(Path(name, "song.flac"), [(440.0, SONG_SECONDS)])
        server = PulseServer(server_folder)
        try:
            with PLAYERS[player](work, server.environment) as (play, pid), server.recording() as recording:
                since, frames = time.monotonic(), recording.frames
                told = play([song])
                if not killed:
                    return _sound_after(recording, frames, told - since)
                time.sleep(PLAYING_SECONDS)
                process = pid()
                assert process is not None
                frames = recording.frames
                os.kill(process, signal.SIGKILL)
                return _sound_after(recording, frames, 0.0, interrupted=True)
        finally:
            server.kill()


def _sound_after(recording: Recording, frames: int, seconds: float, *, interrupted: bool = False) -> float:
    """Seconds from a moment, so long after a place of the recording, to sound; ``interrupted``: that was there before, too."""
    begin = frames + int(seconds * RECORDED_RATE)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.1)
        loud = np.flatnonzero(np.abs(recording.everything()[begin:]).max(axis=1) > SOUNDING)
        if interrupted:
            # The silence may have begun before the moment: what was told to the recorder arrives late.
            loud = loud[np.flatnonzero(np.diff(loud, prepend=0) > SILENT_FRAMES)[:1]]
        if len(loud):
            return float(loud[0]) / RECORDED_RATE
    raise TimeoutError("there was no sound")


def _print(name: str, taken: list[float]) -> None:
    figures = (median(taken), min(taken), max(taken))
    print(f"{name:<34}" + "".join(f"{1000 * figure:>8.0f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
