"""Embedding on as many machines as a Ray cluster has (Moritz et al. 2018, arXiv 1712.05889): files out, vectors back.

A task is a few files on one core. Within it they are embedded as on one machine (:func:`embeddings.pipeline.embed_many`, a
process that a bad file may kill), and Ray tries a task again elsewhere when its machine is lost. The files must be readable
under the same paths on every machine; the weights travel with the tasks.
"""

import tempfile
from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from embeddings.audio_file import Audio, as_part
from embeddings.errors import EmbeddingError
from embeddings.pipeline import FileResult, embed_many

FILES_A_TASK = 16
"""A process is started and the network loaded once for so many; they are lost with a machine at most."""
TASKS_A_CORE = 2
"""Handed out ahead, so that no core waits; what is chosen later can still take the listener's wishes into account."""
TRIES = 3
"""Of a task whose machine is lost, after the first."""


def embed_on_cluster(ray: Any, paths: Iterable[Audio], frontend_name: str, weights: Path) -> Generator[FileResult]:
    """Embed files on a Ray cluster, yielding each file's result once, as tasks are completed.

    Args:
        ray: the module, connected to the cluster by ``ray.init``.
        paths: read as cores are about to be free, so an endless iterable is fine.
        frontend_name: see :func:`embeddings.registry.load_frontend`.
        weights: the front-end's verified file.

    Raises:
        EmbeddingError: the front-end cannot be loaded there.
    """
    task = ray.remote(num_cpus=1, max_retries=TRIES)(embed_batch)
    contents = ray.put(weights.read_bytes())
    jobs = enumerate(paths)
    flying: dict[Any, list[tuple[int, Audio]]] = {}
    while True:
        cores = max(1, int(ray.cluster_resources().get("CPU", 0)))
        while len(flying) < TASKS_A_CORE * cores and (batch := list(islice(jobs, FILES_A_TASK))):
            flying[task.remote([path for _, path in batch], frontend_name, weights.name, contents)] = batch
        if not flying:
            return
        done, _ = ray.wait(list(flying))
        for reference in done:
            yield from _results(ray, reference, flying.pop(reference))


def embed_batch(paths: list[Audio], frontend_name: str, name: str, contents: bytes) -> list[FileResult]:
    """The task: the results of ``paths``, in any order; ``contents`` are those of the weights' file ``name``."""
    with tempfile.TemporaryDirectory(prefix="weights-") as folder:
        weights = Path(folder, name)
        weights.write_bytes(contents)
        return list(embed_many(paths, frontend_name, weights, workers=1))


def _results(ray: Any, reference: Any, batch: list[tuple[int, Audio]]) -> Generator[FileResult]:
    try:
        results: list[FileResult] = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EmbeddingError):
            raise error.cause from error
        raise
    except ray.exceptions.RayError as error:
        lost = f"its machine was lost {TRIES + 1} times ({type(error).__name__})"
        yield from (FileResult(index, as_part(audio).path, error=lost, may_succeed=True) for index, audio in batch)
        return
    for result in results:
        yield replace(result, index=batch[result.index][0])
