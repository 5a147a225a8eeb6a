"""How fast, and in how much memory, the sequential model trains on a log that is not held in memory.

``python -m bench.training.scale`` writes a made-up log of 10 million events (100,000 listeners, 100,000 tracks) as shards,
trains on it for one step and for some hundred with one Ray worker and with two – the first is what a start costs, the rest are
steps –, and works out what Spotify's sessions (MSSD) in full would take at that pace. ``PLAYER_BENCH_ROWS`` and ``PLAYER_BENCH_STEPS`` set other sizes. ``--beside FOLDER`` trains with the
checkout in that folder too, one that still ran under ``torchrun``, in turn and on the same shards.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np

from bench.playing import family, ticks
from recommender.datasets.stream import Chunk
from recommender.events import Outcome
from recommender.training.conversion import convert

ROWS = 10_000_000
STEPS = 300
ROWS_PER_LISTENER = 100
CHUNK_ROWS = 1 << 16
GROUPS = 50
"""Tastes: a listener likes the tracks of one group more often than others."""
OWN_GROUP, OTHER_GROUP = 0.8, 0.4
"""Share of plays that are finished."""
SKEW = 3.0
"""Exponent of the popularity: the first hundredth of the tracks gets about a fifth of the plays."""
MSSD_SESSIONS = 160_000_000
MSSD_SESSION_ROWS = (10, 20)
"""Fewest and most rows of a session; the mean is not published."""
MSSD_TRACKS = 3_700_000
"""These as Brost, Mehrotra & Jehan 2019 (arXiv 1901.09851) give them."""
EPOCHS = 10
SECONDS_PER_DAY = 86_400
ADAM_COPIES = 5
"""Weights, gradients, two averages, and the weights of the best epoch."""
FLOAT_BYTES = 4
WIDTH = 64
LOOK_SECONDS = 0.5
"""Between two looks at how long each process has worked."""


class InventedStream:
    """A log of made-up plays in time order, listeners all mixed up; the same every time it is read."""

    name = "invented"
    ordered = True
    notes = ("Invented plays: figures about taste mean nothing.",)

    def __init__(self, rows: int, seed: int = 0) -> None:
        self._rows = rows
        self._seed = seed
        self.listeners = max(1, rows // ROWS_PER_LISTENER)
        self.tracks: Mapping[str, int] = {f"t{index}": index for index in range(self.listeners)}
        self.stations: Mapping[str, int] = {"radio": 0}

    def content(self) -> None:
        """There is none."""

    def __iter__(self) -> Iterator[Chunk]:
        rng = np.random.default_rng(self._seed)
        for start in range(0, self._rows, CHUNK_ROWS):
            yield self._chunk(rng, start, min(CHUNK_ROWS, self._rows - start))

    def _chunk(self, rng: np.random.Generator, start: int, count: int) -> Chunk:
        # Squared, so that some listeners play far more than others, as in real logs.
        listener = (self.listeners * rng.random(count) ** 2).astype(np.int64)
        track = (len(self.tracks) * rng.random(count) ** SKEW).astype(np.int64)
        finished = rng.random(count) < np.where(listener % GROUPS == track % GROUPS, OWN_GROUP, OTHER_GROUP)
        return Chunk(
            listener=listener,
            station=np.zeros(count, np.int64),
            track=track,
            time=np.arange(start, start + count, dtype=np.float64),
            outcome=np.where(finished, Outcome.FINISH, Outcome.SKIP_EARLY).astype(np.int8),
            label=np.where(finished, 1, -1).astype(np.int8),
            weight=np.ones(count, np.float32),
            explicit=np.zeros(count, np.bool_),
            share=np.full(count, np.nan, np.float32),
            known=np.full(count, -1, np.int8),
            new_listeners=(),
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of processor of a command and all below it, and what it said of its training."""

    clock: float
    processor: float
    said: dict[str, float]


