"""Retraining on 10,000 events over 10,000 tracks: seconds and peak memory, one thread; the budget is 60 s."""

import resource
import tempfile
import time
from pathlib import Path

from bench.synthetic import synthetic_library
from player.config import locate
from player.jobs import JobProgress
from player.listening.learning import retrain
from recommender.configuration import TrainingConfig

EVENTS = 10_000
TRACKS = 10_000


def main() -> None:
    """Print the time of each stage and the whole."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        database = synthetic_library(folder, TRACKS, EVENTS)
        stages: dict[str, float] = {}

        def note(progress: JobProgress) -> None:
            stages.setdefault(progress.stage, time.perf_counter())

        started = time.perf_counter()
        done = retrain(database, locate(folder), TrainingConfig(), note, lambda: False)
        taken = time.perf_counter() - started
        database.close()
    begins = [*stages.values(), started + taken]
    for (stage, begin), end in zip(stages.items(), begins[1:], strict=True):
        print(f"  {stage:<24} {end - begin:6.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{EVENTS} events, {TRACKS} tracks: {taken:.1f} s, {peak:.0f} MB at the most; {done.result.reason}")
