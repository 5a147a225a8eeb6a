"""Yambda (Yandex Music 2025, arXiv 2505.22238): listens with the share played, likes and dislikes, a Parquet file in its flat form.

``multi_event.parquet`` has ``event_type``; ``listens.parquet`` has listens alone. A listen of 50 % and more counts as heard, as
in its protocol, a shorter one as skipped; taken-back likes and dislikes are left out.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from pyarrow import parquet

from recommender.datasets.dataset import checked_options
from recommender.datasets.generic_table import read_parquet_batches
from recommender.datasets.rows import DOWN, FINISH, SKIP_EARLY, UP, DatasetSource, Fault, Judgements, RecordBatch, Rows

LISTENED_PERCENT = 50.0
_COLUMNS = {"listener": "uid", "track": "item_id", "time": "timestamp", "percent": "played_ratio_pct"}
_TYPE = "event_type"
_SIGNALS = (FINISH, SKIP_EARLY, UP, DOWN)
_EVENTS = {"listen": 0.0, "like": 2.0, "dislike": 3.0}
_WITHDRAWN = frozenset({"unlike", "undislike"})


def yambda(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The events of a flat file."""
    checked_options("yambda", dict(options), ())

    def read() -> Iterator[Rows]:
        # A file that cannot be opened is named by the reader of its batches.
        typed = path.is_file() and _has_types(path)
        wanted = {**_COLUMNS, "event": _TYPE} if typed else _COLUMNS
        return (_rows(batch) for batch in read_parquet_batches(path, wanted))

    return DatasetSource(
        kind="yambda",
        read=read,
        ordered=True,
        notes=("Times are seconds from a beginning that nobody says, rounded to five.",),
    )


def _has_types(path: Path) -> bool:
    try:
        return _TYPE in parquet.read_schema(path).names
    except (OSError, ValueError):
        return False


def _rows(batch: RecordBatch) -> Rows:
    columns = batch.columns
    percent, time = columns["percent"].numbers(), columns["time"].numbers()
    codes, withdrawn = np.zeros(len(time)), np.zeros(len(time), np.bool_)
    faults = [Fault(np.isnan(time), "timestamp {} is no number", columns["time"])]
    if "event" in columns:
        event = columns["event"]
        withdrawn = event.mapped(lambda word: word in _WITHDRAWN) > 0
        codes = np.where(withdrawn, 0.0, event.mapped(lambda word: _EVENTS.get(word, np.nan)))
        faults.append(Fault(np.isnan(codes), "event_type {} is none of the published ones", event))
    listen = (codes == 0) & ~withdrawn
    faults.append(Fault(listen & ~(percent >= 0), "played_ratio_pct {} is no share", columns["percent"]))
    codes = np.where(listen & (percent < LISTENED_PERCENT), 1.0, np.nan_to_num(codes)).astype(np.int64)
    judged = Judgements.of(_SIGNALS, codes)
    share = np.where(listen, np.clip(percent / 100.0, 0.0, 1.0), np.nan).astype(np.float32)
    return Rows(
        batch=batch,
        listener=columns["listener"],
        track=columns["track"],
        time=time,
        judgements=Judgements(judged.outcome, judged.label, judged.weight, judged.explicit, share),
        faults=faults,
        exclusions=(Fault(withdrawn, "a like or dislike that was taken back"),),
    )
