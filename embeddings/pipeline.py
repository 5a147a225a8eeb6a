"""From files to pooled vectors: one file here, or many in processes of their own."""

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path

from embeddings.decode_stereo import decode_channels
from embeddings.errors import EmbeddingError
from embeddings.excerpts import HearsExcerpts, decode_excerpts
from embeddings.frontend import Embedded, FrontEnd
from embeddings.pooling import PooledEmbedding, pool
from embeddings.registry import frontend_module
from embeddings.spec import FrontEndModule, lacking_package
from embeddings.weights.weight_files import check_weights
from embeddings.worker import Failure, Ready, Reply, work

GOODBYE_SECONDS = 5.0
"""For a killed worker to be gone."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file: exactly one of ``embedding`` and ``error`` is set.

    Attributes:
        index: the file's place among the paths given.
        path: the path as given.
        embedding: its pooled vector and tags.
        error: one sentence saying why there is none; it does not hold the path.
    """

    index: int
    path: Path
    embedding: PooledEmbedding | None = None
    error: str | None = None


def embed_file(path: Path, frontend: FrontEnd) -> PooledEmbedding:
    """Decode one file and embed it in this process.

    Raises:
        EmbeddingError: the file cannot be read, decoded or embedded.
    """
    return pool(_heard(path, frontend))


def _heard(path: Path, frontend: FrontEnd) -> Embedded:
    """The file as the front-end hears it: pieces of it when they are enough, and in as many channels as it wants."""
    card = frontend.card
    if isinstance(frontend, HearsExcerpts):
        return frontend.embed_excerpts(decode_excerpts(path, card.sample_rate, frontend.excerpts, card.channels))
    return frontend.embed(decode_channels(path, card.sample_rate, card.channels))


def embed_many(
    paths: Iterable[Path], frontend_name: str, weights: Path, *, workers: int | None = None, niceness: int = 0
) -> Generator[FileResult]:
    """Embed files in ``workers`` single-threaded processes, yielding each result as it is completed.

    A file that kills its worker, or hangs it, is that file's error; a new worker takes the next one. Closing the
    generator, an exception (Ctrl-C) in the caller, or the caller's death ends the workers at once.

    Args:
        paths: read as they are needed, so an endless iterable is fine.
        frontend_name: see :func:`embeddings.frontend.load_frontend`.
        weights: the front-end's verified file.
        workers: processes; by default one per core, and never more than the front-end bears.
        niceness: added to the workers' (19 is the most yielding).

    Raises:
        EmbeddingError: the front-end or its weights cannot be loaded.
    """
    module = frontend_module(frontend_name)
    _check_usable(module, frontend_name, weights)
    count = workers if workers is not None else os.cpu_count() or 1
    if count < 1:
        raise EmbeddingError(f"{count} worker processes cannot embed anything; use 1 or more")
    orders = _Orders(frontend_name, weights, niceness, module.start_seconds, module.patience_seconds)
    with closing(_Pool(min(count, module.most_workers or count), orders)) as crew:
        yield from crew.run(enumerate(paths))


def _check_usable(module: FrontEndModule, frontend_name: str, weights: Path) -> None:
    """Say what is wrong before any process is started."""
    card = module.card(frontend_name)
    assert card is not None
    obstacle = lacking_package(card) or module.obstacle()
    if obstacle is not None:
        raise EmbeddingError(f"{frontend_name} cannot be used now: {obstacle.mend}")
    check_weights(weights, card.weights)


@contextmanager
def _interrupts_held_back() -> Generator[None, None, None]:
    """A process started here never sees Ctrl-C, not even while it is still importing; this one sees it right after."""
    resource_tracker.ensure_running()  # else the first start would launch it, which lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class _Orders:
    """What every worker is told, and how long it may take: seconds to start, and for a file."""

    frontend_name: str
    weights: Path
    niceness: int
    start_seconds: float
    patience_seconds: float


