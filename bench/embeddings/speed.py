"""Embedding speed: the player's way, the plain way and ``bliss-audio`` on the same full-length files, in one run.

The processor's time (user and system, of all processes of a contender) is the figure to go by: it does not depend on what
else the machine is doing. Wall-clock rates are printed beside it and hold on a quiet machine only.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.embeddings.material import TRACK_SECONDS, bliss_python, evenly, full_length_tracks

TRACKS_VARIABLE = "EMBED_BENCH_TRACKS"
TRACKS_DEFAULT = 40
LIBRARY = 10_000
"""Tracks in the library whose time is projected."""
KIBIBYTES_PER_MEGABYTE = 1e6 / 1024
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Contender:
    """A name and the command that embeds the files named on its standard input."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What some processes of one contender took together: seconds of processor and of clock, megabytes of the largest."""

    processor: float
    clock: float
    megabytes: float


def contenders() -> list[Contender]:
    """The peer first, if it is installed."""
    here = Path(__file__).parent
    ours = [
        Contender(name, (sys.executable, "-m", "bench.embeddings.contender_musicnn", name))
        for name in ("plain", "fast")
    ]
    peer = bliss_python()
    return ([Contender("bliss", (str(peer), str(here / "contender_bliss.py")))] if peer else []) + ours


def measure(contender: Contender, paths: Sequence[Path], processes: int) -> Measured:
    """Deal the files to so many processes and wait for all of them."""
    started = time.perf_counter()
    running = [_start(contender, paths[number::processes]) for number in range(processes)]
    usages = [_usage(contender, process) for process in running]
    clock = time.perf_counter() - started
    return Measured(
        sum(usage.ru_utime + usage.ru_stime for usage in usages),
        clock,
        max(usage.ru_maxrss for usage in usages) / KIBIBYTES_PER_MEGABYTE,
    )


def main() -> None:
    """Print one line per contender and number of processes, and the ratios to the first contender and the plain way."""
    count = int(os.environ.get(TRACKS_VARIABLE, TRACKS_DEFAULT))
    paths = [track.path for track in evenly(full_length_tracks(), count)]
    print(
        f"{len(paths)} tracks of {TRACK_SECONDS} s; tracks a minute by processor time (start-up taken off) and by the clock"
    )
    for processes in (1, 2):
        rates: dict[str, float] = {}
        for contender in contenders():
            idle, busy = measure(contender, [], processes), measure(contender, paths, processes)
            rate = 60 * processes * len(paths) / (busy.processor - idle.processor)
            rates[contender.name] = rate
            ratios = ", ".join(
                f"{rate / other:.2f} x {name}" for name, other in rates.items() if name != contender.name
            )
            print(
                f"{processes} process(es), {contender.name:6}: {rate:6.0f} by processor, {60 * len(paths) / busy.clock:6.0f}"
                f" by the clock; start-up {idle.processor / processes:.1f} s, {busy.megabytes:.0f} MB each;"
                f" {LIBRARY} tracks in {LIBRARY / rate / 60:.1f} h" + (f"; {ratios}" if ratios else "")
            )


def _start(contender: Contender, paths: Sequence[Path]) -> subprocess.Popen[bytes]:
    """One process, which has its files and answers to nobody."""
    process = subprocess.Popen(
        contender.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=os.environ | ONE_THREAD
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"{path}\n" for path in paths).encode())
    process.stdin.close()
    return process


def _usage(contender: Contender, process: subprocess.Popen[bytes]) -> resource.struct_rusage:
    """Wait for the end and say what it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"The contender {contender.name} failed; what it said stands above.")
    return usage
