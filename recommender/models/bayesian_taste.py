"""CLEP's best mode: what measured best where a listener has 10 to 200 opinions, in place of the paper's networks.

A head shared by everybody learns what is liked at all, and each listener (or station) a head of its own on top of it,
which starts from the shared one and strays as far as its opinions warrant: hierarchical Bayesian logistic regression
(Gelman & Hill 2007, chapter 13), the own level averaged over how far it may stray (:mod:`recommender.models.online_update`), on the main axes
of the content. It is convex, so no seed matters and an ensemble is one model. ``docs/research/clep.md`` has the ablation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.configuration import BEST_AXES
from recommender.models.online_update import Head, Prior, fit_head

Floats = NDArray[np.float32]

ENOUGH_TRACKS = 10_000
"""Tracks that fix the main axes well; more would only cost memory."""
LEAST_LENGTH_SQUARED = 1e-12
"""Content that is the same for all tracks has features of zero instead of a division by nothing."""
SHARED_PRIOR = Prior(weight_variance=0.3)
"""Of the head that all opinions share: on Emotify the marginal likelihood prefers it to 1 and 4 in every division by artist."""
OWN_VARIANCES = (0.003, 0.03, 0.1, 0.3, 1.0, 3.0)
"""How far one listener's head may stray from the shared one, from hardly at all to freely; per track, its features having length 1. What
the listener's opinions say of each decides, so that an own head of few or fickle opinions hardly strays."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """What one listener, or one station, thinks of tracks.

    Attributes:
        content: (m, dim) float32 standardised content vectors.
        liked: (m,) bool.
        weight: (m,) float32 in 0…1, how strongly each is meant.
    """

    content: Floats
    liked: NDArray[np.bool_]
    weight: Floats

    def __len__(self) -> int:
        return len(self.liked)


@dataclass(frozen=True, slots=True)
class MainAxes:
    """The linear map from standardised content to features of mean squared length 1.

    Attributes:
        mean: (dim,) that is taken off first.
        axes: (dim, k) principal axes, scaled; zeros where the content has fewer than k.
    """

    mean: Floats
    axes: Floats

    @staticmethod
    def of(content: Floats, dimensions: int = BEST_AXES) -> "MainAxes":
        """From (n, dim) standardised content vectors of at least one track, no opinions needed; of many, an even sample."""
        content = content[:: max(1, len(content) // ENOUGH_TRACKS)]
        mean = content.mean(axis=0, dtype=np.float64)
        centred = content - mean
        values, vectors = np.linalg.eigh(centred.T @ centred)
        kept = min(dimensions, *centred.shape)
        axes = np.zeros((centred.shape[1], dimensions))
        axes[:, :kept] = vectors[:, ::-1][:, :kept]
        length = np.sqrt(max(float(values[::-1][:kept].sum()) / len(content), LEAST_LENGTH_SQUARED))
        return MainAxes(mean.astype(np.float32), (axes / length).astype(np.float32))

    def apply(self, content: Floats) -> Floats:
        """(n, k) features of (n, dim) standardised content vectors."""
        return ((content - self.mean) @ self.axes).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SharedTaste:
    """What everybody's opinions say.

    Attributes:
        axes: where the head lives.
        head: fitted on all opinions.
    """

    axes: MainAxes
    head: Head

    def logits(self, content: Floats) -> NDArray[np.float64]:
        """(n,) log odds that anybody likes a track, from (n, dim) standardised content vectors."""
        return self.head.contribution(self.axes.apply(content).astype(np.float64))

    def own_logits(
        self, opinions: Opinions, content: Floats, variances: Sequence[float] = OWN_VARIANCES
    ) -> NDArray[np.float64]:
        """(n,) log odds that one listener likes a track: heads of their own, weighed by the evidence for each prior.

        Bayesian model averaging (Hoeting et al. 1999): no one variance is chosen where the opinions cannot tell.

        Args:
            opinions: the listener's; they may be among those that the shared head learned from.
            content: (n, dim) standardised content vectors.
            variances: of the priors.
        """
        features, offset = self.axes.apply(opinions.content), self.logits(opinions.content)
        heads = [
            fit_head(features, _labels(opinions), opinions.weight, offset, Prior(weight_variance=variance))
            for variance in variances
        ]
        evidence = np.array([head.evidence for head in heads])
        share = np.exp(evidence - evidence.max())
        asked = self.axes.apply(content).astype(np.float64)
        own = np.stack([head.contribution(asked) for head in heads])
        return self.logits(content) + share @ own / share.sum()

    def export(self) -> dict[str, Floats]:
        """The shared head as the arrays of a CLEP network whose embedding and head are one linear layer each.

        :class:`recommender.models.numpy_inference.ClepScorer` serves them; the configuration is :meth:`recommender.configuration.ClepConfig.best`.
        """
        return {
            "clep.embed.0.weight": np.ascontiguousarray(self.axes.axes.T),
            "clep.embed.0.bias": (-self.axes.mean @ self.axes.axes).astype(np.float32),
            "clep.head.0.weight": self.head.weights[None].astype(np.float32),
            "clep.head.0.bias": np.array([self.head.bias], np.float32),
        }


def fit_shared(axes: MainAxes, everybody: Sequence[Opinions], prior: Prior = SHARED_PRIOR) -> SharedTaste:
    """Fit the shared head on all opinions, each track as often as somebody has one about it.

    Raises:
        ValueError: there are no opinions at all.
    """
    return SharedTaste(
        axes,
        fit_head(
            axes.apply(np.concatenate([opinions.content for opinions in everybody])),
            np.concatenate([_labels(opinions) for opinions in everybody]),
            np.concatenate([opinions.weight for opinions in everybody]),
            np.zeros(sum(len(opinions) for opinions in everybody)),
            prior,
        ),
    )


def _labels(opinions: Opinions) -> NDArray[np.int8]:
    return np.where(opinions.liked, 1, -1).astype(np.int8)
