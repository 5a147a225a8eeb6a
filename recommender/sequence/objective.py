"""What the sequential model is trained for: the next like, against negatives of which a share are the listener's own.

As in Mei et al. 2024, section 3 – one negative a position, binary cross-entropy – or, in the best mode, a softmax over negatives
that a batch shares, real negatives in a term of their own, and whether each later event was liked as a second target.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from recommender.configuration import SequenceLoss, SequentialConfig
from recommender.events import EventLog
from recommender.sequence.layers import LikingHead, mean_square, some_of, states, without_each
from recommender.sequence.negatives import NegativeCounts, NegativeDraw, NegativeKind, NegativeSampler, shared_negatives
from recommender.sequence.network import SequentialNetwork, on_device
from recommender.sequence.windows import NO_TARGET, following_positives, windows


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


def hard_pair_loss(positive: Tensor, negative: Tensor, hard: Tensor, weight: Tensor) -> Tensor:
    """``-log σ(s⁺ - s⁻)`` (Rendle et al. 2009) of the positions that drew a real negative, as a mean over all positions.

    So the term grows with the share of real negatives, ``p_hard``.

    Args:
        positive: (P,) scores of the positive targets.
        negative: (P,) scores of their negatives.
        hard: (P,) bool, whether the negative is a real one.
        weight: (P,) how strongly each positive is meant, not all 0.
    """
    return (weight * hard * F.softplus(negative - positive)).sum() / weight.sum()


def shared_softmax_loss(positive: Tensor, negatives: Tensor, collision: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of each positive among negatives that all positions share.

    A negative's logit is to be reduced by the logarithm of how often it is expected in the draw (log Q, Bengio & Senécal
    2003; Yi et al. 2019), so that the sum over the draw estimates the sum over the catalogue, however it was drawn.

    Args:
        positive: (P,) scores of the positive targets.
        negatives: (P, N) scores of the shared negatives, so reduced; overwritten where a negative does not count.
        collision: (P, N) bool, where a negative is the position's own target and does not count.
        weight: (P,) how strongly each positive is meant, not all 0.
    """
    others = torch.logsumexp(negatives.masked_fill_(collision, -torch.inf), dim=-1)
    return (weight * F.softplus(others - positive)).sum() / weight.sum()