def train(folder: Path, out: Path, processes: int, steps: int, mode: str, beside: Path | None = None) -> Cost:
    """Train with so many processes, of this checkout or of the one beside it."""
    command = [sys.executable, "-m"]
    if beside is not None and processes > 1:
        command += ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    command += ["recommender.training", "train", str(folder), "--out", str(out), "--mode", mode]
    command += ["--device", "cpu"] if beside is not None else ["--workers", str(processes)]
    command += ["--epochs", "1", "--steps", str(steps), "--json"]
    root = beside or Path.cwd()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    began, used = time.monotonic(), dict[int, int]()
    with TemporaryFile() as told, TemporaryFile() as errors:
        running = subprocess.Popen(command, stdout=told, stderr=errors, env=environment, cwd=root)
        while running.poll() is None:
            for process in family(running.pid):
                with suppress(OSError):  # it has just ended
                    used[process] = ticks(process)
            time.sleep(LOOK_SECONDS)
        clock = time.monotonic() - began
        told.seek(0)
        errors.seek(0)
        if running.returncode:
            raise SystemExit(errors.read().decode())
        return Cost(clock, sum(used.values()) / os.sysconf("SC_CLK_TCK"), json.load(told))


def main() -> None:
    """Write the shards, train on them, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="a checkout to compare with")
    beside: Path | None = parser.parse_args().beside
    rows = int(os.environ.get("PLAYER_BENCH_ROWS", ROWS))
    steps = int(os.environ.get("PLAYER_BENCH_STEPS", STEPS))
    with tempfile.TemporaryDirectory() as temporary:
        shards = Path(temporary, "shards")
        start = time.perf_counter()
        manifest = convert(InventedStream(rows), shards)  # pyright: ignore[reportArgumentType] - all that is read of one
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in shards.iterdir()) / 1e6
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{rows:,} rows of {manifest.listeners:,} listeners and {manifest.tracks:,} tracks: {len(manifest.shards)} shards"
            f" ({size:,.0f} MB) in {seconds:.0f} s, {rows / seconds:,.0f} rows/s, peak {peak:,.0f} MB"
        )
        for mode in ("faithful", "best"):
            for processes in (1, 2):
                for checkout in (beside, None) if beside is not None else (None,):
                    name = f"{mode}, {processes} process{'es' if processes > 1 else ''}{', beside' if checkout else ''}"
                    outs = [(each, Path(temporary, f"{name}, {each} steps")) for each in (1, steps)]
                    _tell(name, *(train(shards, out, processes, each, mode, checkout) for each, out in outs))


def _tell(name: str, short: Cost, long: Cost) -> None:
    """Print what a training took, of which ``short`` has taken one step alone: what is more than that is steps."""
    found, more = long.said, long.said["steps"] - short.said["steps"]
    seconds = (long.clock - short.clock) / more
    pace = found["tokens_per_second"] / found["steps_per_second"] / seconds
    print(
        f"{name}: {short.clock:.1f} s ({short.processor:.1f} of processor) with one step alone, then {1 / seconds:.2f} steps/s"
        f" ({(long.processor - short.processor) / more:.3f} s of processor each), {pace:,.0f} tokens/s, peak"
        f" {found['peak_mb_per_process']:,.0f} MB a process",
        flush=True,
    )
    low, high = (MSSD_SESSIONS * rows * EPOCHS / pace / SECONDS_PER_DAY for rows in MSSD_SESSION_ROWS)
    table = MSSD_TRACKS * WIDTH * FLOAT_BYTES * ADAM_COPIES / 1e9
    print(
        f"  extrapolated, not measured: MSSD in full, {EPOCHS} epochs at this pace, {low:,.0f} to {high:,.0f} days; its"
        f" {MSSD_TRACKS:,} own embeddings and what Adam keeps of them, {table:.1f} GB a process"
    )


if __name__ == "__main__":
    main()
