"""Measurements in processes of their own: the figures are those of one process, whatever order they come in."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from recommender.experiments.records import ExperimentError

Given = TypeVar("Given")
Task = TypeVar("Task")
Part = TypeVar("Part")

PARENT_CHECK_SECONDS = 2.0
"""How often a child looks whether its parent still lives."""


def in_processes(
    work: Callable[[Given, Task], Part], given: Given, tasks: Sequence[Task], jobs: int
) -> Iterator[tuple[Task, Part]]:
    """Do every task, and yield each as it is done.

    Args:
        work: does one task with what all of them are given; a function of a module, for it is sent by its name.
        given: sent to each process once.
        tasks: what there is to do.
        jobs: processes at once; with one task or one job everything is done here.

    Raises:
        ExperimentError: a process was ended from outside.
    """
    if min(jobs, len(tasks)) <= 1:
        for task in tasks:
            yield task, work(given, task)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in the middle of their work
    pool = ProcessPoolExecutor(jobs, context, _begin, (work, given, os.getpid()))
    try:
        running: dict[Future[Part], Task] = {pool.submit(_do, task): task for task in tasks}
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise ExperimentError(
            "A training was ended from outside, perhaps for want of memory: the same command goes on with the others; "
            "use --jobs 1 to need less."
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()  # else an interrupted run would wait for trainings that nobody is waiting for


_here: list[tuple[Callable[[Any, Any], Any], Any]] = []
"""In a child: the work, and what it is given."""


def _begin(work: Callable[[Any, Any], Any], given: object, parent: int) -> None:
    """Start of a child: it ends at once on Ctrl-C, which its parent answers, and when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _here[:] = [(work, given)]


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    os._exit(1)


def _do(task: object) -> Any:
    work, given = _here[0]
    return work(given, task)
