"""The child process that embeds one file after another.

It has one thread for arithmetic: two processes embed twice as fast as one, two threads do not. It is started
deaf to Ctrl-C, which is its parent's affair, and dies with its parent.
"""

import os
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from embeddings.errors import EmbeddingError

if TYPE_CHECKING:
    from embeddings.frontend import FrontEnd
    from embeddings.pooling import PooledEmbedding

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True)
class Ready:
    """The front-end is loaded."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the file has no embedding."""

    reason: str


Reply: TypeAlias = "Ready | Failure | PooledEmbedding"


def work(connection: Connection, frontend_name: str, weights: Path, niceness: int) -> None:
    """Load the front-end, say :class:`Ready`, then answer every path that comes until the pipe ends."""
    _become_a_quiet_child(niceness)
    try:
        frontend = _load(frontend_name, weights)
        connection.send(Ready())
        while True:
            connection.send(_embed(connection.recv(), frontend))
    except EmbeddingError as error:
        connection.send(Failure(str(error)))
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


def _load(frontend_name: str, weights: Path) -> "FrontEnd":
    from embeddings.frontend import load_frontend  # noqa: PLC0415 - imports numpy, whose thread count is set by now

    return load_frontend(frontend_name, weights)


def _embed(path: Path, frontend: "FrontEnd") -> Reply:
    from embeddings.pipeline import embed_file  # noqa: PLC0415 - as above

    try:
        return embed_file(path, frontend)
    except EmbeddingError as error:
        return Failure(str(error))
    except MemoryError:
        return Failure("there is not enough memory to embed the file")
    except Exception as error:  # noqa: BLE001 - a surprise in one file must not cost a restart of torch per file
        return Failure(f"embedding the file failed unexpectedly ({type(error).__name__}: {error})")
