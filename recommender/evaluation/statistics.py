"""Tests of whether recommenders differ on the same listeners: Friedman, Wilcoxon with Holm, paired bootstrap.

scipy is imported when a test is run, not with this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import (
    FEWEST_UNITS,
    RESAMPLES,
    Difference,
    difference_of_resamples,
    resampled_means,
)

Floats = NDArray[np.float64]

FEWEST_TREATMENTS = 3
"""Friedman's χ² of two treatments is a sign test; use the Wilcoxon test for two."""
FEWEST_BLOCKS = 6
"""With five listeners, even if all agree, the Wilcoxon test cannot reach p < .05 (2 / 2⁵ = .0625)."""


@dataclass(frozen=True, slots=True)
class Friedman:
    """Do the treatments differ at all?

    Attributes:
        chi2, degrees, p: Friedman's statistic, corrected for ties, against χ² with ``degrees`` degrees of freedom.
        kendall_w: effect size χ² / (blocks · (treatments − 1)): 0 = no agreement of the blocks, 1 = all rank alike.
        blocks: listeners that have every treatment.
    """

    chi2: float
    degrees: int
    p: float
    kendall_w: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Does one treatment differ from another?

    Attributes:
        first, second: names.
        statistic: Wilcoxon's W, the smaller of the two sums of ranks.
        p: two-sided.
        p_holm: p after Holm's correction over all pairs of the family.
        effect: matched-pairs rank-biserial correlation, -1…1; positive when the first is larger (Kerby 2014).
        blocks: listeners, and ``zeros`` of them without any difference.
        zeros: how many of them are equal in both.
    """

    first: str
    second: str
    statistic: float
    p: float
    p_holm: float
    effect: float
    blocks: int
    zeros: int


def friedman(values: Floats) -> Friedman | str:
    """Friedman's test (1937) of whether treatments differ over the same blocks.

    Args:
        values: (blocks, treatments); blocks with a NaN are left out. Equal values of a block share their ranks.

    Returns:
        The test, or a sentence that says why there is none. All treatments alike in every block: χ² 0, p 1.
    """
    complete = values[np.isfinite(values).all(axis=1)]
    blocks, treatments = complete.shape
    if treatments < FEWEST_TREATMENTS:
        return f"Friedman's test needs at least {FEWEST_TREATMENTS} treatments, not {treatments}."
    if blocks < FEWEST_BLOCKS:
        return f"Friedman's test needs at least {FEWEST_BLOCKS} listeners with every treatment; there are {blocks}."
    if np.all(complete == complete[:, :1]):
        return Friedman(0.0, treatments - 1, 1.0, 0.0, blocks)
    from scipy.stats import friedmanchisquare  # noqa: PLC0415 - slow to import, and only tests need it

    answer = friedmanchisquare(*complete.T)
    chi2 = float(answer.statistic)
    return Friedman(chi2, treatments - 1, float(answer.pvalue), chi2 / (blocks * (treatments - 1)), blocks)


def wilcoxon_holm(values: Floats, names: Sequence[str]) -> tuple[Pair, ...] | str:
    """Wilcoxon's signed-rank test (1945) of every pair of treatments, corrected after Holm (1979).

    Differences of zero take part in the ranking and their ranks are halved between the signs (Pratt 1959, ``zsplit``),
    so that many equal listeners count for "no difference"; tied sizes share ranks. Blocks without ties or zeros, up to
    50, are tested exactly, others by the normal approximation.

    Args:
        values: (blocks, treatments); blocks with a NaN are left out.
        names: of the treatments.

    Returns:
        Every pair in the order of ``names``, or a sentence that says why there is none.
    """
    complete = values[np.isfinite(values).all(axis=1)]
    if complete.shape[1] != len(names):
        raise ValueError(f"{len(names)} names for {complete.shape[1]} treatments")
    if len(names) < 2:  # noqa: PLR2004 - a pair
        return "Wilcoxon's test needs two treatments."
    if len(complete) < FEWEST_BLOCKS:
        return (
            f"Wilcoxon's test needs at least {FEWEST_BLOCKS} listeners with every treatment; there are {len(complete)}."
        )
    places = list(combinations(range(len(names)), 2))
    tests = [_signed_rank(complete[:, a] - complete[:, b]) for a, b in places]
    corrected = holm(np.array([p for _, p in tests]))
    return tuple(
        Pair(
            first=names[a],
            second=names[b],
            statistic=statistic,
            p=p,
            p_holm=float(p_holm),
            effect=rank_biserial(complete[:, a], complete[:, b]),
            blocks=len(complete),
            zeros=int(np.count_nonzero(complete[:, a] == complete[:, b])),
        )
        for (a, b), (statistic, p), p_holm in zip(places, tests, corrected, strict=True)
    )


def _signed_rank(difference: Floats) -> tuple[float, float]:
    """Statistic and two-sided p; without any difference p is 1."""
    if not np.any(difference):
        return float(len(difference) * (len(difference) + 1) / 4), 1.0
    from scipy.stats import wilcoxon  # noqa: PLC0415 - slow to import, and only tests need it

    statistic, p = np.asarray(wilcoxon(difference, zero_method="zsplit"), np.float64)[:2]
    return float(statistic), float(p)


def holm(p: Floats) -> Floats:
    """Holm's step-down correction (1979) of p-values (m,): the k-th smallest times m − k + 1, never falling, at most 1."""
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(1.0, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    corrected = np.empty(len(p))
    corrected[order] = scaled
    return corrected


def rank_biserial(first: Floats, second: Floats) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014): (sum of ranks for − sum against) / all, -1…1.

    Zeros take part in the ranking and speak for neither side; 0 without any difference.
    """
    difference = first - second
    size = np.abs(difference)
    ordered = np.sort(size)
    ranks = (np.searchsorted(ordered, size, side="left") + np.searchsorted(ordered, size, side="right") + 1) / 2.0
    return float((ranks * np.sign(difference)).sum() / ranks.sum()) if len(ranks) else 0.0


def paired_bootstrap(first: Floats, second: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Difference | str:
    """Difference of two means over the same listeners, its interval, and how probably the first is larger.

    Args:
        first: (L,) values of listeners.
        second: (L,) values of the same listeners; those with a NaN in either are left out.
        resamples: of listeners.
        seed: of the draws.

    Returns:
        The difference first − second, or a sentence that says why there is none.
    """
    both = np.isfinite(first) & np.isfinite(second)
    count = int(both.sum())
    if count < FEWEST_UNITS:
        return f"A paired bootstrap needs at least {FEWEST_UNITS} listeners with both; there are {count}."
    pair = np.stack([first[both], second[both]], axis=1)
    means = resampled_means(pair, resamples, seed)
    return difference_of_resamples(float(pair[:, 0].mean()), float(pair[:, 1].mean()), means[:, 0], means[:, 1])
