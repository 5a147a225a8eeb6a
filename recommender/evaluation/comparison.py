"""One recommender against each of the others on the same feedback: by how much, how sure, Holm-corrected."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation
from recommender.evaluation.statistics import holm

SURE = 0.05
"""A Holm-corrected p below this counts as sure."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One recommender against another.

    Attributes:
        rival: the other.
        measure: of what.
        own, theirs: the two figures.
        difference: own − theirs in the same resamples.
        p: two-sided, from the paired bootstrap; None where nothing could be redrawn.
        p_holm: p after Holm's correction over all rivals compared with on this measure.
    """

    rival: str
    measure: Measure
    own: float
    theirs: float
    difference: Difference
    p: float | None
    p_holm: float | None

    @property
    def surely_better(self) -> bool:
        """Better, and not by chance."""
        return self._sure and (self.difference.probability_better or 0.0) > 0.5  # noqa: PLR2004 - the even chance

    @property
    def surely_worse(self) -> bool:
        """Worse, and not by chance."""
        return self._sure and not self.surely_better

    @property
    def _sure(self) -> bool:
        return self.p_holm is not None and self.p_holm < SURE


def compare(evaluation: Evaluation, model: str, rivals: Sequence[str], measure: Measure) -> tuple[Comparison, ...]:
    """The model against each rival that has the measure, in their order.

    p is the share of resamples that contradict the direction, twice, never below what so many resamples can show:
    2 · (contradicting + 1) / (resamples + 1) (Davison & Hinkley 1997, section 4.2.3), a tie counting half.
    """
    found: list[tuple[str, float, float, Difference, float | None]] = []
    for rival in rivals:
        own, theirs = evaluation.figure(model, measure), evaluation.figure(rival, measure)
        difference = evaluation.difference(model, rival, measure)
        if own is not None and theirs is not None and difference is not None:
            found.append((rival, own.mean, theirs.mean, difference, _p(evaluation, model, rival, measure, difference)))
    corrected = _corrected([p for *_, p in found])
    return tuple(
        Comparison(rival, measure, own, theirs, difference, p, p_holm)
        for (rival, own, theirs, difference, p), p_holm in zip(found, corrected, strict=True)
    )


def _p(evaluation: Evaluation, model: str, rival: str, measure: Measure, difference: Difference) -> float | None:
    own, theirs = evaluation.resampled(model, measure), evaluation.resampled(rival, measure)
    if own is None or theirs is None or difference.probability_better is None:
        return None
    resamples = int(np.count_nonzero(np.isfinite(own) & np.isfinite(theirs)))
    contradicting = min(difference.probability_better, 1.0 - difference.probability_better) * resamples
    return min(1.0, 2.0 * (contradicting + 1.0) / (resamples + 1.0))


def _corrected(values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of those there are."""
    known = iter(holm(np.array([p for p in values if p is not None], np.float64)).tolist())
    return [None if p is None else next(known) for p in values]