class _Worker:
    """One child process, its end of the pipe, and the file it is busy with."""

    def __init__(self, orders: _Orders) -> None:
        spawn = multiprocessing.get_context("spawn")  # fork would copy locks that other threads hold
        self.connection: Connection
        self.connection, theirs = spawn.Pipe()
        self.process = spawn.Process(
            target=work,
            args=(theirs, orders.frontend_name, orders.weights, orders.niceness),
            name="embedder",
            daemon=True,
        )
        with _interrupts_held_back():
            self.process.start()
        theirs.close()  # the child alone holds it now, so its death ends the pipe
        self._orders = orders
        self.ready = False
        self.job: tuple[int, Path] | None = None
        self.deadline = 0.0

    def give(self, job: tuple[int, Path]) -> None:
        """Send a file to embed; a worker that has just died is noticed at the next wait."""
        self.job = job
        patience = self._orders.patience_seconds if self.ready else self._orders.start_seconds
        self.deadline = time.monotonic() + patience
        try:
            self.connection.send(job[1])
        except OSError:
            return

    def loaded(self) -> None:
        """It has loaded the front-end, and begins with its file."""
        self.ready, self.deadline = True, time.monotonic() + self._orders.patience_seconds

    def finish(self, reply: Failure | PooledEmbedding) -> FileResult:
        """The result of the file it was busy with, which it is no longer."""
        assert self.job is not None
        (index, path), self.job = self.job, None
        if isinstance(reply, Failure):
            return FileResult(index, path, error=reply.reason)
        return FileResult(index, path, embedding=reply)

    def end(self) -> None:
        """Kill the process, whatever it is doing."""
        self.process.kill()
        self.process.join(GOODBYE_SECONDS)
        self.connection.close()


class _Pool:
    """Workers, and the loop that feeds them one file each."""

    def __init__(self, count: int, orders: _Orders) -> None:
        self._count = count
        self._orders = orders
        self._workers: list[_Worker] = []

    def close(self) -> None:
        """End all workers."""
        while self._workers:
            self._workers.pop().end()

    def run(self, jobs: Iterator[tuple[int, Path]]) -> Iterator[FileResult]:
        """Results as they are completed, until there are no jobs left and no worker is busy."""
        waiting = next(jobs, None)
        while waiting is not None or any(worker.job for worker in self._workers):
            # A worker is started when a file waits and all are busy, so three files never start twenty processes.
            if waiting is not None and len(self._workers) < self._count and all(w.job for w in self._workers):
                self._workers.append(_Worker(self._orders))
            idle = next((worker for worker in self._workers if worker.job is None), None)
            if waiting is not None and idle is not None:
                idle.give(waiting)
                waiting = next(jobs, None)
                continue
            yield from self._collect()

    def _collect(self) -> Iterator[FileResult]:
        """Wait until some worker has something to say, is dead, or has been silent for too long."""
        busy = [worker for worker in self._workers if worker.job]
        patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
        speaking = wait([worker.connection for worker in busy], timeout=patience)
        for worker in busy:
            if worker.connection in speaking:
                yield from self._hear(worker)
            elif time.monotonic() >= worker.deadline:
                yield self._bury(worker, "the file took too long and was given up")

    def _hear(self, worker: _Worker) -> Iterator[FileResult]:
        """Take in one reply, or the silence of the dead."""
        try:
            reply: Reply = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(GOODBYE_SECONDS)  # its pipe ends a moment before its exit code is known
            died_of = worker.process.exitcode
            if not worker.ready:
                raise EmbeddingError(
                    f"the embedding process died while starting (exit code {died_of}); try fewer workers"
                ) from None
            yield self._bury(worker, f"the file crashed the process that was embedding it (exit code {died_of})")
            return
        if isinstance(reply, Ready):
            worker.loaded()
        elif isinstance(reply, Failure) and not worker.ready:
            raise EmbeddingError(reply.reason)
        else:
            yield worker.finish(reply)

    def _bury(self, worker: _Worker, reason: str) -> FileResult:
        """Remove a dead or hung worker, and blame its file."""
        self._workers.remove(worker)
        worker.end()
        return worker.finish(Failure(reason))
