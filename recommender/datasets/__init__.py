"""Readers of public and private feedback files, all giving one :class:`recommender.datasets.dataset.Dataset`.

The names below are loaded when first used: reading files needs Arrow, and knowing what can be read does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recommender.datasets.dataset import (
    KINDS,
    Dataset,
    DatasetError,
    Exclusion,
    Problem,
    Reading,
    parse_columns,
    parse_name,
)

if TYPE_CHECKING:
    from recommender.datasets.opening import dataset_of, open_dataset
    from recommender.datasets.stream import Chunk, DatasetStream, stream_dataset
    from recommender.datasets.summary import Statistics, statistics

_HOMES = {
    "Chunk": "stream",
    "DatasetStream": "stream",
    "Statistics": "summary",
    "dataset_of": "opening",
    "open_dataset": "opening",
    "statistics": "summary",
    "stream_dataset": "stream",
}

__all__ = [
    "KINDS",
    "Chunk",
    "Dataset",
    "DatasetError",
    "DatasetStream",
    "Exclusion",
    "Problem",
    "Reading",
    "Statistics",
    "dataset_of",
    "open_dataset",
    "parse_columns",
    "parse_name",
    "statistics",
    "stream_dataset",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
