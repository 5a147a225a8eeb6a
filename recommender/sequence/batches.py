"""Training batches in plain numpy: windows of a log, what their positions are to foretell, and the negatives.

All that is drawn is drawn here, by whoever reads the rows – the process that trains or a loader beside it – so that a step of
training is arithmetic alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.configuration import SequenceLoss, SequentialConfig
from recommender.events import EventLog
from recommender.sequence.negatives import NegativeCounts, NegativeKind, NegativeSampler, shared_negatives
from recommender.sequence.windows import NO_TARGET, following_positives, padded, windows

SORTED_BATCHES = 8
"""Batches whose windows are sorted by length together, so that little of a batch is padding and much of it chance."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All that a step learns from: B windows of up to T rows, P of whose positions have a target.

    Attributes:
        track, outcome, station: (B, T) int64, of the windows' rows.
        label: (B, T) int8, 0 in padding.
        weight: (B, T) float32, how strongly each label is meant, 0 where there is none.
        real: (B, T) bool, where a row is no padding.
        place: (P,) positions with a target, in B · T.
        target, target_station: (P,) the track to foretell, and its station.
        target_weight: (P,) float32, how much each target counts; not all 0.
        negative: (P,) a negative track for each; empty where no term asks for one.
        hard: (P,) bool, whether that is a real negative.
        shared: (N,) negatives of all positions; none outside the softmax.
        expected: (N,) float32, how often each is expected in the draw.
        counts: where the negatives came from.
    """

    track: NDArray[np.int64]
    outcome: NDArray[np.int64]
    station: NDArray[np.int64]
    label: NDArray[np.int8]
    weight: NDArray[np.float32]
    real: NDArray[np.bool_]
    place: NDArray[np.int64]
    target: NDArray[np.int64]
    target_station: NDArray[np.int64]
    target_weight: NDArray[np.float32]
    negative: NDArray[np.int64]
    hard: NDArray[np.bool_]
    shared: NDArray[np.int64]
    expected: NDArray[np.float32]
    counts: NegativeCounts

    @property
    def rows(self) -> int:
        """Rows of the log in it."""
        return int(np.count_nonzero(self.real))


class BatchSampler:
    """Draws the batches of one log.

    Args:
        log: the rows that are learned from.
        config: of the network that is trained with them.
    """

    def __init__(self, log: EventLog, config: SequentialConfig) -> None:
        self._log = log
        self._targets = following_positives(log)
        self._config = config
        self._softmax = config.loss is SequenceLoss.SOFTMAX
        self._sampler = NegativeSampler(log, config.p_hard, config.negatives)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to foretell."""
        return not np.any(self._targets != NO_TARGET)

    def epoch(self, rng: np.random.Generator) -> Iterator[Batch]:
        """The batches of an epoch, in random order; windows with nothing to foretell among them are left out together."""
        parts = list(windows(self._log, self._config.length, rng))
        for chosen in batches(parts, self._config.batch, rng):
            batch = self.batch(*padded(chosen, self._config.length), rng)
            if batch is not None:
                yield batch

    def batch(self, rows: NDArray[np.int64], real: NDArray[np.bool_], rng: np.random.Generator) -> Batch | None:
        """The batch of windows (B, T), as :func:`recommender.sequence.windows.padded` gives them.

        Returns:
            None where nothing is to be foretold.
        """
        log, config = self._log, self._config
        aims = np.where(real, self._targets[rows], NO_TARGET)
        asked = np.nonzero(aims != NO_TARGET)
        aim = aims[asked]
        own = aim if not self._softmax or config.hard_weight else aim[:0]
        draw = self._sampler.draw(log.listener[own], log.station[own], log.track[own], rng)
        weight = log.weight[aim] * (1.0 if self._softmax else draw.kind != NegativeKind.NONE)
        if weight.sum() <= 0.0:
            return None
        shared, expected = np.empty(0, np.int64), np.empty(0, np.float32)
        if self._softmax:
            shared, expected = shared_negatives(log.tracks, config.shared_negatives, rng)
        label = np.where(real, log.label[rows], 0).astype(np.int8)
        return Batch(
            track=log.track[rows],
            outcome=log.outcome[rows].astype(np.int64),
            station=log.station[rows],
            label=label,
            weight=(log.weight[rows] * (label != 0)).astype(np.float32),
            real=real,
            place=np.ravel_multi_index(asked, rows.shape),
            target=log.track[aim],
            target_station=log.station[aim],
            target_weight=weight.astype(np.float32),
            negative=draw.track,
            hard=draw.kind >= NegativeKind.STATION,
            shared=shared,
            expected=expected,
            counts=draw.counts,
        )


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
