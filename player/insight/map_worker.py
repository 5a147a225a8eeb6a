"""The child that places tracks on the map: ``python -m player.insight.map_worker``.

t-SNE takes seconds to minutes and, with scikit-learn, more memory than screen and sound together; so it has a process of
its own, at the lowest priority, that ends when its work is done or its pipe closes. Vectors come in and places go out
over that pipe; it touches no file and no database.
"""

import json
import os
import sys
import threading
from dataclasses import asdict, dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from player.jobs import lower_priority

VECTOR, PLACE = np.dtype("<f4"), np.dtype("<f4")
"""The form of numbers in the pipe."""


@dataclass(frozen=True, slots=True)
class VectorHeader:
    """The line before the vectors: (rows, dimension) float32 follow."""

    rows: int
    dimension: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One line back; after the one that names a method, (rows, 2) float32 follow."""

    done: int = 0
    total: int = 0
    method: str = ""


def write_line(stream: IO[bytes], line: VectorHeader | Answer) -> None:
    """Send one line."""
    stream.write(json.dumps(asdict(line)).encode() + b"\n")
    stream.flush()


def main() -> None:
    """Place what comes over standard input, and say how far it is."""
    lower_priority()
    # What libraries print must not get between the places.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    vectors = _read(sys.stdin.buffer)
    answered = threading.Event()
    threading.Thread(target=_end_with_the_pipe, args=(answered,), daemon=True).start()

    from player.insight.library_map import project  # noqa: PLC0415 - the vectors are taken first, the writer waits

    projection = project(vectors, lambda _stage, done, total: write_line(answers, Answer(done, total)))
    write_line(answers, Answer(method=projection.method))
    answered.set()
    answers.write(projection.places.astype(PLACE).tobytes())
    answers.flush()


def _read(stream: IO[bytes]) -> NDArray[np.float32]:
    header = VectorHeader(**json.loads(stream.readline()))
    numbers = stream.read(header.rows * header.dimension * VECTOR.itemsize)
    return np.frombuffer(numbers, VECTOR).reshape(header.rows, header.dimension)


def _end_with_the_pipe(answered: threading.Event) -> None:
    # Below Python's buffer, whose lock would be held when the interpreter ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    if not answered.is_set():
        os._exit(1)


if __name__ == "__main__":
    main()
