"""Any CSV or Parquet table, told which column is what.

Keys: ``listener`` and ``track``; one of ``outcome`` (words of the player, or numbers with thresholds), ``label`` (1, 0, -1)
and ``rating`` (numbers with thresholds); optionally ``time``, ``station``, ``share`` and ``known``. ``positive`` and
``negative`` are no columns but the thresholds: from ``positive`` on a number is a thumb up, up to ``negative`` a thumb down.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from recommender.datasets.dataset import DatasetError, checked_options
from recommender.datasets.rows import (
    CHOSEN,
    DOWN,
    FINISH,
    LEFT,
    NEITHER,
    NEVER,
    REPLAY,
    SKIP,
    SKIP_EARLY,
    UP,
    ArrowColumn,
    DatasetSource,
    Fault,
    Judgements,
    RecordBatch,
    Rows,
)
from recommender.datasets.text import Layout, read_batches

JUDGEMENTS = ("outcome", "label", "rating")
COLUMNS = ("listener", "track", "time", *JUDGEMENTS, "station", "share", "known")
THRESHOLDS = ("positive", "negative")
WORDS = {
    "up": UP,
    "thumb_up": UP,
    "down": DOWN,
    "thumb_down": DOWN,
    "never": NEVER,
    "finish": FINISH,
    "replay": REPLAY,
    "skip": SKIP,
    "skip_early": SKIP_EARLY,
    "skip_late": SKIP,
    "chosen": CHOSEN,
    "left": LEFT,
    "neither": NEITHER,
}
"""The player's words, and the names of :class:`recommender.events.Outcome`."""
SILENT_WORDS = frozenset({"start", "stop", "clear", "not_now", "undo"})
"""Words of the player that say nothing about taste."""
EARLY_SHARE, FINISHED_SHARE, LATE_WEIGHT = 0.5, 0.9, 0.5
"""The player's rules for a skip whose place is known; its weight falls with the share played."""
_SIGNALS = tuple(dict.fromkeys(WORDS.values()))
_SILENT, _UNKNOWN = -1.0, -2.0
_SAID = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0, "": -1.0, "-1": -1.0}


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what, checked."""

    columns: Mapping[str, str]
    judgement: str
    positive: float | None
    negative: float | None


def csv_table(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The rows of a CSV file (comma, tab or semicolon, known by its header); ``.gz`` is unpacked."""
    mapping = _checked("csv", options)
    layout = Layout(wanted=mapping.columns, separator=None)
    return _source("csv", lambda: read_batches(path, layout), mapping)


