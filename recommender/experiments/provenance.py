"""What a figure came about with: the data to the last byte, the versions of the libraries, and the machine."""

import os
import platform
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.datasets.dataset import Dataset

LIBRARIES = ("skipwise", "numpy", "scipy", "scikit-learn", "implicit", "torch")
"""Their versions can change a figure's last digits, and are compared when a run is repeated."""
CHUNK = 1 << 20
"""Values of a column taken in together."""


class Hash(Protocol):
    """What ``hashlib`` makes."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...


def versions() -> dict[str, str]:
    """Python and the libraries; one that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """What kind of machine this is; nothing that names it."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
    }


def _processor() -> str:
    """The processor's name as Linux tells it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"


def fingerprint_of_dataset(dataset: "Dataset") -> str:
    """SHA-256 of what was read: every column of the log, the names, and the content vectors.

    Two files that are read as the same rows have the same fingerprint, and the same file read with other columns another.
    """
    digest = sha256()
    for name, column in sorted(dataset.log.columns().items()):
        _add(digest, name, column)
    digest.update(f"tracks={dataset.log.tracks} ordered={dataset.ordered}".encode())
    for name, names in (("listeners", dataset.listeners), ("names", dataset.tracks)):
        digest.update(f"{name} {len(names)} ".encode())
        for each in names.tolist():
            digest.update(each.encode("utf-8", "surrogatepass") + b"\0")
    if dataset.content is not None:
        _add(digest, "content", dataset.content)
    return digest.hexdigest()


def _add(digest: "Hash", name: str, array: "NDArray[np.generic]") -> None:
    """Name, type, shape and bytes, a chunk at a time so that a column on disk stays there."""
    digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
    flat = array.reshape(-1)
    for start in range(0, len(flat), CHUNK):
        digest.update(np.ascontiguousarray(flat[start : start + CHUNK]).tobytes())
