"""The batches of a pass over a log."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SORTED_BATCHES = 8
"""Batches whose windows are sorted by length together, so that little of a batch is padding and much of it chance."""


def batches(parts: list[NDArray[np.int64]], size: int, rng: np.random.Generator) -> Iterator[list[NDArray[np.int64]]]:
    """All windows in batches of like length, in random order."""
    order = rng.permutation(len(parts))
    lengths = np.array([len(part) for part in parts])
    found: list[NDArray[np.int64]] = []
    for start in range(0, len(parts), SORTED_BATCHES * size):
        together = order[start : start + SORTED_BATCHES * size]
        together = together[np.argsort(lengths[together], kind="stable")]
        found += [together[first : first + size] for first in range(0, len(together), size)]
    for place in rng.permutation(len(found)):
        yield [parts[i] for i in found[place]]
