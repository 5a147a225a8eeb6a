"""From a thumb or skip to the new queue: durable write, scoring, ranking, reasons, diversity, as the screen gets it.

Times first, and then, on another run of the same events, the memory that each event takes at its peak beyond what was held
before it (tracemalloc sees numpy's arrays too, and makes everything slower, so it is not timed).
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.synthetic import synthetic_library
from player.config import Settings
from player.folders import locate
from player.playback.controller import Controller
from player.storage.event_kinds import Origin

EVENTS = 60
TRACED_EVENTS = 12
HISTORY = 2000
SIZES = (1_000, 10_000, 100_000)
MEBIBYTE = 2**20


def main(arguments: Sequence[str] = ()) -> None:
    """Print p50 and p95 for libraries of three sizes, or of those given."""
    print(f"after {HISTORY} past events, {EVENTS} thumbs and skips each, no audio device")
    print(
        f"{'tracks':>8} {'open ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'ranking p50 ms':>15} "
        f"{'peak MiB p50':>13} {'peak MiB max':>13}"
    )
    for tracks in [int(size) for size in arguments] or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), tracks)


def _measure(folder: Path, tracks: int) -> None:
    database = synthetic_library(folder, tracks, HISTORY)
    started = time.perf_counter()
    controller = Controller(database, locate(folder), Settings(), origin=Origin.HEADLESS)
    opened = time.perf_counter() - started
    controller.open_station(controller.stations()[0].id)
    taken, ranking, peaks = [], [], []
    for event in range(EVENTS):
        tell = _event(controller, event)
        started = time.perf_counter()
        tell()
        taken.append((time.perf_counter() - started) * 1000)
        ranking.append(controller.snapshot().rerank_ms)
    tracemalloc.start()
    for event in range(TRACED_EVENTS):
        tell = _event(controller, event)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        tell()
        peaks.append((tracemalloc.get_traced_memory()[1] - before) / MEBIBYTE)
    tracemalloc.stop()
    controller.close()
    database.close()
    p50, p95 = np.percentile(taken, [50, 95])
    print(
        f"{tracks:>8} {opened * 1000:>9.0f} {p50:>8.1f} {p95:>8.1f} {np.median(ranking):>15.1f} "
        f"{np.median(peaks):>13.2f} {max(peaks):>13.2f}"
    )


def _event(controller: Controller, number: int) -> Callable[[], object]:
    """Skips and thumbs in turn, the thumbs up and down."""
    if number % 2:
        return controller.next
    track = controller.snapshot().queue[3].track.id
    return lambda: controller.thumb(1 if number % 4 else -1, track)