def liking_loss(logits: Tensor, liked: Tensor, weight: Tensor) -> Tensor:
    """Weighted binary cross-entropy of labels.

    Args:
        logits: any shape, log odds of liking.
        liked: the same shape, 1 for a like and 0 for a dislike.
        weight: the same shape; 0 where there is no label. Without any the loss is 0.
    """
    losses = weight * F.binary_cross_entropy_with_logits(logits, liked, reduction="none")
    return losses.sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Windows of a log and what their positions are to foretell.

    Attributes:
        rows: (B, T) rows of the log.
        real: (B, T) which of them are no padding.
        asked: places (2, P) in ``rows`` that have a target.
        aim: (P,) rows of the targets.
        draw: a negative for each of them.
        shared: (N,) tracks that all positions share as negatives; none outside the softmax.
        expected: (N,) how often each is expected in the draw.
    """

    rows: NDArray[np.int64]
    real: NDArray[np.bool_]
    asked: tuple[NDArray[np.int64], ...]
    aim: NDArray[np.int64]
    draw: NegativeDraw
    shared: NDArray[np.int64]
    expected: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the network makes of a batch: vectors (P, d) or (N, d) of the targets, of their negatives and of those shared.

    Attributes:
        seen: (B, T, d) vectors of the tokens' tracks.
        keys: (B, T, d) what they add to the sum of the history; None without one.
        asked: (P, d) taste where there is a target.
        positive, negative, shared: vectors of the targets, of their negatives, and of those shared.
    """

    seen: Tensor
    keys: Tensor | None
    asked: Tensor
    positive: Tensor
    negative: Tensor
    shared: Tensor


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
        self._config = config
        self._pairs = config.loss is SequenceLoss.PAIR or config.hard_weight > 0.0
        self._sampler = NegativeSampler(log, config.p_hard, config.negatives)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to predict."""
        return not np.any(self.targets != NO_TARGET)

    def windows(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """The windows of one epoch; see :func:`recommender.sequence.windows.windows`."""
        return windows(self.log, self._config.length, rng)

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
            rows: (B, T) rows of the log, as :func:`recommender.sequence.windows.padded` gives them.
            real: (B, T) which of them are no padding.
            rng: draws the negatives.

        Returns:
            The scalar loss and where its negatives came from; None where the batch has nothing to predict.
        """
        log, softmax = self.log, self._config.loss is SequenceLoss.SOFTMAX
        aims = np.where(real, self.targets[rows], NO_TARGET)
        asked = np.nonzero(aims != NO_TARGET)
        aim = aims[asked]
        drawn = len(aim) if self._pairs else 0
        own = aim[:drawn]
        draw = self._sampler.draw(log.listener[own], log.station[own], log.track[own], rng)
        weight = log.weight[aim] * (1.0 if softmax else draw.kind != NegativeKind.NONE)
        if weight.sum() <= 0.0:
            return None
        shared, expected = np.empty(0, np.int64), np.empty(0, np.float32)
        if softmax:
            shared, expected = shared_negatives(log.tracks, self._config.shared_negatives, rng)
        batch = _Batch(rows, real, asked, aim, draw, shared, expected)
        answers = self._answer(network, batch)
        weights = on_device(weight.astype(np.float32), network.device)
        term = self._softmax_terms if softmax else self._pair_term
        loss = term(network, batch, answers, weights)
        if network.taste is not None:
            loss = loss + self._config.liking_weight * self._liking_term(network.taste, batch, network.device)
        return loss, draw.counts

    def _answer(self, network: SequentialNetwork, batch: _Batch) -> _Answers:
        log, rows, device = self.log, batch.rows, network.device
        # One look-up for tokens, targets and negatives: each distinct track is put together once.
        parts = [log.track[rows].reshape(-1), log.track[batch.aim], batch.draw.track, batch.shared]
        vectors = network.items(on_device(np.concatenate(parts), device))
        seen, positive, negative, shared = vectors.split([len(part) for part in parts])
        seen = seen.view(*rows.shape, -1)
        outcome, station = on_device(log.outcome[rows].astype(np.int64), device), on_device(log.station[rows], device)
        hidden = network.after(seen, outcome, station)
        keys = None
        if network.worth is not None:
            keys = network.keys(on_device(log.track[rows], device))
            hidden = hidden + states(keys, outcome, network.worth)
        place = on_device(np.ravel_multi_index(batch.asked, rows.shape), device)
        asked = F.embedding(place, hidden.view(rows.size, -1))
        return _Answers(seen, keys, asked, positive, negative, shared)

    def _pair_term(self, network: SequentialNetwork, batch: _Batch, answers: _Answers, weight: Tensor) -> Tensor:
        """One negative a position, as Mei et al. 2024."""
        taste = network.ask(answers.asked, on_device(self.log.station[batch.aim], network.device))  # (P, d)
        return pairwise_loss((taste * answers.positive).sum(-1), (taste * answers.negative).sum(-1), weight)

    def _softmax_terms(self, network: SequentialNetwork, batch: _Batch, answers: _Answers, weight: Tensor) -> Tensor:
        """Each like among the shared negatives, and before a real one."""
        device, track = network.device, self.log.track[batch.aim]
        station = on_device(self.log.station[batch.aim], device)
        asked = network.ask(answers.asked, station)
        bias = network.bias(on_device(track, device))
        loss = shared_softmax_loss(
            (asked * answers.positive).sum(-1) + bias,
            torch.addmm(self._level(network, batch), asked, answers.shared.T),
            on_device(track[:, None] == batch.shared, device),
            weight,
        )
        if answers.keys is not None:
            loss = loss + self._set_term(network, batch, answers, answers.keys)
        if self._config.hard_weight:
            hard = batch.draw.kind >= NegativeKind.STATION
            positive = (asked * answers.positive).sum(-1) + bias
            negative = (asked * answers.negative).sum(-1) + network.bias(on_device(batch.draw.track, device))
            if network.taste is not None:
                positive, negative = self._with_taste(network, network.taste, batch, positive, negative)
            pairs = hard_pair_loss(positive, negative, on_device(hard, device), weight)
            loss = loss + self._config.hard_weight * pairs
        return loss

    @staticmethod
    def _level(network: SequentialNetwork, batch: _Batch) -> Tensor:
        """What the shared negatives' scores (N,) start from: their bias, less the correction for how they were drawn."""
        expected = on_device(np.log(batch.expected), network.device)
        return network.bias(on_device(batch.shared, network.device)) - expected

    def _set_term(self, network: SequentialNetwork, batch: _Batch, answers: _Answers, keys: Tensor) -> Tensor:
        """Every like of a window is foretold from the sum of its other events."""
        assert network.worth is not None
        log, rows, config, device = self.log, batch.rows, self._config, network.device
        liked = np.nonzero(batch.real & (log.label[rows] > 0) & (log.weight[rows] > 0.0))
        track, real = log.track[rows[liked]], on_device(batch.real, device)
        outcome = on_device(log.outcome[rows].astype(np.int64), device)
        place = on_device(np.ravel_multi_index(liked, rows.shape), device)
        state = without_each(keys, outcome, network.worth, some_of(real, config.set_dropout))
        state = F.embedding(place, state.view(rows.size, -1))
        target = F.embedding(place, answers.seen.reshape(rows.size, -1))
        loss = shared_softmax_loss(
            (state * target).sum(-1) + network.bias(on_device(track, device)),
            torch.addmm(self._level(network, batch), state, answers.shared.T),
            on_device(track[:, None] == batch.shared, device),
            on_device(log.weight[rows[liked]], device),
        )
        size = mean_square(keys, real) + mean_square(answers.seen, real)
        return config.set_weight * (loss + config.set_decay * size)

    def _with_taste(
        self, network: SequentialNetwork, taste: LikingHead, batch: _Batch, positive: Tensor, negative: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores (P,) of targets and negatives with what the liking target adds to them."""
        log, rows, device = self.log, batch.rows, positive.device
        liking = taste.states(
            taste.vectors(on_device(log.track[rows], device)), on_device(log.outcome[rows].astype(np.int64), device)
        )
        place = on_device(np.ravel_multi_index(batch.asked, rows.shape), device)
        state = F.embedding(place, liking.view(rows.size, -1))
        added: list[Tensor] = []
        for track in (log.track[batch.aim], batch.draw.track):
            index = on_device(track, device)
            added.append((state * taste.vectors(index)).sum(-1) + taste.bias(index) + taste.level(state).squeeze(-1))
        return network.combine(positive, added[0]), network.combine(negative, added[1])

    def _liking_term(self, taste: LikingHead, batch: _Batch, device: torch.device) -> Tensor:
        """Every label of a window is foretold from its other events."""
        log, rows = self.log, batch.rows
        label = np.where(batch.real, log.label[rows], 0)  # (B, T)
        track, own = on_device(log.track[rows], device), on_device(label.astype(np.int64), device)
        outcome, real = on_device(log.outcome[rows].astype(np.int64), device), on_device(batch.real, device)
        vectors = taste.vectors(track)  # (B, T, k)
        state = without_each(vectors, outcome, taste.worth, some_of(real, self._config.taste_dropout))
        logits = (state * vectors).sum(-1) + taste.bias(track) + taste.level(state).squeeze(-1)
        weight = on_device((log.weight[rows] * (label != 0)).astype(np.float32), device)
        size = self._config.taste_decay * mean_square(vectors, real)
        return liking_loss(logits, (own > 0).to(logits.dtype), weight) + size
