"""CLEP: contrastive learning exploiting preference (Park & Lee 2022), trained on one listener's likes and dislikes.

A multi-layer perceptron embeds frozen content vectors so that songs that belong together lie close and others a
margin apart (equation 1); which songs belong together is the variant. Then, the embedding frozen, a three-layer
perceptron learns P(like). Training is here; serving, in numpy, is :mod:`recommender.models.numpy_inference`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import MARGIN, ClepConfig, ClepVariant

LEAST_DISTANCE_SQUARED = 1e-12
"""Keeps the square root's slope finite where two embeddings coincide."""
FEWEST_LABELS = 2
"""A pair is the least a contrastive loss can be computed on."""


class ClepNetwork(nn.Module):
    """The embedding and the preference head."""

    def __init__(self, dimension: int, config: ClepConfig) -> None:
        super().__init__()
        self.embed = _perceptron((dimension, *config.widths))
        self.head = _perceptron((config.widths[-1], *config.head_widths))

    def forward(self, content: Tensor) -> Tensor:  # (B, dim) -> (B,) logits of P(like)
        """The logit of P(like)."""
        return self.head(self.embed(content)).squeeze(-1)


def _perceptron(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with ReLU between them and none after the last."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def belong_together(liked: Tensor, variant: ClepVariant) -> Tensor:
    """Which pairs have y = 1 in equation 1.

    Args:
        liked: (B,) bool.
        variant: whose preferences draw songs together.

    Returns:
        (B, B) bool.
    """
    like_like = liked[:, None] & liked[None, :]
    dislike_dislike = ~liked[:, None] & ~liked[None, :]
    match variant:
        case ClepVariant.PN:
            return like_like | dislike_dislike
        case ClepVariant.P:
            return like_like
        case ClepVariant.N:
            return dislike_dislike


def contrastive_loss(embedding: Tensor, liked: Tensor, variant: ClepVariant, margin: float = MARGIN) -> Tensor:
    """Mean over all pairs of a batch of ``y·D² + (1 - y)·max(margin - D, 0)²`` (Park & Lee 2022, equation 1).

    Args:
        embedding: (B, E) of at least two songs.
        liked: (B,) bool.
        variant: defines y.
        margin: the distance beyond which strangers are left alone.

    Returns:
        The scalar loss.

    Raises:
        ValueError: when the batch holds no pair.
    """
    if len(embedding) < FEWEST_LABELS:
        raise ValueError("a contrastive loss needs at least two songs")
    row, column = torch.triu_indices(len(embedding), len(embedding), offset=1)
    squared = (embedding[row] - embedding[column]).square().sum(-1)  # (pairs,)
    distance = squared.clamp_min(LEAST_DISTANCE_SQUARED).sqrt()
    together = belong_together(liked, variant)[row, column]
    return torch.where(together, squared, (margin - distance).clamp_min(0.0).square()).mean()


@dataclass(frozen=True, slots=True)
class ClepData:
    """Songs with an opinion: (S, dim) float32 standardised content vectors and (S,) bool, whether they are liked."""

    content: NDArray[np.float32]
    liked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.liked)


OnEpoch = Callable[[int, int, float], None]
"""Called after each epoch with (epoch from 1, epochs in all, mean training loss)."""


def train_clep(
    train: ClepData,
    validation: ClepData,
    config: ClepConfig,
    seed: int,
    on_epoch: OnEpoch,
    should_stop: Callable[[], bool],
) -> ClepNetwork:
    """Train the embedding, freeze it, train the head; both stages reduce their rate on a validation plateau.

    Args:
        train: songs to learn from, both liked and disliked ones.
        validation: songs for the plateau; when they hold no pair, the training songs stand in.
        config: layers and schedule.
        seed: of initial weights and batches.
        on_epoch: told about the progress over both stages.
        should_stop: asked after each epoch; what was learned so far is kept.

    Returns:
        The trained network, in evaluation mode.

    Raises:
        ValueError: when there are not both liked and disliked songs.
    """
    require_both_kinds(train)
    watched = validation if len(validation) >= FEWEST_LABELS else train
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ClepNetwork(train.content.shape[1], config)
        generator = torch.Generator().manual_seed(seed)
        total = config.epochs + config.head_epochs
        for epoch, loss in enumerate(_embedding_stage(network, train, watched, config, generator), start=1):
            on_epoch(epoch, total, loss)
            if should_stop():
                break
        network.embed.requires_grad_(False)
        for epoch, loss in enumerate(_head_stage(network, train, watched, config, generator), start=1):
            on_epoch(config.epochs + epoch, total, loss)
            if should_stop():
                break
    return network.eval()


