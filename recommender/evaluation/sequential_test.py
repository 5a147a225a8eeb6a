"""An always-valid test of a mean difference, by betting: it may be looked at after every pair and stopped at any time.

Differences d in −1…1 arrive one by one. A gambler who starts with 1 bets against "the mean of the next difference,
given those before, is m"; the capital

    K(m) = ½ · mean over f of Π (1 + f · (d − m) / (1 + m))  +  ½ · mean over f of Π (1 − f · (d − m) / (1 − m))

is a non-negative martingale if m is right, so by Ville's inequality it ever reaches 1/α with a probability of at most α.
The m that were never refuted so far are a confidence sequence (Waudby-Smith & Ramdas 2024, "Estimating means of bounded
random variables by betting", Theorem 3 with the grid of constant bets of their section 5 in place of a plug-in bet).

Unlike a t-test looked at daily, nothing is gained by looking often; and nothing is assumed about the differences but
their bounds and that their mean, given the past, is the same throughout. For the null "no difference" alone it may be
anything that is symmetric, which a fair coin that deals out the places of each pair sees to.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALPHA = 0.05
"""How often a test of two equal arms may ever stop with a winner."""
POWER = 0.8
"""How often an effect "that would have been seen" would have been seen."""
FRACTIONS = np.geomspace(0.03, 0.9, 12)
"""Shares of what could be lost at once that are bet side by side. The best bet on a mean difference μ with variance σ² is
about μ / σ²; these reach from .01 at σ² = .35 to all but certainty."""
NULLS = np.linspace(-0.99, 0.99, 199)
"""Mean differences that are tried for the confidence sequence; its ends are moved out by one step of this grid."""
STEP = float(NULLS[1] - NULLS[0])
PSEUDO = np.array([-1.0, 0.0, 1.0])
"""One imagined difference of each kind beside those seen: a few pairs that happen to agree are no certainty."""
STEEPEST = 60.0
"""At this slope of the weights only the largest difference counts."""
BISECTIONS = 30


@dataclass(frozen=True, slots=True)
class Wager:
    """The state of a test.

    Attributes:
        pairs: differences so far.
        mean: of them; 0 without any.
        low, high: the confidence sequence at present, −1…1; right at all times at once with probability 1 − ``alpha``.
        evidence: the largest capital reached against "no difference"; the test stops at 1 / ``alpha``.
        e_value: the capital at present; those of several listeners multiply (Vovk & Wang 2021), which the largest ones do not.
        stopped_at: the number of pairs at which it got there; None when it did not.
        detectable: the mean difference that so many pairs would have found with probability ``POWER``; None where not
            even the largest possible would.
        alpha: of the test.
    """

    pairs: int
    mean: float
    low: float
    high: float
    evidence: float
    e_value: float
    stopped_at: int | None
    detectable: float | None
    alpha: float

    @property
    def p(self) -> float:
        """The anytime-valid p-value, min(1, 1 / evidence)."""
        return min(1.0, 1.0 / self.evidence)


def wager(differences: Floats, alpha: float = ALPHA) -> Wager:
    """Everything the test says after these differences.

    Args:
        differences: (n,) in −1…1, in the order they arose.
        alpha: see :class:`Wager`.

    Raises:
        ValueError: a difference or ``alpha`` is out of range.
    """
    _check(differences, alpha)
    if len(differences) == 0:
        return Wager(0, 0.0, -1.0, 1.0, 1.0, 1.0, None, None, alpha)
    log_wealth = log_capital(differences)
    low, high = confidence_sequence(differences, alpha)
    return Wager(
        pairs=len(differences),
        mean=float(differences.mean()),
        low=float(low[-1]),
        high=float(high[-1]),
        evidence=float(np.exp(max(0.0, log_wealth.max()))),
        e_value=float(np.exp(log_wealth[-1])),
        stopped_at=stopping_time(log_wealth, alpha),
        detectable=detectable_effect(differences, alpha),
        alpha=alpha,
    )


def log_capital(differences: Floats, null: float = 0.0) -> Floats:
    """The logarithm of K(null) after each difference.

    Args:
        differences: (…, n) in −1…1; independent tests along the leading axes.
        null: the mean difference that is bet against, between −1 and 1.

    Returns:
        (…, n), along the last axis as the differences arrive.
    """
    away = differences - null
    up, down = away / (1.0 + null), -away / (1.0 - null)
    total = np.full(differences.shape, -np.inf)
    for fraction in FRACTIONS:
        for side in (up, down):
            np.logaddexp(total, np.cumsum(np.log1p(fraction * side), axis=-1), out=total)
    return total - np.log(2 * len(FRACTIONS))


def stopping_time(log_wealth: Floats, alpha: float = ALPHA) -> int | None:
    """The number of differences after which the capital (n,) first reached 1 / ``alpha``; None where it never did."""
    reached = np.flatnonzero(log_wealth >= -np.log(alpha))
    return int(reached[0]) + 1 if len(reached) else None


def confidence_sequence(differences: Floats, alpha: float = ALPHA) -> tuple[Floats, Floats]:
    """The bounds after each difference: a mean that was refuted once stays refuted.

    Args:
        differences: (n,) in −1…1.
        alpha: one minus the probability that the true mean lies within all the bounds at once.

    Returns:
        (n,) lower and (n,) upper bounds.
    """
    worst = np.stack([np.maximum.accumulate(log_capital(differences, null)) for null in NULLS], axis=1)  # (n, nulls)
    alive = worst < -np.log(alpha)
    # All refuted, which happens with probability alpha at most, leaves the least refuted one.
    alive |= ~alive.any(axis=1, keepdims=True) & (worst == worst.min(axis=1, keepdims=True))
    first = alive.argmax(axis=1)
    last = len(NULLS) - 1 - alive[:, ::-1].argmax(axis=1)
    return np.maximum(NULLS[first] - STEP, -1.0), np.minimum(NULLS[last] + STEP, 1.0)


def detectable_effect(differences: Floats, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The smallest mean difference that as many pairs of this kind would have found with probability ``power``.

    The differences seen, their opposites (so that an effect that is there does not count as one that would be) and
    ``PSEUDO`` are weighted by exp(η · d) until their mean is that effect; the logarithm of a bet's capital is then about
    normal, and the capital that it exceeds with probability ``power`` must reach 1 / α.

    Args:
        differences: (n,) in −1…1.
        alpha: of the test.
        power: between 0 and 1.

    Returns:
        0…1, or None where no effect would have been found by so few pairs.
    """
    values = np.concatenate([differences, -differences, PSEUDO])
    below, above = 0.0, STEEPEST
    if not _found(_tilted(values, above), values, len(differences), alpha, power):
        return None
    for _ in range(BISECTIONS):
        middle = (below + above) / 2
        if _found(_tilted(values, middle), values, len(differences), alpha, power):
            above = middle
        else:
            below = middle
    return float(_tilted(values, above) @ values)


def _tilted(values: Floats, slope: float) -> Floats:
    """Weights ∝ exp(slope · value), which sum to 1."""
    weights = np.exp(slope * (values - values.max()))
    return weights / weights.sum()


def _found(weights: Floats, values: Floats, pairs: int, alpha: float, power: float) -> bool:
    """Whether ``pairs`` draws of the ``values`` with these weights make 1 / alpha with probability ``power``."""
    growth = np.log1p(FRACTIONS[:, None] * values)
    mean = growth @ weights
    spread = np.sqrt(np.maximum(0.0, (growth**2) @ weights - mean**2))
    likely = pairs * mean - NormalDist().inv_cdf(power) * np.sqrt(pairs) * spread
    return float(np.logaddexp.reduce(likely)) - np.log(2 * len(FRACTIONS)) >= -np.log(alpha)


def _check(differences: Floats, alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1, not be {alpha:g}")
    if len(differences) and not np.abs(differences).max() <= 1.0:
        raise ValueError("differences must lie in −1…1")
