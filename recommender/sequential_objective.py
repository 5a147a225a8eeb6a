"""What the sequential model is trained for: the next like, against negatives of which a share are the listener's own.

Mei et al. 2024, section 3: one negative a position, binary cross-entropy.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from recommender.configuration import SequentialConfig
from recommender.events import EventLog
from recommender.negatives import NegativeCounts, NegativeKind, NegativeSampler
from recommender.sequential_network import SequentialNetwork
from recommender.windows import NO_TARGET, listener_rows


def pairwise_loss(positive: Tensor, negative: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of ``-log σ(s⁺) - log(1 - σ(s⁻))`` (Kang & McAuley 2018, equation 7).

    Args:
        positive: (P,) scores of the positive targets.
        negative: (P,) scores of their negatives.
        weight: (P,) how strongly each positive is meant, not all 0.

    Returns:
        The scalar loss.
    """
    return (weight * (F.softplus(-positive) + F.softplus(negative))).sum() / weight.sum()


def following_positives(log: EventLog) -> NDArray[np.int64]:
    """For each row, the row of the listener's next positive in the order of the log, or ``NO_TARGET``.

    Rows of one moment follow each other here as they stand: else all but the first positive of a moment would never be
    a target, which for ratings given a page at a time are nearly half. No split divides a moment.
    """
    target = np.full(len(log), NO_TARGET, np.int64)
    for rows in listener_rows(log):
        positive = rows[log.label[rows] > 0]
        place = np.searchsorted(positive, rows, side="right")
        known = place < len(positive)
        target[rows[known]] = positive[place[known]]
    return target


class Objective:
    """The loss of windows of one log.

    Attributes:
        log: the rows that are learned from.
        targets: (N,) for each row the row it should predict, or ``NO_TARGET``.
    """

    def __init__(self, log: EventLog, config: SequentialConfig) -> None:
        """Find the targets and index the real negatives."""
        self.log = log
        self.targets = following_positives(log)
        self._sampler = NegativeSampler(log, config.p_hard, config.negatives)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to predict."""
        return not np.any(self.targets != NO_TARGET)

    def loss(
        self,
        network: SequentialNetwork,
        rows: NDArray[np.int64],
        real: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> tuple[Tensor, NegativeCounts] | None:
        """Mean loss over the positions of a batch of windows that have a target.

        Args:
            network: the one being trained.
            rows: (B, T) rows of the log, as :func:`recommender.windows.padded` gives them.
            real: (B, T) which of them are no padding.
            rng: draws the negatives.

        Returns:
            The scalar loss and where its negatives came from; None where the batch has nothing to predict.
        """
        log = self.log
        aims = np.where(real, self.targets[rows], NO_TARGET)
        asked = np.nonzero(aims != NO_TARGET)
        aim = aims[asked]
        draw = self._sampler.draw(log.listener[aim], log.station[aim], log.track[aim], rng)
        weight = log.weight[aim] * (draw.kind != NegativeKind.NONE)
        if weight.sum() <= 0.0:
            return None
        positive, negative = _scores(network, log, rows, asked, aim, draw.track)
        return pairwise_loss(positive, negative, torch.from_numpy(weight.astype(np.float32))), draw.counts


def _scores(
    network: SequentialNetwork,
    log: EventLog,
    rows: NDArray[np.int64],
    asked: tuple[NDArray[np.int64], ...],
    aim: NDArray[np.int64],
    negative: NDArray[np.int64],
) -> tuple[Tensor, Tensor]:
    """Scores (P,) of the targets and of their negatives in the windows ``rows`` (B, T) at the positions ``asked``."""
    outcome, station = torch.from_numpy(log.outcome[rows].astype(np.int64)), torch.from_numpy(log.station[rows])
    # One look-up for tokens, targets and negatives: each distinct track is put together once.
    everything = np.concatenate([log.track[rows].reshape(-1), log.track[aim], negative])
    vectors = network.items(torch.from_numpy(everything))
    seen, positives, negatives = vectors.split([rows.size, len(aim), len(aim)])
    hidden = network.after(seen.view(*rows.shape, -1), outcome, station)
    place = torch.from_numpy(np.ravel_multi_index(asked, rows.shape))
    taste = network.ask(F.embedding(place, hidden.view(rows.size, -1)), torch.from_numpy(log.station[aim]))  # (P, d)
    return (taste * positives).sum(-1), (taste * negatives).sum(-1)
