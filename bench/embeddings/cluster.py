"""Embedding on a Ray cluster beside the plain command: tracks a minute, memory, and what a lost machine costs.

``python -m bench.embeddings.cluster [FOLDER]`` embeds the demo library, or the audio files below a folder, on one process, then on
clusters of one, two and four workers of ``--cores`` (2) that are all on this machine, then on two of which one is
killed in the middle. Starting the cluster is not counted; starting the processes and loading the network is.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ray.cluster_utils import Cluster

from bench.playing import family, memory
from embeddings.cluster import embed_on_cluster
from embeddings.pipeline import FileResult, embed_many
from embeddings.registry import DEFAULT_FRONTEND, frontend_spec
from embeddings.weights.files import ensure_weights
from player.demo import demo_music
from player.folders import locate
from recommender.cluster import connection

WORKERS = (1, 2, 4)
LOOK_SECONDS = 0.5


def watch(over: threading.Event, peaks: list[tuple[float, float]]) -> None:
    """Note now and then how much this process and all below it hold (PSS), together and the largest, until it is over."""
    while not over.wait(LOOK_SECONDS):
        held = [0.0]
        for process in family(os.getpid()):
            with suppress(OSError):  # it has ended
                held.append(memory(process)[0])
        peaks.append((sum(held), max(held)))


def measure(name: str, files: list[Path], results: Callable[[], Iterable[FileResult]]) -> float:
    """Embed, print what it took, and return the seconds."""
    over, peaks = threading.Event(), [(0.0, 0.0)]
    watching = threading.Thread(target=watch, args=(over, peaks))
    watching.start()
    began = time.perf_counter()
    found = list(results())
    seconds = time.perf_counter() - began
    over.set()
    watching.join()
    once = len({result.path for result in found}) == len(found) == len(files)
    failed = sum(result.error is not None for result in found)
    together, largest = map(max, zip(*peaks, strict=True))
    print(
        f"{name}: {60 * len(files) / seconds:.0f} tracks a minute, {together:,.0f} MB ({largest:,.0f} MB the largest"
        f" process), {failed} failed, each {'exactly once' if once else 'NOT exactly once'}"
    )
    return seconds


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=demo_music())
    parser.add_argument("--cores", type=int, default=2, help="of each worker")
    asked = parser.parse_args()
    files = sorted(
        path for path in asked.folder.rglob("*") if path.suffix in {".opus", ".mp3", ".flac", ".ogg", ".m4a"}
    )
    weights = ensure_weights(frontend_spec(DEFAULT_FRONTEND).weights, named=None, cache=locate().cache)
    measure(
        f"plain, {asked.cores} processes",
        files,
        lambda: embed_many(files, DEFAULT_FRONTEND, weights, workers=asked.cores),
    )
    seconds = {}
    for workers in WORKERS:
        seconds[workers] = on_nodes(workers, asked.cores, files, weights)
    with_loss = on_nodes(2, asked.cores, files, weights, kill_after=seconds[2] / 2)
    print(
        f"the loss: {with_loss - seconds[2]:.0f} s more; half of the work at half the pace is {seconds[2] / 2:.0f} s of it"
    )


def on_nodes(workers: int, cores: int, files: list[Path], weights: Path, kill_after: float | None = None) -> float:
    """Embed on a head that does not work and so many nodes, one of which may be killed."""
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    added = [nodes.add_node(num_cpus=cores) for _ in range(workers)]
    nodes.wait_for_nodes()
    killing = threading.Timer(kill_after or 0.0, lambda: nodes.remove_node(added[-1], allow_graceful=False))
    name = f"Ray, {workers} workers of {cores} cores" + ("" if kill_after is None else ", one killed in the middle")
    try:
        with connection(str(nodes.address)) as ray:
            if kill_after is not None:
                killing.start()
            return measure(name, files, lambda: embed_on_cluster(ray, files, DEFAULT_FRONTEND, weights))
    finally:
        killing.cancel()
        nodes.shutdown()


if __name__ == "__main__":
    main()
