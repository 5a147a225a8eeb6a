"""How much chance a station needs: the temperature of the softmax that fills a place."""

import numpy as np
from numpy.typing import NDArray

COOLEST, HOTTEST = 0.05, 2.0
"""The range of :func:`temperature_for_breadth`: below, argmax alone; above, a score of one logit hardly matters."""
BREADTH = 15.0
"""Tracks that a place is drawn from, by default. Measured on 240 real tracks with queues of twenty from one classical
seed: .71, .74 and .77 of the queue was classical at 30, 15 and 8, with mean distances in the list of .67, .61 and .57."""
BISECTIONS = 14
"""Halvings of that range: the temperature is then right to a thousandth of itself or better."""


EXACT = 4096
"""So many of the best scores count one by one; the rest, which a place is hardly ever drawn from, by the bin."""
BINS = 1024


def temperature_for_breadth(scores: NDArray[np.float64], breadth: float = BREADTH) -> float:
    """The temperature at which softmax(scores / temperature) spreads over about ``breadth`` tracks.

    Breadth is the perplexity, the exponential of the entropy. A fixed temperature would make a station of 200 tracks
    dull and one of 100,000 random, since the noise is the largest of as many draws as there are tracks.

    Args:
        scores: (m,) of the open tracks, in logits.
        breadth: tracks, above 0; at most a quarter of m is used.

    Returns:
        A temperature in ``COOLEST``…``HOTTEST``; ``HOTTEST`` when there is nothing to choose between.
    """
    if len(scores) == 0 or np.ptp(scores) == 0:
        return HOTTEST
    wanted = np.log(max(1.0, min(breadth, len(scores) / 4)))
    below_top, counts = _binned(np.asarray(scores, np.float64) - scores.max())
    low, high = np.log(COOLEST), np.log(HOTTEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _entropy(below_top / np.exp(middle), counts) < wanted else (low, middle)
    return float(np.exp((low + high) / 2))


def _binned(below_top: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(k,) scores and (k,) how many tracks have each: the best as they are, the rest gathered in even bins."""
    if len(below_top) <= 2 * EXACT:
        return below_top, np.ones(len(below_top))
    order = np.partition(below_top, len(below_top) - EXACT)
    rest, best = order[:-EXACT], order[-EXACT:]
    lowest, width = float(rest.min()), float(np.ptp(rest)) / BINS or 1.0
    bins = np.minimum(((rest - lowest) / width).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, rest, minlength=BINS)
    filled = counts > 0
    means = sums[filled] / counts[filled]
    return np.concatenate([best, means]), np.concatenate([np.ones(EXACT), counts[filled].astype(np.float64)])


def _entropy(logits: NDArray[np.float64], counts: NDArray[np.float64]) -> float:
    """Entropy in nats of softmax over logits, each so many times; the largest is 0."""
    weights = counts * np.exp(logits)
    total = weights.sum()
    return float(np.log(total) - (weights @ logits) / total)