def require_both_kinds(train: ClepData) -> None:
    """Raise ValueError where there are not both liked and disliked songs."""
    if not np.any(train.liked) or np.all(train.liked):
        kind = "disliked" if np.any(train.liked) else "liked"
        raise ValueError(f"CLEP needs liked and disliked tracks, and there is no {kind} one")


def _embedding_stage(
    network: ClepNetwork, train: ClepData, watched: ClepData, config: ClepConfig, generator: torch.Generator
) -> Iterator[float]:
    def loss(songs: _Songs) -> Tensor:
        return contrastive_loss(network.embed(songs.features), songs.liked, config.variant, config.margin)

    optimiser = torch.optim.Adam(network.embed.parameters(), lr=config.learning_rate, fused=True)
    return _epochs(loss, optimiser, _Songs.of(train), _Songs.of(watched), config.epochs, config, generator)


def _head_stage(
    network: ClepNetwork, train: ClepData, watched: ClepData, config: ClepConfig, generator: torch.Generator
) -> Iterator[float]:
    def loss(songs: _Songs) -> Tensor:
        return F.binary_cross_entropy_with_logits(network.head(songs.features).squeeze(-1), songs.liked.float())

    def embedded(data: ClepData) -> _Songs:  # the embedding is frozen, so songs pass through it only once
        songs = _Songs.of(data)
        with torch.no_grad():
            return _Songs(network.embed(songs.features), songs.liked)

    optimiser = torch.optim.Adam(network.head.parameters(), lr=config.head_learning_rate, fused=True)
    return _epochs(loss, optimiser, embedded(train), embedded(watched), config.head_epochs, config, generator)


@dataclass(frozen=True, slots=True)
class _Songs:
    """What a stage learns from: features (S, F) and (S,) bool, whether they are liked."""

    features: Tensor
    liked: Tensor

    @staticmethod
    def of(data: ClepData) -> "_Songs":
        return _Songs(torch.from_numpy(data.content), torch.from_numpy(data.liked))

    def batch(self, place: Tensor) -> "_Songs":
        return _Songs(self.features[place], self.liked[place])


def _epochs(
    loss: Callable[[_Songs], Tensor],
    optimiser: torch.optim.Optimizer,
    train: _Songs,
    watched: _Songs,
    epochs: int,
    config: ClepConfig,
    generator: torch.Generator,
) -> Iterator[float]:
    """Run epochs of Adam with ReduceLROnPlateau on the watched loss, giving each epoch's mean training loss."""
    fixed = fixed_batches(len(watched.liked), config.batch)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=config.rate_factor, patience=config.patience
    )
    for _ in range(epochs):
        losses: list[float] = []
        for place in shuffled_batches(len(train.liked), config.batch, generator):
            value = loss(train.batch(place))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            losses.append(float(value.detach()))
        with torch.no_grad():
            schedule.step(float(np.mean([float(loss(watched.batch(place))) for place in fixed])))
        yield float(np.mean(losses))


def shuffled_batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """A shuffled partition of ``count`` songs into batches of ``size`` places, the last one perhaps smaller."""
    return _joined_tail(list(torch.randperm(count, generator=generator).split(size)))


def fixed_batches(count: int, size: int) -> list[Tensor]:
    """The same in the songs' own order, as validation goes through them."""
    return _joined_tail(list(torch.arange(count).split(size)))


def _joined_tail(batches: list[Tensor]) -> list[Tensor]:
    """A last song on its own joins the batch before, since it makes no pair."""
    if len(batches) > 1 and len(batches[-1]) < FEWEST_LABELS:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def export_clep(network: ClepNetwork) -> dict[str, NDArray[np.float32]]:
    """The weights as arrays, named ``clep.embed.<layer>.weight`` and so on, for :class:`recommender.models.numpy_inference.ClepScorer`."""
    return {f"clep.{name}": value.detach().numpy().copy() for name, value in network.state_dict().items()}
