"""CLEP: contrastive learning exploiting preference (Park & Lee 2022): networks of likes and dislikes, one or many trained at once.

A multi-layer perceptron embeds frozen content vectors so that songs that belong together lie close and others a
margin apart (equation 1); which songs belong together is the variant. Then, the embedding frozen, a three-layer
perceptron learns P(like). Training is here; serving, in numpy, is :mod:`recommender.models.numpy_inference`.

A network this small keeps a core busy mostly with overhead, so the weights of M networks are stacked and every step is
one batched matrix product for all. Each network has its own songs, batches, Adam state and rate: the result is that of
training each by itself, to rounding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recommender.configuration import ClepConfig, ClepVariant

LEAST_DISTANCE_SQUARED = 1e-12
"""Keeps the square root's slope finite where two embeddings coincide."""
FEWEST_LABELS = 2
"""A pair is the least a contrastive loss can be computed on."""
BETA_MEAN, BETA_SQUARE, ADAM_EPSILON = 0.9, 0.999, 1e-8
"""Adam's defaults (Kingma & Ba 2015)."""
BETTER_BY = 1e-4
"""The share by which a validation loss has to fall to count as better: the default of torch's plateau scheduler."""


@dataclass(frozen=True, slots=True)
class ClepData:
    """Songs with an opinion: (S, dim) float32 standardised content vectors and (S,) bool, whether they are liked."""

    content: NDArray[np.float32]
    liked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.liked)


@dataclass(frozen=True, slots=True)
class ClepProblem:
    """One network to train.

    Attributes:
        train: songs to learn from, both liked and disliked ones.
        validation: songs whose loss reduces the rate on a plateau; when they hold no pair, the training songs stand in.
        variant: whose preferences draw songs together.
        seed: of initial weights and batches.
    """

    train: ClepData
    validation: ClepData
    variant: ClepVariant
    seed: int


