"""From a thumb or skip to the new queue: durable write, scoring, ranking, reasons, diversity, as the screen gets it."""

import tempfile
import time
from pathlib import Path

import numpy as np

from bench.synthetic import synthetic_library
from player.config import Settings, locate
from player.listening.controller import Controller

EVENTS = 60
HISTORY = 2000


def main() -> None:
    """Print p50 and p95 for libraries of three sizes."""
    print(f"after {HISTORY} past events, {EVENTS} thumbs and skips each, no audio device")
    print(f"{'tracks':>8} {'open ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'ranking p50 ms':>15}")
    for tracks in (1_000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), tracks)


def _measure(folder: Path, tracks: int) -> None:
    database = synthetic_library(folder, tracks, HISTORY)
    started = time.perf_counter()
    controller = Controller(database, locate(folder), Settings(), origin="headless")
    opened = time.perf_counter() - started
    controller.open_station(controller.stations()[0].id)
    taken, ranking = [], []
    for event in range(EVENTS):
        started = time.perf_counter()
        if event % 2:
            controller.next()
        else:
            controller.thumb_track(controller.snapshot().queue[3].track.id, 1 if event % 4 else -1)
        taken.append((time.perf_counter() - started) * 1000)
        ranking.append(controller.snapshot().rerank_ms)
    database.close()
    p50, p95 = np.percentile(taken, [50, 95])
    print(f"{tracks:>8} {opened * 1000:>9.0f} {p50:>8.1f} {p95:>8.1f} {np.median(ranking):>15.1f}")
