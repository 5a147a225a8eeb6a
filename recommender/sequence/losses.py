"""The terms that the sequential model's objective is made of, each on scores alone."""

import torch
from torch import Tensor
from torch.nn import functional as F


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
