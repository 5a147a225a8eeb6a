"""Parquet tables in batches; a row's "line" is its number, from 1."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from recommender.datasets.arrow_column import Column
from recommender.datasets.dataset import DatasetError
from recommender.datasets.rows import Batch

BATCH_ROWS = 1 << 16


def read_parquet_batches(path: Path, wanted: Mapping[str, str]) -> Iterator[Batch]:
    """The rows of a Parquet file, {the reader's name: the column}.

    Raises:
        DatasetError: the file cannot be opened, is damaged or no Parquet, or lacks a column.
    """
    if path.is_dir():
        raise DatasetError(f"{path} is a folder; name a Parquet file in it.")
    row = 1
    try:
        with parquet.ParquetFile(path) as file:
            had = list(file.schema_arrow.names)
            for name in wanted.values():
                if had.count(name) != 1:
                    raise DatasetError(
                        f"{path} has {_count(had, name)} {name!r}; it has {ascii(', '.join(had[:30]))[1:-1]}."
                    )
            # Not on threads: batches decoded ahead would make the memory depend on the machine.
            for part in file.iter_batches(BATCH_ROWS, columns=list(dict.fromkeys(wanted.values())), use_threads=False):
                columns = {role: Column(name, part.column(name)) for role, name in wanted.items()}
                yield Batch(path.name, columns, np.arange(row, row + part.num_rows), ())
                row += part.num_rows
    except FileNotFoundError as error:
        raise DatasetError(f"There is no file {path}.") from error
    except (pa.ArrowException, OSError) as error:
        where = f"damaged after row {row - 1}" if row > 1 else "not a Parquet file, or a damaged one"
        raise DatasetError(f"{path} is {where}; write or fetch it anew.") from error


def _count(had: list[str], name: str) -> str:
    return "no column" if name not in had else f"{had.count(name)} columns called"