@dataclass(frozen=True, slots=True)
class ClepStack:
    """M trained networks.

    Attributes:
        embed: weight (M, inputs, outputs) and bias (M, 1, outputs) of each layer of the embedding.
        head: the same of the preference head.
    """

    embed: tuple[Tensor, ...]
    head: tuple[Tensor, ...]

    def embedding(self, content: NDArray[np.float32]) -> NDArray[np.float32]:
        """(M, n, E) embeddings of (n, dim) standardised content vectors."""
        with torch.no_grad():
            return _forward(self.embed, torch.from_numpy(content).expand(len(self.embed[0]), -1, -1)).numpy()

    def export(self, place: int) -> dict[str, NDArray[np.float32]]:
        """One network's weights as arrays named ``clep.embed.<layer>.weight`` and so on, for :class:`recommender.models.numpy_inference.ClepScorer`."""
        arrays: dict[str, NDArray[np.float32]] = {}
        for part, layers in (("embed", self.embed), ("head", self.head)):
            for layer in range(0, len(layers), 2):
                arrays[f"clep.{part}.{layer}.weight"] = layers[layer][place].T.numpy().copy()
                arrays[f"clep.{part}.{layer}.bias"] = layers[layer + 1][place, 0].numpy().copy()
        return arrays

    def logits(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """(M, n) logits of P(like) from (M, n, E) embeddings."""
        with torch.no_grad():
            return _forward(self.head, torch.from_numpy(embedding)).squeeze(-1).numpy()


OnEpoch = Callable[[int, int, float], None]
"""Called after each epoch with (epoch from 1, epochs in all, mean training loss)."""


def train_clep(
    problems: Sequence[ClepProblem],
    config: ClepConfig,
    on_epoch: OnEpoch = lambda _epoch, _epochs, _loss: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ClepStack:
    """Train one network for each problem: the embedding, then, with it frozen, the head.

    Args:
        problems: at least one, all of the same content dimension.
        config: layers and schedule; each problem's own variant takes the place of the configuration's.
        on_epoch: told about the progress over both stages.
        should_stop: asked after each epoch; what was learned so far is kept.

    Returns:
        The networks in the order of ``problems``.

    Raises:
        ValueError: a problem does not have both liked and disliked songs.
    """
    for problem in problems:
        _require_both_kinds(problem.train)
    # Most batches first: those that still have a batch at a given step are then a prefix of the stack.
    order = sorted(range(len(problems)), key=lambda place: -len(problems[place].train))
    embed, head = _Run([problems[place] for place in order], config, on_epoch, should_stop).train()
    back = torch.from_numpy(np.argsort(order))
    return ClepStack(tuple(layer[back] for layer in embed), tuple(layer[back] for layer in head))


def _require_both_kinds(train: ClepData) -> None:
    if not np.any(train.liked) or np.all(train.liked):
        kind = "disliked" if np.any(train.liked) else "liked"
        raise ValueError(f"CLEP needs liked and disliked tracks, and there is no {kind} one")


@dataclass(frozen=True, slots=True)
class _Songs:
    """Features (M, S, F), bool (M, S) whether liked, and how many of the S each network has; the rest is padding."""

    features: Tensor
    liked: Tensor
    counts: tuple[int, ...]

    @staticmethod
    def of(data: Sequence[ClepData]) -> "_Songs":
        most = max(len(songs) for songs in data)
        features = torch.zeros(len(data), most, data[0].content.shape[1])
        liked = torch.zeros(len(data), most, dtype=torch.bool)
        for place, songs in enumerate(data):
            features[place, : len(songs)] = torch.from_numpy(songs.content)
            liked[place, : len(songs)] = torch.from_numpy(songs.liked)
        return _Songs(features, liked, tuple(len(songs) for songs in data))


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of each of the first A networks: features (A, B, F), liked (A, B), and which of the B are songs (A, B)."""

    features: Tensor
    liked: Tensor
    filled: Tensor


def _batches(songs: _Songs, places: Sequence[Sequence[Tensor]]) -> list[_Batch]:
    """Step by step, the batches of those networks that have one left, a prefix; ``places`` by network and step."""
    batches: list[_Batch] = []
    for step in range(max(len(own) for own in places)):
        active = [own[step] for own in places if len(own) > step]
        index = torch.nn.utils.rnn.pad_sequence(active, batch_first=True, padding_value=-1)  # (A, B)
        network = torch.arange(len(active))[:, None]
        filled = index >= 0
        index = index.clamp_min(0)
        batches.append(_Batch(songs.features[network, index], songs.liked[network, index], filled))
    return batches


_Loss = Callable[[Tensor, _Batch], Tensor]
"""Loss (A,) of each network from its outputs (A, B, E)."""


class _Run:
    """One training of a stack."""

    def __init__(
        self,
        problems: Sequence[ClepProblem],
        config: ClepConfig,
        on_epoch: OnEpoch,
        should_stop: Callable[[], bool],
    ) -> None:
        self._config = config
        self._on_epoch = on_epoch
        self._should_stop = should_stop
        self._train = _Songs.of([problem.train for problem in problems])
        watched = [p.validation if len(p.validation) >= FEWEST_LABELS else p.train for p in problems]
        self._watched = _Songs.of(watched)
        self._embed, self._head = _initial(problems, config)
        self._generators = [torch.Generator().manual_seed(problem.seed) for problem in problems]
        self._together = _Together.of([problem.variant for problem in problems])

    def train(self) -> tuple[list[Tensor], list[Tensor]]:
        """Both stages; the trained layers of embedding and head."""
        config = self._config

        def contrastive(outputs: Tensor, batch: _Batch) -> Tensor:
            return _contrastive_losses(outputs, batch, self._together, config.margin)

        stage = _Stage(self._embed, contrastive, self._train, self._watched, config.learning_rate, config)
        self._epochs(stage, config.epochs, 0)
        train, watched = (self._embedded(songs) for songs in (self._train, self._watched))
        stage = _Stage(self._head, _cross_entropies, train, watched, config.head_learning_rate, config)
        self._epochs(stage, config.head_epochs, config.epochs)
        return self._embed, self._head

    def _epochs(self, stage: "_Stage", epochs: int, before: int) -> None:
        for epoch in range(before + 1, before + epochs + 1):
            loss = stage.epoch(self._generators)
            self._on_epoch(epoch, self._config.epochs + self._config.head_epochs, loss)
            if self._should_stop():
                break

    def _embedded(self, songs: _Songs) -> _Songs:
        with torch.no_grad():
            return _Songs(_forward(self._embed, songs.features), songs.liked, songs.counts)


class _Stage:
    """Adam and the plateau schedule over the layers of a stack, each network by itself."""

    def __init__(
        self,
        layers: list[Tensor],
        loss: _Loss,
        train: _Songs,
        watched: _Songs,
        learning_rate: float,
        config: ClepConfig,
    ) -> None:
        self._layers = layers
        self._loss = loss
        self._train = train
        self._config = config
        self._means = [torch.zeros_like(layer) for layer in layers]
        self._squares = [torch.zeros_like(layer) for layer in layers]
        count = len(train.counts)
        self._steps = torch.zeros(count)
        self._rate = torch.full((count,), learning_rate)
        self._best = torch.full((count,), torch.inf)
        self._bad = torch.zeros(count, dtype=torch.int64)
        self._watched = _batches(watched, _evened([_fixed_batches(own, config.batch) for own in watched.counts]))

    def epoch(self, generators: Sequence[torch.Generator]) -> float:
        """Every song once, then the schedule; the mean loss of a batch."""
        places = [
            _shuffled_batches(count, self._config.batch, generator)
            for count, generator in zip(self._train.counts, generators, strict=True)
        ]
        losses = [self._step(batch) for batch in _batches(self._train, places)]
        self._schedule()
        return float(torch.cat(losses).mean())

    def _step(self, batch: _Batch) -> Tensor:  # (A,)
        active = len(batch.liked)
        layers = [layer[:active].detach().requires_grad_() for layer in self._layers]
        losses = self._loss(_forward(layers, batch.features), batch)
        losses.sum().backward()
        self._steps[:active] += 1
        steps = self._steps[:active]
        rate = (self._rate[:active] / (1 - BETA_MEAN**steps))[:, None, None]
        debias = (1 - BETA_SQUARE**steps).sqrt()[:, None, None]
        for layer, leaf, mean, square in zip(self._layers, layers, self._means, self._squares, strict=True):
            slope = leaf.grad
            assert slope is not None
            mean[:active].lerp_(slope, 1 - BETA_MEAN)
            square[:active].mul_(BETA_SQUARE).addcmul_(slope, slope, value=1 - BETA_SQUARE)
            layer[:active] -= rate * mean[:active] / (square[:active].sqrt() / debias + ADAM_EPSILON)
        return losses.detach()

    def _schedule(self) -> None:
        """Reduce the rate of those networks whose validation loss has not become better for ``patience`` epochs."""
        loss = self._watched_loss()
        better = loss < self._best * (1 - BETTER_BY)
        self._best = torch.where(better, loss, self._best)
        self._bad = torch.where(better, 0, self._bad + 1)
        reduce = self._bad > self._config.patience
        self._rate = torch.where(reduce, self._rate * self._config.rate_factor, self._rate)
        self._bad = torch.where(reduce, 0, self._bad)

    def _watched_loss(self) -> Tensor:  # (M,)
        """Mean over each network's validation batches."""
        with torch.no_grad():
            losses = torch.stack([self._loss(_forward(self._layers, batch.features), batch) for batch in self._watched])
        holds = torch.stack([batch.filled.any(dim=1) for batch in self._watched])
        return (losses * holds).sum(dim=0) / holds.sum(dim=0)


def _evened(places: Sequence[list[Tensor]]) -> list[list[Tensor]]:
    """As many batches for every network, those that are missing being empty."""
    most = max(len(own) for own in places)
    return [own + [torch.empty(0, dtype=torch.int64)] * (most - len(own)) for own in places]


def _initial(problems: Sequence[ClepProblem], config: ClepConfig) -> tuple[list[Tensor], list[Tensor]]:
    """The stacked layers of embedding and head as each problem's seed draws them."""
    embeds: list[nn.Sequential] = []
    heads: list[nn.Sequential] = []
    with torch.random.fork_rng(devices=[]):
        for problem in problems:
            torch.manual_seed(problem.seed)
            embeds.append(perceptron((problem.train.content.shape[1], *config.widths)))
            heads.append(perceptron((config.widths[-1], *config.head_widths)))
    return _stacked(embeds), _stacked(heads)


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers with ReLU between them and none after the last, freshly drawn."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _stacked(perceptrons: Sequence[nn.Sequential]) -> list[Tensor]:
    """Weight (M, inputs, outputs) and bias (M, 1, outputs) of each layer."""
    layers: list[Tensor] = []
    for own in zip(*perceptrons, strict=True):
        linear = [layer for layer in own if isinstance(layer, nn.Linear)]
        if linear:
            layers.append(torch.stack([layer.weight.detach().T for layer in linear]))
            layers.append(torch.stack([layer.bias.detach()[None] for layer in linear]))
    return layers


def _forward(layers: Sequence[Tensor], x: Tensor) -> Tensor:  # (M, B, F) -> (M, B, E)
    """Each network's perceptron on its own rows, ReLU between the layers."""
    for place in range(0, len(layers), 2):
        x = torch.baddbmm(layers[place + 1], F.relu(x) if place else x, layers[place])
    return x


@dataclass(frozen=True, slots=True)
class _Together:
    """Bool (M, 1): whether each network's variant draws likes together, and dislikes."""

    likes: Tensor
    dislikes: Tensor

    @staticmethod
    def of(variants: Sequence[ClepVariant]) -> "_Together":
        return _Together(
            torch.tensor([variant is not ClepVariant.N for variant in variants])[:, None],
            torch.tensor([variant is not ClepVariant.P for variant in variants])[:, None],
        )


def _contrastive_losses(embedding: Tensor, batch: _Batch, together: _Together, margin: float) -> Tensor:  # -> (A,)
    """Mean over all pairs of each network's batch of ``y·D² + (1 - y)·max(margin - D, 0)²`` (Park & Lee 2022, equation 1)."""
    row, column = torch.triu_indices(embedding.shape[1], embedding.shape[1], offset=1)
    squared = (embedding[:, row] - embedding[:, column]).square().sum(-1)  # (A, pairs)
    distance = squared.clamp_min(LEAST_DISTANCE_SQUARED).sqrt()
    first, second = batch.liked[:, row], batch.liked[:, column]
    count = len(batch.liked)
    drawn = (first & second & together.likes[:count]) | (~first & ~second & together.dislikes[:count])
    loss = torch.where(drawn, squared, (margin - distance).clamp_min(0.0).square())
    pair = batch.filled[:, row] & batch.filled[:, column]
    return (loss * pair).sum(dim=1) / pair.sum(dim=1).clamp_min(1)


def _cross_entropies(logits: Tensor, batch: _Batch) -> Tensor:  # -> (A,)
    """Mean binary cross-entropy of each network's batch."""
    loss = F.binary_cross_entropy_with_logits(logits.squeeze(-1), batch.liked.to(logits.dtype), reduction="none")
    return (loss * batch.filled).sum(dim=1) / batch.filled.sum(dim=1).clamp_min(1)


def _shuffled_batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """A shuffled partition of ``count`` songs into batches of ``size`` places, the last one perhaps smaller."""
    return _joined_tail(list(torch.randperm(count, generator=generator).split(size)))


def _fixed_batches(count: int, size: int) -> list[Tensor]:
    """The same in the songs' own order, as validation goes through them."""
    return _joined_tail(list(torch.arange(count).split(size)))


def _joined_tail(batches: list[Tensor]) -> list[Tensor]:
    """A last song on its own joins the batch before, since it makes no pair."""
    if len(batches) > 1 and len(batches[-1]) < FEWEST_LABELS:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches
