"""Time and memory of evaluation: cm100k (632 listeners × 1,084 tracks) with all baselines, and ten million made-up rows.

Each part runs in a process of its own, whose peak is its own. ``PLAYER_BENCH_ROWS`` sets another number of rows.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from recommender.datasets.opening import dataset_of, open_dataset
from recommender.events import EventLog, Outcome
from recommender.experiments.model_comparison import compare_models
from recommender.experiments.run_config import configure
from recommender.experiments.store import RunStore

ROWS = 10_000_000
LISTENERS = 100_000
TRACKS = 50_000
MEASURED_LISTENERS = 2_000
"""Of the made-up log: a sample, as every listener costs a pass over the catalogue for each model."""
CHEAP = "random,popularity,like-rate,personal-most-played"
CM100K = Path(__file__).parents[2] / "shared" / "feedback" / "cm100k" / "ratings.tsv"


def synthetic_log(rows: int, seed: int = 0) -> EventLog:
    """Listeners who hear frequent tracks again and again, over a year, and like some tracks more than others."""
    rng = np.random.default_rng(seed)
    track = (TRACKS * rng.random(rows) ** 3).astype(np.int64)  # plays fall with the rank, as in real logs
    quality = rng.random(TRACKS)
    liked = rng.random(rows) < 0.2 + 0.6 * quality[track]
    return EventLog(
        listener=rng.integers(LISTENERS, size=rows),
        station=np.zeros(rows, np.int64),
        track=track,
        time=np.sort(rng.random(rows)) * 365 * 86400.0,
        outcome=np.where(liked, Outcome.FINISH, Outcome.SKIP_EARLY).astype(np.int8),
        label=np.where(liked, 1, -1).astype(np.int8),
        weight=np.full(rows, 0.5, np.float32),
        explicit=np.zeros(rows, np.bool_),
        tracks=TRACKS,
    )


def measure(part: str, rows: int, folder: Path) -> None:
    """Run one part in this process and tell its time and memory."""
    start = time.perf_counter()
    if part == "cm100k":
        dataset = open_dataset(f"cm100k:{CM100K}")
        question = configure(dataset, models="all", seeds=1)
    else:
        dataset = dataset_of(synthetic_log(rows), name="made-up")
        question = configure(dataset, models=CHEAP, seeds=1, most_listeners=MEASURED_LISTENERS)
    ready = time.perf_counter()
    base = _peak()
    record = compare_models(RunStore(folder), dataset, question)
    taken = time.perf_counter() - ready
    print(
        f"{part}: {len(dataset.log):,} rows, {len(question.models)} models, {question.split}: {taken:.1f} s "
        f"(data ready after {ready - start:.1f} s), peak {_peak():,.0f} MB, of which {base:,.0f} MB with the data alone"
    )
    for row in record.results["results"]:
        if row["metric"] == "auc":
            print(f"  {row['model']:<22} pair AUC {row['mean']:.3f} ({row['low']:.3f} to {row['high']:.3f})")


def _peak() -> float:
    """Most memory this process ever held, in MB."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def main() -> None:
    """Run both parts."""
    rows = int(os.environ.get("PLAYER_BENCH_ROWS", ROWS))
    for part in ("cm100k", "synthetic"):
        if part == "cm100k" and not CM100K.exists():
            print("cm100k: left out, its file is not beside the repository")
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "bench.evaluation", part, str(rows), folder]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            print(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout, end="")


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
