"""From files to pooled vectors: one file here, or many in processes of their own.

A child process has one thread for arithmetic: two processes embed twice as fast as one, two threads do not. It is started
deaf to Ctrl-C, which is its parent's affair, and dies with its parent. Nothing here imports numpy at the top: a child does
so only after it has said how many threads there are.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from embeddings.audio_file import Audio, as_part
from embeddings.errors import EmbeddingError, OutOfTimeError, unforeseen
from embeddings.frontend import FrontEnd, FrontEndModule
from embeddings.registry import frontend_module, load_frontend
from embeddings.spec import lacking_package
from embeddings.weights.files import check_weights

if TYPE_CHECKING:
    from embeddings.loudness import Loudness, LoudnessMeter
    from embeddings.pooling import PooledEmbedding

logger = logging.getLogger(__name__)

GOODBYE_SECONDS = 5.0
"""For a killed worker to be gone."""
CLOCK_FACTOR = 8.0
"""Patience is counted in the worker's processor time, for the machine may be busy with everything else; by the clock it is so
many times as long, for a worker that waits for a dead disk uses no processor time at all."""
METER_START_SECONDS = 60.0
METER_PATIENCE_SECONDS = 600.0
"""Processor time of one file: enough for a day of music, which is measured more than a hundred times as fast as it plays."""
LOOK_SECONDS = 1.0
"""Between two looks at a worker that is late by the clock."""
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result for one file: where there is an ``error`` there is nothing else.

    Attributes:
        index: the file's place among the paths given.
        path: the file as given.
        embedding: its pooled vector and tags; None too where only the loudness was asked for.
        loudness: how loud it is, where the whole of it was decoded.
        error: one sentence saying why there is none; it does not hold the path.
        may_succeed: nothing is known against the file, which only took too long: another run may embed it.
    """

    index: int
    path: Path
    embedding: "PooledEmbedding | None" = None
    loudness: "Loudness | None" = None
    error: str | None = None
    may_succeed: bool = False


def embed_file(audio: Audio, frontend: FrontEnd, meter: "LoudnessMeter | None" = None) -> "PooledEmbedding":
    """Decode one file and embed it in this process: pieces of it where the front-end does with them.

    Where the whole file is decoded, a ``meter`` has its loudness afterwards.

    Raises:
        EmbeddingError: the file cannot be read, decoded or embedded.
    """
    from embeddings.decode import decode_channels  # noqa: PLC0415 - numpy, whose thread count is set by now
    from embeddings.excerpts import HearsExcerpts, decode_excerpts  # noqa: PLC0415 - as above
    from embeddings.pooling import pool  # noqa: PLC0415 - as above

    spec = frontend.spec
    if isinstance(frontend, HearsExcerpts):
        pieces = decode_excerpts(audio, spec.sample_rate, frontend.excerpts, spec.channels)
        return pool(frontend.embed_excerpts(pieces))
    return pool(frontend.embed(decode_channels(audio, spec.sample_rate, spec.channels, meter=meter)))


# --- The child ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The front-end is loaded."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a file has no embedding.

    Attributes:
        reason: a clause.
        may_succeed: see :class:`FileResult`.
        traceback: of an exception that nobody foresaw, for the parent's log.
    """

    reason: str
    may_succeed: bool = False
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was asked about a file."""

    embedding: "PooledEmbedding | None"
    loudness: "Loudness | None"


Reply: TypeAlias = "Ready | Failure | Heard"


@dataclass(frozen=True, slots=True)
class EmbedTask:
    """The task to embed files, and to measure how loud they are while they are being decoded."""

    frontend_name: str
    weights: Path

    def begin(self) -> Callable[[Audio], Heard]:
        """Load the front-end."""
        from embeddings.loudness import LoudnessMeter  # noqa: PLC0415 - numpy, whose thread count is set by now

        frontend = load_frontend(self.frontend_name, self.weights)

        def listen(audio: Audio) -> Heard:
            meter = LoudnessMeter()
            return Heard(embed_file(audio, frontend, meter), meter.result)

        return listen


