"""Spotify's Music Streaming Sessions Dataset (Brost, Mehrotra & Jehan 2019): ``log_*.csv`` and ``tf_*.csv``.

What a row says follows its most severe flag; the flags are cumulative (who left "very briefly" also left "briefly"):

| flag | meaning in the paper's schema | here |
|---|---|---|
| ``skip_1`` | played very briefly | early skip, weight .7 |
| ``skip_2`` | played briefly | early skip, weight .5 |
| ``skip_3`` | most of it was played | late skip, weight .15 |
| ``not_skipped`` | played in its entirety | finished |
| none | neither | excluded |

A skip whose reason is an error or the end of the program says nothing about taste and is excluded too.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import DatasetError, Exclusion, checked_options
from recommender.datasets.rows import (
    FINISH,
    SKIP_EARLY,
    ArrowColumn,
    DatasetSource,
    Fault,
    Judgements,
    RecordBatch,
    Rows,
    Signal,
)
from recommender.datasets.text import Layout, header_of, read_batches
from recommender.events import Outcome

SKIP_BRIEF = Signal(Outcome.SKIP_EARLY, -1, 0.5, explicit=False)
SKIP_MOST_PLAYED = Signal(Outcome.SKIP_LATE, -1, 0.15, explicit=False)
SIGNALS = (SKIP_EARLY, SKIP_BRIEF, SKIP_MOST_PLAYED, FINISH)
"""By :func:`_signal_codes`."""
NOTHING, BAD_FLAG = 4, 5
FLAGS = ("skip_1", "skip_2", "skip_3", "not_skipped")
REASON = "hist_user_behavior_reason_end"
NOT_MEANT = frozenset({"trackerror", "logout", "unexpected-exit", "unexpected-exit-while-paused"})
"""Reasons for which a track ends without the listener having left it."""
RADIO = "radio"
ALL = "all"
DAY_SECONDS = 86_400.0
LONGEST_SESSION = 1_000
"""Positions above this are not positions; the set's own sessions have at most 20 rows."""
FEATURE_PROBE_ROWS = 1_000
"""Rows by which a column of the features is judged to be numeric."""
_BOOLEANS = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

NOTES = (
    "The set has no listeners: each session stands for one.",
    "The set has no stations: all rows of one kind of context count as one station.",
    "The set has no clock: time is the date plus the position in the session, so the sessions of a day have no order.",
)


def mssd(folder: Path, options: Mapping[str, str]) -> DatasetSource:
    """The sessions in a folder's ``log_*.csv`` or ``.csv.gz``.

    Args:
        folder: holds the logs and, optionally, ``tf_*.csv`` with the acoustic features.
        options: ``context`` is the kind of context to keep (``radio`` if left out), several joined by ``+``, or ``all``.

    Raises:
        DatasetError: there is no such folder, or no log in it.
    """
    contexts = checked_options("mssd", dict(options), ("context",)).get("context", RADIO)
    logs = _files(folder, "log_")
    if not logs:
        raise DatasetError(f"{folder} holds no log_*.csv or log_*.csv.gz; name the folder of the session logs.")
    features = _files(folder, "tf_")

    def read() -> Iterator[Rows]:
        for path in logs:
            for batch in read_batches(path, _LAYOUT):
                yield _rows(batch, contexts)

    kept = "rows of every context" if contexts == ALL else f"rows of context {contexts.replace('+', ', ')}"
    return DatasetSource(
        kind="mssd",
        read=read,
        ordered=True,
        consecutive=True,
        notes=(*NOTES, f"Only {kept} are read." if contexts != ALL else "Rows of every context are read."),
        content=(lambda tracks: _content(features, tracks)) if features else None,
    )


_LAYOUT = Layout(
    wanted={
        "session": "session_id",
        "position": "session_position",
        "track": "track_id_clean",
        **{flag: flag for flag in FLAGS},
        "date": "date",
        "context": "context_type",
        "reason": REASON,
    },
    optional=frozenset({"reason"}),
)


def _files(folder: Path, prefix: str) -> list[Path]:
    if not folder.exists():
        raise DatasetError(f"There is no folder {folder}.")
    if not folder.is_dir():
        raise DatasetError(f"{folder} is a file; name the folder that holds the log_*.csv files.")
    return sorted(path for end in (".csv", ".csv.gz") for path in folder.glob(f"{prefix}*{end}"))


