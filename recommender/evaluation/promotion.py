"""May a new model replace the one in use? A paired bootstrap on the newest slice decides.

Refused when it is at least 80 % sure that its pair AUC is more than .01 below that of whatever would serve in its place –
the live model, and the player without any model – or below chance. With fewer than 20 pairs the live model stays. While
there is no live model there is nothing learned to protect, so the first one only has to be not shown worse on whatever
pairs there are.

Other baselines are measured beside and decide nothing: the slice holds what a player of this kind chose to serve, tracks
that it scored high one and all, and among those its scores, and those of any model akin to it, differ little. A rule that did not
choose them is not so restricted (restriction of range, Thorndike 1949) and comes out ahead there even when it would serve
worse: ``docs/simulation.md`` has the measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.evaluation.bootstrap import probability_worse
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation

TOLERANCE = 0.01
"""Pair AUC that a model may lie below another and still pass as not worse."""
CERTAINTY = 0.8
"""Share of resamples that must say "worse" before a model is refused."""
FEWEST_PAIRS = 20
"""Below this many pairs a measured difference is chance."""
CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """Whether the model may go live, and the reason in one sentence."""

    promoted: bool
    reason: str


def judge(evaluation: Evaluation, model: str, live: str | None, otherwise: Sequence[str]) -> PromotionDecision:
    """Compare a model with the live one and with what else could serve.

    Args:
        evaluation: of all of them on one slice that none was trained on.
        model: name of the new model.
        live: name of the live model, None when there is none.
        otherwise: names of what would serve without any model; the best of them counts. Chance is compared with as the
            constant it is.

    Returns:
        The verdict.
    """
    report = evaluation.report
    if live is not None and report.pairs < FEWEST_PAIRS:
        return PromotionDecision(
            promoted=False,
            reason=f"The live model stays: the newest feedback holds only {report.pairs} of the {FEWEST_PAIRS} pairs "
            "of a liked and a disliked track on one station that a comparison needs.",
        )
    own = report.mean(model, Measure.PAIR_AUC)
    if own is None:
        return PromotionDecision(
            promoted=True, reason="The first model: nothing to compare with yet, and nothing shows it worse."
        )
    resampled = evaluation.resampled(model, Measure.PAIR_AUC)
    for rival in _rivals(evaluation, live, otherwise):
        worse = probability_worse(resampled, evaluation.resampled(rival, Measure.PAIR_AUC), TOLERANCE)
        if worse is not None and worse >= CERTAINTY:
            theirs = report.mean(rival, Measure.PAIR_AUC)
            return PromotionDecision(
                promoted=False,
                reason=f"Refused: {worse:.0%} sure that it orders pairs worse than {rival} ({own:.3f} against {theirs:.3f}).",
            )
    worse = None if resampled is None else probability_worse(resampled, np.full_like(resampled, CHANCE), TOLERANCE)
    if worse is not None and worse >= CERTAINTY:
        return PromotionDecision(
            promoted=False, reason=f"Refused: {worse:.0%} sure that it orders pairs worse than chance ({own:.3f})."
        )
    first = "" if live is not None else "first model, "
    return PromotionDecision(
        promoted=True, reason=f"Not worse than what there was: {first}pair AUC {own:.3f} on {report.pairs} pairs."
    )


def _rivals(evaluation: Evaluation, live: str | None, otherwise: Sequence[str]) -> list[str]:
    """The live model and the best of the others."""
    figures = {name: evaluation.report.mean(name, Measure.PAIR_AUC) for name in otherwise}
    known = {name: figure for name, figure in figures.items() if figure is not None}
    best = [max(known, key=lambda name: known[name])] if known else []
    return ([] if live is None else [live]) + best
