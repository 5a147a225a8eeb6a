"""Grouping more rows than memory holds by listener.

Rows are dealt into files by the listener's hash, files that are still too large are dealt again by other bits of it, and
small ones are taken together: the partitioning of a hash join (Kitsuregawa, Tanaka & Moto-oka 1983).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.datasets.opening import FINAL
from recommender.datasets.stream import Chunk
from recommender.training.listener_parts import mixed

Records = NDArray[np.void]
"""Rows with a field for each column of a log."""

RECORD = np.dtype([(name, kind) for name, kind in FINAL.items()])
DIGIT_BITS = 6
FILES = 1 << DIGIT_BITS
"""Files written at a time; each further dealing multiplies the rows that can be grouped by as many."""
LEVELS = 64 // DIGIT_BITS
"""Digits in a hash of 64 bits. Listeners alike in all of them are one for all this can tell."""
READ_RECORDS = 1 << 18
"""Records in memory when a file is dealt again."""


@dataclass(frozen=True, slots=True)
class _Pile:
    """A file of records of whole listeners, and how many digits of their hash it was dealt by."""

    path: Path
    records: int
    level: int


def records_of(chunk: Chunk) -> Records:
    """The rows of a chunk as records."""
    records = np.empty(len(chunk), RECORD)
    for name in FINAL:
        records[name] = getattr(chunk, name)
    return records


def grouped(records: Iterable[Records], folder: Path, most: int) -> Iterator[Records]:
    """Rows in groups of whole listeners, in memory one group at a time.

    The order of a listener's rows is kept. Nothing is yielded before the last record has come.

    Args:
        records: rows as they come.
        folder: exists, and takes the files, which are removed as they are used up.
        most: rows of a group, unless one listener alone has more.
    """
    waiting = list(_dealt(records, folder / "0", 0))
    group: list[_Pile] = []
    while waiting:
        pile = waiting.pop(0)
        if pile.records > most and pile.level < LEVELS and not _single(pile):
            deeper = _dealt(_read(pile.path), pile.path.with_name(f"{pile.path.name}-"), pile.level)
            pile.path.unlink()
            waiting = [*deeper, *waiting]
            continue
        if group and sum(each.records for each in group) + pile.records > most:
            yield _taken(group)
            group = []
        group.append(pile)
    if group:
        yield _taken(group)


def _dealt(records: Iterable[Records], stem: Path, level: int) -> list[_Pile]:
    """Deal into files by one digit of the listener's hash; the files that got any."""
    paths = [stem.with_name(f"{stem.name}{digit:02d}") for digit in range(FILES)]
    counts = np.zeros(FILES, np.int64)
    files = [path.open("wb") for path in paths]
    try:
        for some in records:
            digit = (mixed(some["listener"]) >> np.uint64(level * DIGIT_BITS)) % np.uint64(FILES)
            order = np.argsort(digit, kind="stable")
            ends = np.cumsum(np.bincount(digit.astype(np.int64), minlength=FILES))
            for place in np.flatnonzero(np.diff(ends, prepend=0)):
                part = some[order[ends[place - 1] if place else 0 : ends[place]]]
                part.tofile(files[place])
                counts[place] += len(part)
    finally:
        for file in files:
            file.close()
    for path, count in zip(paths, counts.tolist(), strict=True):
        if not count:
            path.unlink()
    return [_Pile(path, count, level + 1) for path, count in zip(paths, counts.tolist(), strict=True) if count]


def _single(pile: _Pile) -> bool:
    """Whether all is one listener's, which nothing can divide."""
    first = next(_read(pile.path))["listener"][0]
    return all(bool(np.all(some["listener"] == first)) for some in _read(pile.path))


def _read(path: Path) -> Iterator[Records]:
    with path.open("rb") as file:
        while len(some := np.fromfile(file, RECORD, READ_RECORDS)):
            yield some


def _taken(piles: list[_Pile]) -> Records:
    """All records of some files, which are removed."""
    found = np.concatenate([np.fromfile(pile.path, RECORD) for pile in piles])
    for pile in piles:
        pile.path.unlink()
    return found