def parquet_table(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The rows of a Parquet file."""
    mapping = _checked("parquet", options)
    return _source("parquet", lambda: read_parquet_batches(path, mapping.columns), mapping)


def _source(kind: str, batches: Callable[[], Iterator[RecordBatch]], mapping: Roles) -> DatasetSource:
    def read() -> Iterator[Rows]:
        return (_rows(batch, mapping) for batch in batches())

    ordered = "time" in mapping.columns
    no_clock = "No column was given for the time: the rows have no order, and time counts them."
    return DatasetSource(kind=kind, read=read, ordered=ordered, notes=() if ordered else (no_clock,))


def _checked(kind: str, options: Mapping[str, str]) -> Roles:
    given = checked_options(kind, dict(options), (*COLUMNS, *THRESHOLDS))
    columns = {key: name for key, name in given.items() if key in COLUMNS}
    judgements = [key for key in JUDGEMENTS if key in columns]
    if missing := [key for key in ("listener", "track") if key not in columns]:
        raise DatasetError(
            f"A data set of kind {kind} needs to be told the column of the {' and the '.join(missing)},"
            " as in listener=user,track=song,time=when,outcome=what."
        )
    if len(judgements) != 1:
        raise DatasetError(f"A data set of kind {kind} needs one of outcome, label and rating among its columns.")
    positive, negative = (_threshold(given, key) for key in THRESHOLDS)
    if (positive is None) != (negative is None) or (positive is None and judgements == ["rating"]):
        raise DatasetError("Ratings need both thresholds, as in rating=stars,positive=4,negative=2.")
    if positive is not None and negative is not None and negative >= positive:
        raise DatasetError(f"The threshold negative={negative:g} must lie below positive={positive:g}.")
    if positive is not None and judgements == ["label"]:
        raise DatasetError("A label is 1, 0 or -1 and takes no thresholds; call the column rating to use them.")
    return Roles(columns, judgements[0], positive, negative)


def _threshold(given: Mapping[str, str], key: str) -> float | None:
    if key not in given:
        return None
    try:
        value = float(given[key])
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise DatasetError(f"The threshold {key}={given[key]} is not a number.")
    return value


def _rows(batch: RecordBatch, mapping: Roles) -> Rows:
    columns = batch.columns
    share, share_faults = _share(columns.get("share"), len(batch.lines))
    said, faults, exclusions = _judgements(columns[mapping.judgement], mapping)
    time = columns["time"].moments() if "time" in columns else None
    known, known_faults = _known(columns.get("known"))
    if time is not None:
        faults.append(Fault(np.isnan(time), "time {} is neither seconds nor a date and time", columns["time"]))
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        station=columns.get("station"),
        time=time,
        judgements=_with_share(said, share),
        known=known,
        faults=[*faults, *share_faults, *known_faults],
        exclusions=exclusions,
    )


def _judgements(column: ArrowColumn, mapping: Roles) -> tuple[Judgements, list[Fault], list[Fault]]:
    """What a column of judgements says, its faults, and what it excludes."""
    if mapping.positive is not None and mapping.negative is not None:
        ratings = column.numbers()
        judgements = Judgements.of_ratings(ratings, positive=mapping.positive, negative=mapping.negative)
        return judgements, [Fault(np.isnan(ratings), f"{mapping.judgement} {{}} is not a number", column)], []
    if mapping.judgement == "label":
        labels = column.numbers()
        judgements = Judgements.of_ratings(labels, positive=1.0, negative=-1.0)
        return judgements, [Fault(~np.isin(labels, (-1.0, 0.0, 1.0)), "label {} is not 1, 0 or -1", column)], []
    codes = column.mapped(_code_of)
    unknown = Fault(codes == _UNKNOWN, "outcome {} is no word of the player", column)
    silent = Fault(codes == _SILENT, "an event that says nothing about taste")
    return Judgements.of(_SIGNALS, np.maximum(codes, 0).astype(np.int64)), [unknown], [silent]


def _code_of(word: str) -> float:
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    if plain in SILENT_WORDS:
        return _SILENT
    return float(_SIGNALS.index(WORDS[plain])) if plain in WORDS else _UNKNOWN


def _share(column: ArrowColumn | None, count: int) -> tuple[NDArray[np.float32], list[Fault]]:
    """(N,) the share played, NaN where the cell is empty."""
    if column is None:
        return np.full(count, np.nan, np.float32), []
    share = column.numbers()
    empty = column.mapped(lambda text: not text.strip()) > 0
    bad = ~empty & ~((share >= 0) & (share <= 1))
    return share.astype(np.float32), [Fault(bad, "share {} is not between 0 and 1", column)]


def _known(column: ArrowColumn | None) -> tuple[NDArray[np.int8] | None, list[Fault]]:
    if column is None:
        return None, []
    known = column.mapped(lambda text: _SAID.get(text.strip().lower(), np.nan))
    bad = np.isnan(known)
    return np.where(bad, -1, known).astype(np.int8), [Fault(bad, "known {} is neither 1 nor 0", column)]


def _with_share(judgements: Judgements, share: NDArray[np.float32]) -> Judgements:
    """Plain skips graded by the share played, as the player grades them; other outcomes keep theirs."""
    told = ~np.isnan(share)
    skips = (judgements.outcome == SKIP.outcome) & told
    early, finished = skips & (share < EARLY_SHARE), skips & (share >= FINISHED_SHARE)
    late = skips & ~early & ~finished
    graded = replace(judgements, share=np.where(told, share, judgements.share))
    for rows, signal in ((early, SKIP_EARLY), (finished, FINISH)):
        graded.outcome[rows], graded.label[rows], graded.weight[rows] = signal.outcome, signal.label, signal.weight
    graded.weight[late] = LATE_WEIGHT * (1.0 - share[late])
    return graded


BATCH_ROWS = 1 << 16


def read_parquet_batches(path: Path, wanted: Mapping[str, str]) -> Iterator[RecordBatch]:
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
                columns = {role: ArrowColumn(name, part.column(name)) for role, name in wanted.items()}
                yield RecordBatch(path.name, columns, np.arange(row, row + part.num_rows), ())
                row += part.num_rows
    except FileNotFoundError as error:
        raise DatasetError(f"There is no file {path}.") from error
    except (pa.ArrowException, OSError) as error:
        where = f"damaged after row {row - 1}" if row > 1 else "not a Parquet file, or a damaged one"
        raise DatasetError(f"{path} is {where}; write or fetch it anew.") from error


def _count(had: list[str], name: str) -> str:
    return "no column" if name not in had else f"{had.count(name)} columns called"
