"""A listener as a sum of what they heard: no order, no attention, and each event may be left out.

A track adds a vector of its own times what its outcome is worth, and the sum is divided by the root of the number of events: SVD++'s
listener without a vector of their own (Koren 2008, section 4). Attention can express it, but from some ten thousand labels it did not learn
it. Each event is foretold from the listener's others, as by an autoencoder with its own input left out (Steck 2019, EASE).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.events import Outcome


def worths(known: Mapping[Outcome, float], otherwise: float) -> nn.Parameter:
    """What each outcome is worth before anything is learned, (outcomes,)."""
    return nn.Parameter(torch.tensor([known.get(outcome, otherwise) for outcome in Outcome]))


def states(vectors: Tensor, outcome: Tensor, worth: Tensor) -> Tensor:  # (B, T, k), (B, T), (outcomes,) -> (B, T, k)
    """The listener after each event."""
    events = _events(vectors, outcome, worth)
    count = torch.arange(1, vectors.shape[1] + 1, device=vectors.device, dtype=vectors.dtype)
    return events.cumsum(1) / count.sqrt().unsqueeze(-1)


def without_each(vectors: Tensor, outcome: Tensor, worth: Tensor, seen: Tensor) -> Tensor:  # -> (B, T, k)
    """The listener as all other events show them.

    Args:
        vectors: (B, T, k) of the events' tracks.
        outcome: (B, T) of the events.
        worth: (outcomes,).
        seen: (B, T) bool, which events take part.
    """
    there = seen.to(vectors.dtype)
    events = _events(vectors, outcome, worth) * there.unsqueeze(-1)
    count = there.sum(1, keepdim=True) - there
    return (events.sum(1, keepdim=True) - events) / count.clamp(min=1.0).sqrt().unsqueeze(-1)


def some_of(real: Tensor, left_out: float) -> Tensor:
    """Which of the events (B, T) take part when a share of them is left out at random."""
    return real & (torch.rand(real.shape, device=real.device) >= left_out)


def mean_square(vectors: Tensor, real: Tensor) -> Tensor:
    """Mean squared length of the vectors (B, T, k) of the events that are real (B, T)."""
    return (vectors.square().sum(-1) * real).sum() / real.sum()


def _events(vectors: Tensor, outcome: Tensor, worth: Tensor) -> Tensor:
    return vectors * F.embedding(outcome, worth.unsqueeze(-1))
