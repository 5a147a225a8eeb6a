"""The running update: between two trainings, every thumb and skip moves a small head over frozen features.

The head is Bayesian logistic regression at its maximum a posteriori (Bishop 2006, section 4.5): features are a
content space or CLEP's embedding, the prior is Gaussian around "what the trained models say" (the offset), so the
first label already moves it, labels of one kind only are fine, and what was not labelled moves by its likeness to what
was. With m labels and d features a fit costs a few Newton steps of m·d² each: about a millisecond.
"""

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Settings of the running update; the defaults are those of a player that has not been trained.

    Attributes:
        half_life: after so many further labels that count on the station a label counts half. Labels are counted, not
            days, so that a station rested for a month is as it was.
        weight_variance: prior variance of each feature's weight (:class:`recommender.models.online_update.Prior`). Large, a single
            thumb is felt at once; small, many are weighed before anything moves, which orders unheard tracks better
            once there are some hundred.
    """

    half_life: float = 100.0
    weight_variance: float = 4.0

    def __post_init__(self) -> None:
        """Raise ValueError unless both are positive numbers."""
        for name, value in (("half_life", self.half_life), ("weight_variance", self.weight_variance)):
            if not (isfinite(value) and 0.0 < value < inf):
                raise ValueError(f"{name} must be a positive number, not {value}")


UNTUNED = UpdateSettings()
"""Good for the first hundred labels, when each has to be felt; ``docs/research/simulation.md`` has the measurements."""


MAX_STEPS = 25
"""Newton steps at most; from a warm start two or three are usual."""
MAX_HALVINGS = 30
"""Halvings of one step at most, should it overshoot."""
TOLERANCE = 1e-8
"""Stop when the largest entry of the gradient (in logits·weight) is below this."""
MAX_LOGIT = 500.0
"""Logits beyond this are clipped in the likelihood: exp stays finite, and nothing changes at double precision."""


@dataclass(frozen=True, slots=True)
class Prior:
    """How far the head is believed to stray from the offset.

    Attributes:
        weight_variance: of each feature weight. With features of length 1 it is the variance of a track's logit: at 4
            one thumb on an undecided track moves its own logit by one, and an orthogonal track's not at all.
        bias_variance: of the constant; small, since a constant does not reorder a queue and should not swallow
            what a first label says about its likes.
    """

    weight_variance: float = 4.0
    bias_variance: float = 0.25


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted head.

    Attributes:
        weights: (d,) float64.
        bias: logits.
        covariance: (d + 1, d + 1) of weights and bias (Laplace's approximation), bias last.
        pulls: (m,) by label: weight · (target − P(like)), the part of each in the solution; see :meth:`influences`.
        prior: the one fitted under.
        evidence: log marginal likelihood of the labels under the prior (Laplace's approximation; Bishop 2006, equation 4.137), less a
            constant that priors of one dimension share.
    """

    weights: NDArray[np.float64]
    bias: float
    covariance: NDArray[np.float64]
    pulls: NDArray[np.float64]
    prior: Prior
    evidence: float

    def contribution(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) logits that the head adds to the offset, for (n, d) features."""
        return features @ self.weights.astype(features.dtype) + self.bias

    def variance(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) posterior variance of the contribution for (n, d) features: large where nothing like it was labelled.

        x̃ᵀ Σ x̃ with x̃ = (x, 1), Bishop 2006, equation 4.149.
        """
        inner = self.covariance[:-1, :-1].astype(features.dtype)
        across = self.covariance[:-1, -1].astype(features.dtype)
        spread = np.einsum("nd,nd->n", features @ inner, features) + 2.0 * (features @ across)
        return np.maximum(spread + self.covariance[-1, -1], 0.0)

    def influences(self, labelled: NDArray[np.floating], track: NDArray[np.floating]) -> NDArray[np.float64]:
        """How many logits of a track's contribution each label accounts for.

        At the optimum the weights are weight_variance · Σ pulls·x and the bias is bias_variance · Σ pulls, so the
        contribution is exactly the sum of these parts (the representer theorem).

        Args:
            labelled: (m, d), the features of the labels the head was fitted on, in the same order.
            track: (d,) features of the track.

        Returns:
            (m,) logits, positive for labels that speak for the track; their sum is its contribution. They are linear in
            the features: less the influences on the mean features, they say what sets the track apart.
        """
        return self.pulls * (self.prior.weight_variance * (labelled @ track) + self.prior.bias_variance)


