"""How fast, and in how much memory, a log far larger than memory is described: 10 million rows in MSSD's schema.

``PLAYER_BENCH_ROWS`` sets another number of rows.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

ROWS = 10_000_000
FILE_ROWS = 1_000_000
SESSION_ROWS = 20
TRACKS = 200_000
CONTEXTS = ("radio", "editorial_playlist", "user_collection", "catalog")

MEASURE = """
import sys, time
from recommender.datasets.summary import statistics
from recommender.datasets.stream import stream_dataset
start = time.perf_counter()
found = statistics(stream_dataset("mssd:" + sys.argv[1], columns={"context": "all"}))
seconds = time.perf_counter() - start
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak, held = (int(status[key].split()[0]) / 1024 for key in ("VmHWM", "RssAnon"))
print(f"{found.events:,} rows of {found.listeners:,} sessions and {found.tracks:,} tracks in {seconds:.1f} s:"
      f" {found.events / seconds:,.0f} rows/s, peak {peak:.0f} MB, of its own at the end {held:.0f} MB")
"""
"""Run in a process of its own, whose peak is not that of the generator."""


def write_sessions(folder: Path, rows: int, seed: int = 0) -> None:
    """``rows`` rows of made-up sessions as ``log_*.csv``, a file for every million."""
    rng = np.random.default_rng(seed)
    # Popularity falls with the rank, as it does in real logs: most plays go to few tracks.
    names = pa.array([f"t_{rng.bytes(16).hex()}" for _ in range(TRACKS)])
    for start in range(0, rows, FILE_ROWS):
        count = min(FILE_ROWS, rows - start)
        table = _sessions(rng, names, start, count)
        csv.write_csv(
            table, folder / f"log_0_20180715_{start // FILE_ROWS:012d}.csv", csv.WriteOptions(quoting_style="none")
        )


def _sessions(rng: np.random.Generator, names: Any, start: int, count: int) -> Any:
    number = np.arange(start, start + count)
    session, position = number // SESSION_ROWS, number % SESSION_ROWS + 1
    track = (TRACKS * rng.random(count) ** 3).astype(np.int64)
    left = rng.choice(4, count, p=[0.3, 0.1, 0.1, 0.5])
    ids = pa.array([f"0_{value:032x}" for value in range(session[0], session[-1] + 1)])
    dates = pa.array([f"2018-{month:02d}-{day:02d}" for month in (7, 8, 9) for day in range(1, 31)])
    contexts = pa.array(CONTEXTS)
    reasons = pa.array(["trackdone", "fwdbtn"])
    zero = pa.array(np.zeros(count, np.int64))
    truth = pa.array(["false", "true"])

    def flag(values: NDArray[np.generic]) -> Any:
        return truth.take(pa.array(values.astype(np.int64)))

    skipped = left < 3
    return pa.table(
        {
            "session_id": ids.take(pa.array(session - session[0])),
            "session_position": position,
            "session_length": np.full(count, SESSION_ROWS),
            "track_id_clean": names.take(pa.array(track)),
            "skip_1": flag(left < 1),
            "skip_2": flag(left < 2),
            "skip_3": flag(skipped),
            "not_skipped": flag(~skipped),
            "context_switch": zero,
            "no_pause_before_play": zero,
            "short_pause_before_play": zero,
            "long_pause_before_play": zero,
            "hist_user_behavior_n_seekfwd": zero,
            "hist_user_behavior_n_seekback": zero,
            "hist_user_behavior_is_shuffle": flag(np.zeros(count)),
            "hour_of_day": rng.integers(24, size=count),
            "date": dates.take(pa.array(session % len(dates))),
            "premium": flag(np.ones(count)),
            "context_type": contexts.take(pa.array(session % len(contexts))),
            "hist_user_behavior_reason_start": reasons.take(zero),
            "hist_user_behavior_reason_end": reasons.take(pa.array(skipped.astype(np.int64))),
        }
    )


def main() -> None:
    """Write the rows, then describe them as a stream."""
    rows = int(os.environ.get("PLAYER_BENCH_ROWS", ROWS))
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder, "logs")
        logs.mkdir()
        start = time.perf_counter()
        write_sessions(logs, rows)
        size = sum(path.stat().st_size for path in logs.iterdir()) / 1e9
        print(f"{rows:,} rows ({size:.1f} GB) written in {time.perf_counter() - start:.0f} s")
        command = [sys.executable, "-c", MEASURE, str(logs)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
