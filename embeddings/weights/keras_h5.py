"""The parameters in a Keras weights file (HDF5), read as untrusted data.

Needs ``h5py``, an optional extra. Only plain numeric data sets of the file itself are read: no links, no external
storage, no virtual data sets, and none larger than a network's layer.
"""

import gzip
import io
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError

if TYPE_CHECKING:
    import h5py

LEAVES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
"""Keras's names of the parameters of convolutions, dense layers and batch normalisations."""
MAX_ELEMENTS = 2**23
"""Of one data set: more than three times the largest layer wanted."""
MAX_TOTAL = 2**24
"""Elements of all data sets together, likewise: one of zeros takes no room in a file, and all the more in memory."""
MAX_FILE_BYTES = 256 * 2**20
"""Of the file when it is unpacked; the one wanted has 19 MB."""
MAX_DATASETS = 1000
"""In one file: ten times what is wanted."""
GZIP_MAGIC = b"\x1f\x8b"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """One layer's parameters by their Keras names ("kernel", "gamma", …), in Keras's shapes."""

    name: str
    arrays: Mapping[str, NDArray[np.float32]]


def read_keras_h5(contents: bytes) -> tuple[KerasLayer, ...]:
    """The layers with parameters, in the order in which Keras numbered them within each kind ("conv2d_2" before "_10").

    Args:
        contents: of an ``.h5`` file, or of one compressed with gzip, which the caller has verified.

    Raises:
        EmbeddingError: h5py is not installed, or the file is damaged or no HDF5 file of plain numbers.
    """
    try:
        import h5py  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise EmbeddingError(
            "these weights are an HDF5 file, which needs the package h5py: pip install h5py (the extra openl3)"
        ) from error
    plain = _unzipped(contents)
    if not plain.startswith(HDF5_MAGIC):
        raise EmbeddingError("the weights are no HDF5 file")
    try:
        with h5py.File(io.BytesIO(plain), "r") as file:
            return _layers(_datasets(file))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise EmbeddingError(f"the weights are a damaged HDF5 file ({type(error).__name__})") from error


def _unzipped(contents: bytes) -> bytes:
    if not contents.startswith(GZIP_MAGIC):
        return contents
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(contents)) as packed:
            plain = packed.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EmbeddingError(f"the weights are a damaged gzip file: {error}") from error
    if len(plain) > MAX_FILE_BYTES:
        raise EmbeddingError(f"the weights unpack to more than {MAX_FILE_BYTES // 2**20} MiB")
    return plain


def _datasets(file: "h5py.File") -> list[tuple[str, "h5py.Dataset"]]:
    """The file's own data sets with their paths; links are not followed."""
    import h5py  # noqa: PLC0415 - an optional package

    found: list[tuple[str, h5py.Dataset]] = []

    def keep(path: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and len(found) < MAX_DATASETS:
            found.append((path, item))

    file.visititems(keep)
    return found


def _layers(datasets: "list[tuple[str, h5py.Dataset]]") -> tuple[KerasLayer, ...]:
    arrays: dict[str, dict[str, NDArray[np.float32]]] = {}
    elements = 0
    for path, dataset in datasets:
        *folders, last = path.split("/")
        leaf = last.partition(":")[0]
        if leaf in LEAVES and folders:
            array = arrays.setdefault(folders[-1], {})[leaf] = _array(path, dataset)
            elements += array.size
            if elements > MAX_TOTAL:
                raise EmbeddingError("the weights hold more numbers than the network has")
    return tuple(KerasLayer(name, arrays[name]) for name in sorted(arrays, key=_kind_and_number))


def _array(path: str, dataset: "h5py.Dataset") -> NDArray[np.float32]:
    shape: tuple[int, ...] | None = dataset.shape  # None for HDF5's empty data sets
    elsewhere = dataset.external or dataset.is_virtual
    if elsewhere or dataset.dtype.kind != "f" or shape is None or math.prod(shape) > MAX_ELEMENTS:
        raise EmbeddingError(f'the weights\' "{path}" is no plain array of numbers that a layer could have')
    return np.asarray(dataset[()], dtype=np.float32)


def _kind_and_number(layer: str) -> tuple[str, int]:
    """Keras numbers layers as they are made: "conv2d", "conv2d_1", …, "conv2d_10"."""
    match = re.fullmatch(r"(.*?)(?:_(\d{1,9}))?", layer, re.DOTALL)
    assert match is not None  # both parts may be empty, so every name matches
    return match[1], int(match[2] or 0)
