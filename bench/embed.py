"""Embedding: tracks a minute on one and two processes, on the demo library."""

import time
from pathlib import Path

from embeddings.pipeline import embed_many
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import ensure_weights
from player.demo import demo_music
from player.folders import locate


def main() -> None:
    """Print the rates; start-up of the processes is included, as a listener would wait for it."""
    weights = ensure_weights(frontend_spec(DEFAULT_FRONTEND).weights, named=None, cache=locate().cache)
    files = sorted(Path(demo_music()).rglob("*.opus"))
    for workers in (1, 2):
        started = time.perf_counter()
        failed = sum(
            result.error is not None for result in embed_many(files, DEFAULT_FRONTEND, weights, workers=workers)
        )
        taken = time.perf_counter() - started
        rate = 60 * len(files) / taken
        print(
            f"{workers} process(es): {len(files)} tracks of 46 s in {taken:.1f} s, {rate:.0f} tracks a minute ({failed} failed)"
        )
