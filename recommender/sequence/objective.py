"""What the sequential model is trained for: the next like, against negatives of which a share are the listener's own.

As in Mei et al. 2024, section 3 – one negative a position, binary cross-entropy – or, in the best mode, a softmax over negatives
that a batch shares, real negatives in a term of their own, and whether each later event was liked as a second target.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequenceLoss
from recommender.sequence.batches import Batch
from recommender.sequence.layers import LikingHead, mean_square, some_of, states, without_each
from recommender.sequence.network import SequentialNetwork, on_device


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


class Objective(nn.Module):
    """The loss of a batch as a module, so that gradients can be averaged over processes."""

    def __init__(self, network: SequentialNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch | None) -> Tensor:
        """The mean loss over the positions of a batch; without one, a loss and gradients of zero."""
        if batch is None:
            return torch.stack([parameter.sum() * 0.0 for parameter in self.network.parameters()]).sum()
        return batch_loss(self.network, batch)


def batch_loss(network: SequentialNetwork, batch: Batch) -> Tensor:
    """Mean loss, a scalar, over the positions of a batch that have a target, as the network's configuration has it."""
    config = network.config
    answers = _answer(network, batch)
    weight = on_device(batch.target_weight, network.device)
    term = _softmax_terms if config.loss is SequenceLoss.SOFTMAX else _pair_term
    loss = term(network, batch, answers, weight)
    if network.taste is not None:
        loss = loss + config.liking_weight * _liking_term(
            network.taste, batch, config.taste_dropout, config.taste_decay
        )
    return loss


def _answer(network: SequentialNetwork, batch: Batch) -> _Answers:
    device, shape = network.device, batch.track.shape
    # One look-up for tokens, targets and negatives: each distinct track is put together once.
    parts = [batch.track.reshape(-1), batch.target, batch.negative, batch.shared]
    vectors = network.items(on_device(np.concatenate(parts), device))
    seen, positive, negative, shared = vectors.split([len(part) for part in parts])
    seen = seen.view(*shape, -1)
    outcome = on_device(batch.outcome, device)
    hidden = network.after(seen, outcome, on_device(batch.station, device))
    keys = None
    if network.worth is not None:
        keys = network.keys(on_device(batch.track, device))
        hidden = hidden + states(keys, outcome, network.worth)
    asked = F.embedding(on_device(batch.place, device), hidden.view(batch.track.size, -1))
    return _Answers(seen, keys, asked, positive, negative, shared)


def _pair_term(network: SequentialNetwork, batch: Batch, answers: _Answers, weight: Tensor) -> Tensor:
    """One negative a position, as Mei et al. 2024."""
    taste = network.ask(answers.asked, on_device(batch.target_station, network.device))  # (P, d)
    return pairwise_loss((taste * answers.positive).sum(-1), (taste * answers.negative).sum(-1), weight)


def _softmax_terms(network: SequentialNetwork, batch: Batch, answers: _Answers, weight: Tensor) -> Tensor:
    """Each like among the shared negatives, and before a real one."""
    config, device = network.config, network.device
    asked = network.ask(answers.asked, on_device(batch.target_station, device))
    positive = (asked * answers.positive).sum(-1) + network.bias(on_device(batch.target, device))
    loss = shared_softmax_loss(
        positive,
        torch.addmm(_level(network, batch), asked, answers.shared.T),
        on_device(batch.target[:, None] == batch.shared, device),
        weight,
    )
    if answers.keys is not None:
        loss = loss + _set_term(network, batch, answers, answers.keys)
    if config.hard_weight:
        negative = (asked * answers.negative).sum(-1) + network.bias(on_device(batch.negative, device))
        if network.taste is not None:
            positive, negative = _with_taste(network, network.taste, batch, positive, negative)
        pairs = hard_pair_loss(positive, negative, on_device(batch.hard, device), weight)
        loss = loss + config.hard_weight * pairs
    return loss


def _level(network: SequentialNetwork, batch: Batch) -> Tensor:
    """What the shared negatives' scores (N,) start from: their bias, less the correction for how they were drawn."""
    expected = on_device(np.log(batch.expected), network.device)
    return network.bias(on_device(batch.shared, network.device)) - expected


def _set_term(network: SequentialNetwork, batch: Batch, answers: _Answers, keys: Tensor) -> Tensor:
    """Every like of a window is foretold from the sum of its other events."""
    assert network.worth is not None
    config, device = network.config, network.device
    liked = np.nonzero((batch.label > 0) & (batch.weight > 0.0))
    track, real = batch.track[liked], on_device(batch.real, device)
    place = on_device(np.ravel_multi_index(liked, batch.track.shape), device)
    state = without_each(keys, on_device(batch.outcome, device), network.worth, some_of(real, config.set_dropout))
    state = F.embedding(place, state.view(batch.track.size, -1))
    target = F.embedding(place, answers.seen.reshape(batch.track.size, -1))
    loss = shared_softmax_loss(
        (state * target).sum(-1) + network.bias(on_device(track, device)),
        torch.addmm(_level(network, batch), state, answers.shared.T),
        on_device(track[:, None] == batch.shared, device),
        on_device(batch.weight[liked], device),
    )
    size = mean_square(keys, real) + mean_square(answers.seen, real)
    return config.set_weight * (loss + config.set_decay * size)


def _with_taste(
    network: SequentialNetwork, taste: LikingHead, batch: Batch, positive: Tensor, negative: Tensor
) -> tuple[Tensor, Tensor]:
    """Scores (P,) of targets and negatives with what the liking target adds to them."""
    device = positive.device
    liking = taste.states(taste.vectors(on_device(batch.track, device)), on_device(batch.outcome, device))
    state = F.embedding(on_device(batch.place, device), liking.view(batch.track.size, -1))
    added: list[Tensor] = []
    for track in (batch.target, batch.negative):
        index = on_device(track, device)
        added.append((state * taste.vectors(index)).sum(-1) + taste.bias(index) + taste.level(state).squeeze(-1))
    return network.combine(positive, added[0]), network.combine(negative, added[1])


def _liking_term(taste: LikingHead, batch: Batch, dropout: float, decay: float) -> Tensor:
    """Every label of a window is foretold from its other events."""
    device = taste.worth.device
    track, outcome = on_device(batch.track, device), on_device(batch.outcome, device)
    real = on_device(batch.real, device)
    vectors = taste.vectors(track)  # (B, T, k)
    state = without_each(vectors, outcome, taste.worth, some_of(real, dropout))
    logits = (state * vectors).sum(-1) + taste.bias(track) + taste.level(state).squeeze(-1)
    liked = on_device(batch.label > 0, device).to(logits.dtype)
    return liking_loss(logits, liked, on_device(batch.weight, device)) + decay * mean_square(vectors, real)