@dataclass(frozen=True, slots=True)
class MeasureTask:
    """The task to measure how loud files are, and nothing else."""

    frontend_name: str = "the loudness meter"

    def begin(self) -> Callable[[Audio], Heard]:
        """Load the meter."""
        from embeddings.decode import measure_loudness  # noqa: PLC0415 - as above

        return lambda audio: Heard(None, measure_loudness(audio))


def work(connection: Connection, task: EmbedTask | MeasureTask, niceness: int) -> None:
    """Begin with a task, say :class:`Ready`, then answer every path that comes until the pipe ends."""
    _become_a_quiet_child(niceness)
    try:
        try:
            listen = task.begin()
        except Exception as error:  # noqa: BLE001 - a package's loader may raise anything
            connection.send(_failure(error, f"{task.frontend_name} could not be loaded"))
            return
        connection.send(Ready())
        while True:
            connection.send(_answer(connection.recv(), listen))
    except (EOFError, OSError):
        return  # the parent has closed its end


def _become_a_quiet_child(niceness: int) -> None:
    threading.Thread(target=_die_with_parent, name="orphan-watch", daemon=True).start()
    for variable in THREAD_VARIABLES:  # before numpy and torch are imported, which read them once
        os.environ[variable] = "1"
    if niceness:
        os.nice(niceness)


