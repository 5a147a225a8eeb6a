"""The engine ``vlc`` beside VLC itself and the engine ``stream`` (``python -m bench.audio.vlc [--times N]``).

Each plays the two halves of a sine from the start into the null sink of a PulseAudio of its own, which is recorded: silence in the
first two seconds and at the join, in milliseconds, and how much longer than the sine the whole is.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import numpy as np

from bench.audio.peers import Peer, ours, record_join
from bench.audio.sine import JOINS, RECORDED_RATE, SOUNDING, Samples, holes
from tests.support.pulse import missing_programs

AFTER_SECONDS = 5.0
START_SECONDS = 2.0


@contextmanager
def cvlc(work: Path, environment: Mapping[str, str]) -> Generator[Peer]:
    """VLC without a screen, playing its own list."""
    program = Path(which("vlc") or "vlc")
    if os.geteuid() == 0:  # VLC refuses root by asking for its user; a copy asks for its parent instead
        copy = work / "vlc"
        copy.write_bytes(program.read_bytes().replace(b"geteuid", b"getppid"))
        copy.chmod(0o700)
        program = copy
    running: list[subprocess.Popen[bytes]] = []

    def play(paths: Sequence[Path]) -> float:
        told = time.monotonic()
        command = [str(program), "-I", "dummy", "--quiet", "--no-video", "--play-and-exit", *map(str, paths)]
        running.append(subprocess.Popen(command, env=dict(environment), stderr=subprocess.DEVNULL))
        return told

    try:
        yield play, lambda: running[0].pid if running else None
    finally:
        for process in running:
            process.terminate()
            process.wait()


@contextmanager
def engine_vlc(work: Path, environment: Mapping[str, str]) -> Generator[Peer]:
    """The audio process with VLC in it."""
    with ours(work, environment, engine="vlc") as peer:
        yield peer


PLAYERS = {"cvlc": cvlc, "engine vlc": engine_vlc, "engine stream": ours}


def main() -> None:
    """Print a row for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.audio.vlc", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--join", default="FLAC", choices=list(JOINS))
    options = parser.parse_args()
    if missing := [*missing_programs(), *(["vlc"] if which("vlc") is None else [])]:
        parser.error(f"not installed: {', '.join(missing)}")
    print(f"{'':<16}{'start: holes':>14}{'silent ms':>12}{'join: silent ms':>17}{'too long ms':>13}")
    for name in PLAYERS:
        for _ in range(options.times):
            with tempfile.TemporaryDirectory(prefix="vlc-") as folder:
                print(f"{name:<16}{_measure(Path(folder), options.join, name)}", flush=True)


def _measure(folder: Path, join: str, player: str) -> str:
    recorded, seconds, _ = record_join(folder, join, PLAYERS[player], AFTER_SECONDS, lambda _pid: None)
    return _judged(recorded, seconds)


def _judged(recorded: Samples, seconds: float) -> str:
    mono = np.abs(recorded.mean(axis=1))
    loud = np.flatnonzero(mono > SOUNDING)
    if not len(loud):
        return " nothing was heard"
    whole = mono[loud[0] : loud[-1] + 1]
    found = holes(whole)
    early = [length for start, length in found if start < START_SECONDS * RECORDED_RATE]
    late = [length for start, length in found if start >= START_SECONDS * RECORDED_RATE]
    figures = (sum(early), max(late, default=0), len(whole) - round(seconds * RECORDED_RATE))
    milliseconds = [1000 * figure / RECORDED_RATE for figure in figures]
    return f"{len(early):>14}{milliseconds[0]:>12.0f}{milliseconds[1]:>17.0f}{milliseconds[2]:>13.0f}"


if __name__ == "__main__":
    main()
