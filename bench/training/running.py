"""One training of one contender in a process of its own, timed and weighed from outside."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.training.contenders import Contender
from bench.training.exchange import Course, Task
from bench.training.material import Material

KIBIBYTES_PER_MEGABYTE = 1e6 / 1024
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LAST_LINES = 3
"""Of what a contender that failed had to say."""


class ContenderError(Exception):
    """A contender failed; the text is a sentence that says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back and what it cost.

    Attributes:
        scores: (listeners, tracks), NaN where the contender has no opinion.
        course: of the training.
        processor, clock: seconds of the whole process, with start-up, reading, validation and scoring.
        megabytes: it held at most.
    """

    scores: NDArray[np.float32]
    course: Course
    processor: float
    clock: float
    megabytes: float


def run(contender: Contender, material: Material, task: Task) -> Answer:
    """Have the contender do the task.

    Raises:
        ContenderError: it failed, or left no answer.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        material.write(folder)
        task.save(folder)
        processor, clock, megabytes = _wait((*contender.command, name), folder / "said", task.threads)
        try:
            scores = np.load(folder / "scores.npy")
            course = Course(**json.loads((folder / "course.json").read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise ContenderError(f"{contender.name} left no answer ({error}).") from None
        return Answer(scores, course, processor, clock, megabytes)


def _wait(command: Sequence[str], said: Path, threads: int) -> tuple[float, float, float]:
    """Run to the end; its processor seconds, its clock seconds and its megabytes."""
    environment = os.environ | dict.fromkeys(THREADS, str(threads)) | {"CUDA_VISIBLE_DEVICES": ""}
    begun = time.perf_counter()
    with said.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    clock = time.perf_counter() - begun
    if process.returncode != 0:
        last = " | ".join(said.read_text(errors="replace").strip().splitlines()[-LAST_LINES:])
        raise ContenderError(f"{' '.join(command[:-1])} ended with {process.returncode}: {last}")
    return usage.ru_utime + usage.ru_stime, clock, usage.ru_maxrss / KIBIBYTES_PER_MEGABYTE
