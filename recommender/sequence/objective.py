"""What the sequential model is trained for: the next like, against negatives of which a share are the listener's own.

As in Mei et al. 2024, section 3 – one negative a position, binary cross-entropy – or a softmax over negatives that a batch
shares, real negatives in a term of their own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import SequenceLoss
from recommender.sequence.batches import Batch
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


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the network makes of a batch: vectors (P, d) or (N, d) of the targets, of their negatives and of those shared.

    Attributes:
        asked: (P, d) taste where there is a target.
        positive, negative, shared: vectors of the targets, of their negatives, and of those shared.
    """

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
    return term(network, batch, answers, weight)


def _answer(network: SequentialNetwork, batch: Batch) -> _Answers:
    device, shape = network.device, batch.track.shape
    # One look-up for tokens, targets and negatives: each distinct track is put together once.
    parts = [batch.track.reshape(-1), batch.target, batch.negative, batch.shared]
    vectors = network.items(on_device(np.concatenate(parts), device))
    seen, positive, negative, shared = vectors.split([len(part) for part in parts])
    seen = seen.view(*shape, -1)
    outcome = on_device(batch.outcome, device)
    hidden = network.after(seen, outcome, on_device(batch.station, device))
    asked = F.embedding(on_device(batch.place, device), hidden.view(batch.track.size, -1))
    return _Answers(asked, positive, negative, shared)


def _pair_term(network: SequentialNetwork, batch: Batch, answers: _Answers, weight: Tensor) -> Tensor:
    """One negative a position, as Mei et al. 2024."""
    taste = network.query(answers.asked, on_device(batch.target_station, network.device))  # (P, d)
    return pairwise_loss((taste * answers.positive).sum(-1), (taste * answers.negative).sum(-1), weight)


def _softmax_terms(network: SequentialNetwork, batch: Batch, answers: _Answers, weight: Tensor) -> Tensor:
    """Each like among the shared negatives, and before a real one."""
    config, device = network.config, network.device
    asked = network.query(answers.asked, on_device(batch.target_station, device))
    positive = (asked * answers.positive).sum(-1)
    loss = shared_softmax_loss(
        positive,
        asked @ answers.shared.T - on_device(np.log(batch.expected), device),
        on_device(batch.target[:, None] == batch.shared, device),
        weight,
    )
    if config.hard_weight:
        negative = (asked * answers.negative).sum(-1)
        pairs = hard_pair_loss(positive, negative, on_device(batch.hard, device), weight)
        loss = loss + config.hard_weight * pairs
    return loss