def _die_with_parent() -> None:
    """End this process, whatever it is doing, when its parent is gone."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(audio: Audio, listen: Callable[[Audio], Heard]) -> Reply:
    try:
        return listen(audio)
    except Exception as error:  # noqa: BLE001 - a surprise in one file must not cost a restart of torch per file
        return _failure(error, "embedding the file failed unexpectedly")


def _failure(error: Exception, surprise: str) -> Failure:
    """The failure that ``error`` means; ``surprise`` is said of one that nobody foresaw."""
    match error:
        case EmbeddingError():
            return Failure(str(error), may_succeed=isinstance(error, OutOfTimeError))
        case MemoryError():
            return Failure("there is not enough memory to embed the file", may_succeed=True)
        case _:
            return Failure(f"{surprise} ({unforeseen(error)})", traceback="".join(traceback.format_exception(error)))


# --- Processor time ----------------------------------------------------------------------------------------------


def processor_seconds(pid: int) -> float | None:
    """Processor time that a process has used so far, or None where the system does not say (all but Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime, fields 14 and 15
    except (OSError, ValueError, IndexError):
        return None


class _Patience:
    """Time that a process is given for one thing, from now on, in seconds of its own processor time."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._seconds = seconds
        self._clock, self._processor = time.monotonic(), processor_seconds(pid)

    def is_over(self) -> bool:
        """True once the processor time is used up, or many times as much has gone by on the clock."""
        by_clock = time.monotonic() - self._clock
        if by_clock < self._seconds:
            return False  # one thread cannot have used more than that
        used = processor_seconds(self._pid)
        if used is not None and self._processor is not None and used - self._processor >= self._seconds:
            return True
        return by_clock >= CLOCK_FACTOR * self._seconds

    def next_look(self) -> float:
        """Seconds until it can be over, or should be looked at again."""
        return max(LOOK_SECONDS, self._clock + self._seconds - time.monotonic())


# --- The parent --------------------------------------------------------------------------------------------------


def embed_many(
    paths: Iterable[Audio], frontend_name: str, weights: Path, *, workers: int | None = None, niceness: int = 0
) -> Generator[FileResult]:
    """Embed files in ``workers`` single-threaded processes, yielding each result as it is completed.

    A file that kills its worker, or hangs it, is that file's error; a new worker takes the next one. Closing the
    generator, an exception (Ctrl-C) in the caller, or the caller's death ends the workers at once.

    Args:
        paths: read as they are needed, so an endless iterable is fine.
        frontend_name: see :func:`embeddings.registry.load_frontend`.
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
    orders = _Orders(EmbedTask(frontend_name, weights), niceness, module.start_seconds, module.patience_seconds)
    with closing(_Pool(min(count, module.most_workers or count), orders)) as crew:
        yield from crew.run(enumerate(paths))


def measure_many(paths: Iterable[Audio], *, workers: int, niceness: int = 0) -> Generator[FileResult]:
    """Measure how loud files are, as :func:`embed_many` embeds them."""
    orders = _Orders(MeasureTask(), niceness, METER_START_SECONDS, METER_PATIENCE_SECONDS)
    with closing(_Pool(workers, orders)) as crew:
        yield from crew.run(enumerate(paths))


def _check_usable(module: FrontEndModule, frontend_name: str, weights: Path) -> None:
    """Say what is wrong before any process is started."""
    spec = module.spec(frontend_name)
    assert spec is not None
    obstacle = lacking_package(spec) or module.obstacle()
    if obstacle is not None:
        raise EmbeddingError(f"{frontend_name} cannot be used now: {obstacle.fix}")
    check_weights(weights, spec.weights)


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
    """Orders for every worker, and its processor time: seconds to start, and for a file."""

    task: EmbedTask | MeasureTask
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
            args=(theirs, orders.task, orders.niceness),
            name="embedder",
            daemon=True,
        )
        with _interrupts_held_back():
            self.process.start()
        theirs.close()  # the child alone holds it now, so its death ends the pipe
        assert self.process.pid is not None
        self._pid = self.process.pid
        self._orders = orders
        self.ready = False
        self.job: tuple[int, Audio] | None = None
        self.patience = _Patience(self._pid, orders.start_seconds)

    def give(self, job: tuple[int, Audio]) -> None:
        """Send a file to embed; a worker that has just died is noticed at the next wait."""
        self.job = job
        if self.ready:
            self.patience = _Patience(self._pid, self._orders.patience_seconds)
        try:
            self.connection.send(job[1])
        except OSError:
            return

    def loaded(self) -> None:
        """It has loaded the front-end, and begins with its file."""
        self.ready, self.patience = True, _Patience(self._pid, self._orders.patience_seconds)

    def finish(self, reply: Failure | Heard) -> FileResult:
        """The result of the file it was busy with, which it is no longer."""
        assert self.job is not None
        (index, audio), self.job = self.job, None
        path = as_part(audio).path
        if isinstance(reply, Failure):
            if reply.traceback:
                logger.error("%s\n%s", reply.reason, reply.traceback)
            return FileResult(index, path, error=reply.reason, may_succeed=reply.may_succeed)
        return FileResult(index, path, embedding=reply.embedding, loudness=reply.loudness)

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

    def run(self, jobs: Iterator[tuple[int, Audio]]) -> Iterator[FileResult]:
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
        until = min(worker.patience.next_look() for worker in busy)
        speaking = wait([worker.connection for worker in busy], timeout=until)
        for worker in busy:
            if worker.connection in speaking:
                yield from self._hear(worker)
            elif worker.patience.is_over():
                yield self._bury(worker, Failure("the file took too long and was given up", may_succeed=True))

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
            reason = f"the file crashed the process that was embedding it (exit code {died_of})"
            # SIGKILL is how the system ends a process when memory runs out, for which another program may be to blame.
            yield self._bury(worker, Failure(reason, may_succeed=died_of == -signal.SIGKILL))
            return
        if isinstance(reply, Ready):
            worker.loaded()
        elif isinstance(reply, Failure) and not worker.ready:
            if reply.traceback:
                logger.error("%s\n%s", reply.reason, reply.traceback)
            raise EmbeddingError(reply.reason)
        else:
            yield worker.finish(reply)

    def _bury(self, worker: _Worker, failure: Failure) -> FileResult:
        """Remove a dead or hung worker, and blame its file."""
        self._workers.remove(worker)
        worker.end()
        return worker.finish(failure)
