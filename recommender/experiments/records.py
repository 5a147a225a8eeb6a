"""The record of a run: what it was asked, on what, with what, and what came of it; written as JSON, read as untrusted."""

import json
import os
import platform
import re
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import numpy as np
from msgspec import Meta, Struct, ValidationError, convert, to_builtins
from msgspec.json import decode

from recommender.configuration import removed_element
from recommender.experiments.json_values import JsonObject

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recommender.datasets.dataset import Dataset

    _Object = JsonObject
else:
    _Object = dict[str, Any]  # a type that refers to itself is more than msgspec reads

FORMAT = 1
"""Raised whenever a record changes its meaning; other formats are refused."""
ID_PATTERN = re.compile(r"[0-9a-f]{8}")
"""An id becomes a folder's name; eight hexadecimal digits are short to type and rarely meet."""
MOST_BYTES = 64 << 20
"""A record larger than this is none of ours."""


class ExperimentError(Exception):
    """A run that cannot be made, found or read; the message is one sentence that says what, where and the fix."""


Configuration = TypeVar("Configuration")


def configuration_as(kind: type[Configuration], document: JsonObject) -> Configuration:
    """Read the configuration of a record as the question of one kind of experiment, trusting nothing.

    Raises:
        ExperimentError: it is none.
    """
    if element := removed_element(document):
        raise ExperimentError(f"The configuration cannot be used: this version does not have the element {element}.")
    try:
        return convert(document, kind)
    except ValidationError as error:
        raise ExperimentError(f"The configuration of the experiment cannot be used ({error}).") from None


class FigureFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture that belongs to a run: its title, and the file in the run's folder, never one outside it."""

    title: str
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.png\Z")]


_Id = Annotated[str, Meta(pattern=rf"^{ID_PATTERN.pattern}\Z")]


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """One run, as it stands in its file.

    Attributes:
        id: eight hexadecimal digits.
        kind: which experiment.
        created: ISO 8601 in UTC.
        finished: whether all of it was computed; until then the same command goes on with it.
        configuration: everything that determines the results besides the data.
        fingerprint: SHA-256 of the data as read.
        dataset: facts about the data.
        versions: of Python and the libraries.
        machine: what kind of machine.
        seconds: how long it computed, interruptions not counted.
        results: the figures; the same configuration, data and versions give the same to the last digit.
        figures: pictures.
        repeats: the run that this one repeats, or empty.
        format: of the file.
    """

    id: _Id
    kind: Annotated[str, Meta(pattern=r"^[a-z][a-z-]{0,31}\Z")]
    created: str
    finished: bool
    configuration: _Object
    fingerprint: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    dataset: _Object
    versions: _Object
    machine: _Object
    seconds: Annotated[float, Meta(ge=0)]
    results: _Object
    figures: tuple[FigureFile, ...] = ()
    repeats: Annotated[str, Meta(pattern=rf"^({ID_PATTERN.pattern})?\Z")] = ""
    format: int = FORMAT


def record_to_json(record: Record) -> bytes:
    """The record as a JSON document; raises ValueError for a number that is not finite."""
    return (
        json.dumps(to_builtins(record, enc_hook=_plain), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def _plain(value: object) -> object:
    """A number of numpy's as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a record holds no {type(value).__name__}")


def record_from_json(content: bytes) -> Record:
    """Read what :func:`record_to_json` wrote, trusting nothing.

    Raises:
        ValueError: when it is no record of this format; the message says what is wrong in a few words.
    """
    try:
        read = decode(content, type=Record)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if read.format != FORMAT:
        raise ValueError(f"it has format {read.format}, not {FORMAT}")
    return read


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
