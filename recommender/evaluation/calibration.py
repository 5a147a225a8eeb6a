"""Does a stated probability come true that often? Reliability bins, expected calibration error, Brier score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

BINS = 10
"""Equal widths of a tenth, as in Guo et al. 2017 (who have 15) but still filled by a few hundred answers."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose probability lies in ``low`` … ``high``: how many, what was promised, what came."""

    low: float
    high: float
    rows: int
    promised: float
    came: float


def bin_of(probability: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """(R,) bin from 0 of each probability; 1 belongs to the last."""
    return np.minimum((probability * bins).astype(np.int64), bins - 1)


def bin_sums(
    probability: Floats, liked: NDArray[np.bool_], bins: int = BINS, weight: Floats | None = None
) -> NDArray[np.float64]:
    """(bins, 3) rows, sum of probabilities and likes in each bin; sums of two sets add up."""
    where = bin_of(probability, bins)
    weight = np.ones(len(probability)) if weight is None else weight
    columns = (weight, weight * probability, weight * liked)
    return np.stack([np.bincount(where, column, minlength=bins) for column in columns], axis=1).astype(np.float64)


def ece_of_sums(sums: NDArray[np.float64]) -> float | None:
    """Expected calibration error of :func:`bin_sums`: Σ |likes − promised| over all rows; None without rows."""
    rows = sums[:, 0].sum()
    return float(np.abs(sums[:, 2] - sums[:, 1]).sum() / rows) if rows > 0 else None


def expected_calibration_error(probability: Floats, liked: NDArray[np.bool_], bins: int = BINS) -> float | None:
    """Mean gap between promise and outcome over bins, weighted by their rows (Naeini et al. 2015, eq. 3).

    Args:
        probability: (R,) in 0…1.
        liked: (R,) what came.
        bins: of equal width.

    Returns:
        0…1, or None without rows.
    """
    return ece_of_sums(bin_sums(probability, liked, bins))


def brier_score(probability: Floats, liked: NDArray[np.bool_]) -> float | None:
    """Mean squared gap between probability and outcome (Brier 1950); None without rows."""
    return float(np.mean((probability - liked) ** 2)) if len(probability) else None


def bins_of_sums(sums: NDArray[np.float64]) -> tuple[Bin, ...]:
    """The bins of :func:`bin_sums` that hold any row."""
    edges = np.linspace(0.0, 1.0, len(sums) + 1)
    return tuple(
        Bin(float(edges[i]), float(edges[i + 1]), round(rows), float(promised / rows), float(came / rows))
        for i, (rows, promised, came) in enumerate(sums)
        if rows > 0
    )


def reliability(probability: Floats, liked: NDArray[np.bool_], bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of a reliability diagram, lowest first, empty ones left out."""
    return bins_of_sums(bin_sums(probability, liked, bins))
