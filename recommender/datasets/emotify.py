"""Emotify (Aljanaki, Wiering & Veltkamp 2016): what players of a game felt about tracks, and whether they liked them.

Nobody is named, so all answers of one age, gender and mother tongue count as one *pseudo-listener*. Answers of a
pseudo-listener about one track are merged: those that agree count once, those that say both like and dislike are dropped.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.dataset import checked_options
from recommender.datasets.rows import DOWN, UP, ArrowColumn, DatasetSource, Fault, Judgements, RecordBatch, Rows
from recommender.datasets.text import Layout, read_batches

PERSON = ("age", "gender", "mother_tongue")
ANSWERS = ("liked", "disliked")


def _plain(name: str) -> str:
    """The published file writes `` mother tongue`` where others write ``mother_tongue``."""
    return name.strip().lower().replace(" ", "_")


_LAYOUT = Layout(wanted={name: name for name in ("track_id", *ANSWERS, *PERSON)}, canonical=_plain)


def emotify(path: Path, options: Mapping[str, str]) -> DatasetSource:
    """The answers in Emotify's annotations; all are held in memory, for which answers conflict shows only at the end."""
    checked_options("emotify", dict(options), ())

    def read() -> Iterator[Rows]:
        batches = list(read_batches(path, _LAYOUT))
        return _merged(batches)

    return DatasetSource(
        kind="emotify",
        read=read,
        ordered=False,
        notes=(
            "The set has no listeners: people of the same age, gender and mother tongue count as one.",
            "Where such a pseudo-listener both likes and dislikes a track, all its answers about that track are left out.",
            "The set has no clock: its rows have no order, and time counts them.",
        ),
    )


def _merged(batches: list[RecordBatch]) -> Iterator[Rows]:
    """The batches, excluding every answer that takes no side, stands against another, or repeats an earlier one."""
    people = [_person(batch) for batch in batches]
    sides = [_side(batch) for batch in batches]
    said: dict[tuple[str, str], set[int]] = {}
    for batch, person, side in zip(batches, people, sides, strict=True):
        for key, answer in zip(_keys(batch, person), side.tolist(), strict=True):
            if answer:
                said.setdefault(key, set()).update((1, -1) if answer == _BOTH else (answer,))
    seen: set[tuple[str, str]] = set()
    for batch, person, side in zip(batches, people, sides, strict=True):
        conflicting, repeated = np.zeros((2, len(side)), np.bool_)
        for row, (key, answer) in enumerate(zip(_keys(batch, person), side.tolist(), strict=True)):
            if answer:
                conflicting[row], repeated[row] = len(said[key]) > 1, key in seen
                seen.add(key)
        yield Rows(
            batch=batch,
            listener=person,
            track=batch.columns["track_id"],
            judgements=Judgements.of((UP, DOWN), np.where(side < 0, 1, 0)),
            faults=_faults(batch),
            exclusions=(
                Fault(side == 0, "neither liked nor disliked"),
                Fault(conflicting, "the same pseudo-listener both likes and dislikes the track"),
                Fault(repeated, "the pseudo-listener has said so before"),
            ),
        )


_BOTH = 2


def _side(batch: RecordBatch) -> NDArray[np.int64]:
    """(N,) 1 liked, -1 disliked, ``_BOTH``, or 0 for neither and for what is malformed."""
    liked, disliked = (batch.columns[name].numbers() for name in ANSWERS)
    side = np.select(
        [(liked == 1) & (disliked == 1), (liked == 1) & (disliked == 0), (liked == 0) & (disliked == 1)], [_BOTH, 1, -1]
    )
    for fault in _faults(batch):
        side[fault.rows] = 0
    return side.astype(np.int64)


def _person(batch: RecordBatch) -> ArrowColumn:
    texts = [[values[code] for code in codes] for codes, values in (batch.columns[name].encoded() for name in PERSON)]
    return ArrowColumn.of_texts("age, gender, mother tongue", [" · ".join(parts) for parts in zip(*texts, strict=True)])


def _keys(batch: RecordBatch, person: ArrowColumn) -> Iterator[tuple[str, str]]:
    """(pseudo-listener, track) of each row."""
    columns = (person.encoded(), batch.columns["track_id"].encoded())
    return zip(*([values[code] for code in codes] for codes, values in columns), strict=True)


def _faults(batch: RecordBatch) -> list[Fault]:
    faults: list[Fault] = []
    for name in ANSWERS:
        bad = ~np.isin(batch.columns[name].numbers(), (0.0, 1.0))
        faults.append(Fault(bad, f"{name} {{}} is neither 0 nor 1", batch.columns[name]))
    for name in PERSON:
        empty = batch.columns[name].mapped(lambda text: not text.strip()) > 0
        faults.append(Fault(empty, f"{name} is empty"))
    return faults