def _rows(batch: RecordBatch, contexts: str) -> Rows:
    columns = dict(batch.columns)
    lines, filtered = batch.lines, list[Exclusion]()
    if contexts != ALL:
        wanted = frozenset(contexts.split("+"))
        keep = columns["context"].mapped(lambda context: context in wanted) > 0
        if not keep.all():
            filtered.append(Exclusion("another kind of context", int(np.count_nonzero(~keep))))
            columns, lines = {name: column.where(keep) for name, column in columns.items()}, lines[keep]
    codes = _signal_codes(columns)
    position = columns["position"].numbers()
    misplaced = ~((position >= 1) & (position <= LONGEST_SESSION))
    day = columns["date"].mapped(_day)
    return Rows(
        batch=RecordBatch(batch.file, columns, lines, batch.problems),
        listener=columns["session"],
        track=columns["track"],
        station=columns["context"],
        time=day + np.where(misplaced, 0.0, position),
        judgements=Judgements.of((*SIGNALS, FINISH, FINISH), codes),
        faults=(
            Fault(misplaced, "session_position {} is no position in a session", columns["position"]),
            Fault(np.isnan(day), "date {} is not of the form 2018-07-15", columns["date"]),
            Fault(codes == BAD_FLAG, "one of skip_1, skip_2, skip_3 and not_skipped is neither true nor false"),
        ),
        exclusions=(Fault(codes == NOTHING, "neither heard to the end nor skipped by the listener"),),
        filtered=filtered,
    )


def _signal_codes(columns: Mapping[str, ArrowColumn]) -> NDArray[np.int64]:
    """(N,) which of ``SIGNALS`` a row gives, or ``NOTHING`` or ``BAD_FLAG``."""
    flags = [columns[flag].mapped(_boolean) for flag in FLAGS]
    bad = np.isnan(np.sum(flags, axis=0))
    codes = np.select([bad, *(flag == 1.0 for flag in flags)], [BAD_FLAG, *range(len(FLAGS))], NOTHING)
    if "reason" in columns:
        not_meant = columns["reason"].mapped(lambda reason: reason in NOT_MEANT) > 0
        codes[not_meant & (codes < SIGNALS.index(FINISH))] = NOTHING
    return codes.astype(np.int64)


def _boolean(text: str) -> float:
    return _BOOLEANS.get(text.strip().lower(), np.nan)


def _day(text: str) -> float:
    """Seconds since 1970 at the beginning of a day, NaN where it is none."""
    if not _DATE.fullmatch(text):
        return np.nan
    try:
        return float(np.datetime64(text, "D").astype(np.int64)) * DAY_SECONDS
    except ValueError:
        return np.nan


def _content(files: list[Path], tracks: Mapping[str, int]) -> NDArray[np.float32]:
    """(n, dim) the numeric columns of the feature files as they are; NaN rows for tracks that are in none."""
    names = _numeric_columns(files[0])
    vectors = np.full((len(tracks), len(names)), np.nan, np.float32)
    layout = Layout(wanted={"track": "track_id", **{f"feature {name}": name for name in names}})
    for path in files:
        for batch in read_batches(path, layout):
            codes, values = batch.columns["track"].encoded()
            index = np.array([tracks.get(value, -1) for value in values], np.int64)[codes]
            rows = index >= 0
            for place, name in enumerate(names):
                vectors[index[rows], place] = batch.columns[f"feature {name}"].where(rows).numbers()
    return vectors


def _numeric_columns(path: Path) -> list[str]:
    """The columns whose first values are numbers; ``mode`` (major, minor) is not."""
    names = [name.strip() for name in header_of(path) if name.strip() != "track_id"]
    head = next(read_batches(path, Layout(wanted={name: name for name in names})), None)
    if head is None:
        raise DatasetError(f"{path} holds no rows; remove it, or put the track features there.")
    some = np.arange(len(head.lines)) < FEATURE_PROBE_ROWS
    numeric = [name for name in names if not np.isnan(head.columns[name].where(some).numbers()).any() and some.any()]
    if not numeric:
        raise DatasetError(f"{path} holds no numeric column; it should hold the acoustic features of the tracks.")
    return numeric