def fit_head(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    weights: NDArray[np.floating],
    offset: NDArray[np.floating],
    prior: Prior | None = None,
    start: Head | None = None,
) -> Head:
    """The maximum a posteriori head, by Newton's method (iteratively reweighted least squares).

    Minimises Σ weight · log(1 + exp(−label · (offset + x·w + b))) + |w|² / 2σ_w² + b² / 2σ_b², which is strictly convex:
    the answer does not depend on ``start``, only the time does.

    Args:
        features: (m, d) of the labelled tracks, finite; a track may appear in several rows.
        labels: (m,) above 0 for liked, below 0 for disliked; rows of 0 are without effect.
        weights: (m,) in 0…1, how strongly each label is meant.
        offset: (m,) logits that the trained models give these tracks (zeros where there is no model yet).
        prior: the prior; the default when none is given.
        start: a head for an earlier state of the labels, to begin from.

    Returns:
        The head; with no labels at all, the prior itself.

    Raises:
        ValueError: the arguments have different lengths, or one holds NaN or infinity.
    """
    _check(features, labels, weights, offset)
    prior = prior or Prior()
    problem = _Problem(
        design=np.column_stack([features, np.ones(len(features))]).astype(np.float64),
        targets=(labels > 0).astype(np.float64),
        weights=np.where(labels == 0, 0.0, weights).astype(np.float64),
        offset=offset.astype(np.float64),
        precision=_precision(features.shape[1], prior),
    )
    solution = problem.minimise(_start(start, features.shape[1]))
    hessian = problem.hessian(solution)
    spread = np.log(problem.precision).sum() - np.linalg.slogdet(hessian)[1]
    return Head(
        weights=solution[:-1],
        bias=float(solution[-1]),
        covariance=np.linalg.inv(hessian).astype(np.float64),
        pulls=problem.pulls(solution),
        prior=prior,
        evidence=float(0.5 * spread) - problem.loss(solution),
    )


def _check(
    features: NDArray[np.floating],
    labels: NDArray[np.integer],
    weights: NDArray[np.floating],
    offset: NDArray[np.floating],
) -> None:
    rows = len(features)
    for name, column in (("labels", labels), ("weights", weights), ("offset", offset)):
        if len(column) != rows:
            raise ValueError(f"{name} has {len(column)} rows, features has {rows}")
    for name, column in (("features", features), ("weights", weights), ("offset", offset)):
        if not np.isfinite(column).all():
            raise ValueError(f"{name} must be finite")


def _precision(dimensions: int, prior: Prior) -> NDArray[np.float64]:
    """(d + 1,) 1 / variance of each coefficient, bias last."""
    precision = np.full(dimensions + 1, 1.0 / prior.weight_variance)
    precision[-1] = 1.0 / prior.bias_variance
    return precision


def _start(start: Head | None, dimensions: int) -> NDArray[np.float64]:
    """(d + 1,) coefficients to begin from; zeros when the earlier head is of another size."""
    if start is None or len(start.weights) != dimensions:
        return np.zeros(dimensions + 1)
    return np.append(start.weights, start.bias)


@dataclass(frozen=True, slots=True)
class _Problem:
    """The objective: ``design`` (m, d + 1) with a last column of ones; ``precision`` (d + 1,) of the prior."""

    design: NDArray[np.float64]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: NDArray[np.float64]
    precision: NDArray[np.float64]

    def _logits(self, solution: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(self.offset + self.design @ solution, -MAX_LOGIT, MAX_LOGIT)

    def _likes(self, solution: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 / (1.0 + np.exp(-self._logits(solution)))

    def loss(self, solution: NDArray[np.float64]) -> float:
        logits = self._logits(solution)
        likelihood = self.weights @ (np.logaddexp(0.0, logits) - self.targets * logits)
        return float(likelihood + 0.5 * self.precision @ solution**2)

    def pulls(self, solution: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.weights * (self.targets - self._likes(solution))

    def gradient(self, solution: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.precision * solution - self.design.T @ self.pulls(solution)

    def hessian(self, solution: NDArray[np.float64]) -> NDArray[np.float64]:
        likes = self._likes(solution)
        curvature = self.weights * likes * (1.0 - likes)
        return (self.design.T * curvature) @ self.design + np.diag(self.precision)

    def minimise(self, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Newton's method; a step that does not lower the loss is halved until it does."""
        solution = start
        for _ in range(MAX_STEPS):
            gradient = self.gradient(solution)
            if np.abs(gradient).max() < TOLERANCE:
                break
            step = np.linalg.solve(self.hessian(solution), gradient).astype(np.float64)
            solution = self._descend(solution, step)
        return solution

    def _descend(self, solution: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
        loss = self.loss(solution)
        for halving in range(MAX_HALVINGS):
            candidate = solution - step * 0.5**halving
            if self.loss(candidate) <= loss:
                return candidate
        return solution
