"""Promotion: may a new model replace the one in use? An e-process over all retrainings decides.

Every judged row of the newest slice tells how much better or worse a model orders it among the earlier rows of its session
(of its station, where the session holds none of the other label) than what would serve in its place – the live model, the
player without any model, and chance. Within a session, because skips come in bursts: over all rows whoever knows that this
is an evening of skipping looks clever. Against "on average it is not more than .01
worse" a gambler bets; the capital, carried from one retraining to the next over rows that each count once, is a non-negative
supermartingale as long as that is so, and by Ville's inequality reaches 1 / α with a probability of at most α, however many
retrainings there are (Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid inference"). A model is refused
when it does, and the capital starts anew.

What that promises is one-sided: a training that makes nothing worse is refused once in ten listeners at most. One that makes
models worse is found out as its evidence grows, not at once; ``python -m bench.training.gate`` says after how many rows.

A row's difference shares its earlier rows with those of the others, so that "on average, given the past" holds only about;
simulated, equal models are refused in .01 of listeners within ten retrainings where α is .1 (the same command).

Bets begun at every retraining run side by side, the one begun at the s-th with 1 / (s (s + 1)) of the capital, so that a
long good past does not cover up the first bad model.

With fewer than 20 pairs the live model stays. While there is no live model there is nothing learned to protect, and the
first one serves unless it is refused.

Other baselines are measured beside and decide nothing: the slice holds what a player of this kind chose to serve, tracks
that it scored high one and all, and among those its scores, and those of any model akin to it, differ little. A rule that did not
choose them is not so restricted (restriction of range, Thorndike 1949) and comes out ahead there even when it would serve
worse: ``docs/research/simulation.md`` has the measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation
from recommender.evaluation.sequential_test import FRACTIONS
from recommender.models.model_card import NO_EVIDENCE, GateEvidence

Floats = NDArray[np.float64]

TOLERANCE = 0.01
"""Pair AUC that a model may lie below another and still pass as not worse."""
ALPHA = 0.1
"""How often a training that makes nothing worse may ever be refused."""
FEWEST_PAIRS = 20
"""Below this many pairs a measured difference is chance."""
CHANCE = "chance"
CHANCE_AUC = 0.5


@dataclass(frozen=True, slots=True)
class PromotionVerdict:
    """Whether the model may go live, the reason in one sentence, and the evidence to carry on with."""

    promoted: bool
    reason: str
    evidence: GateEvidence


def judge(
    evaluation: Evaluation,
    model: str,
    live: str | None,
    otherwise: Sequence[str],
    evidence: GateEvidence = NO_EVIDENCE,
) -> PromotionVerdict:
    """Compare a model with the live one and with what else could serve.

    Args:
        evaluation: of all of them on one slice that none was trained on, each row in the state before it.
        model: name of the new model.
        live: name of the live model, None when there is none.
        otherwise: names of what would serve without any model. Chance is compared with as the constant it is.
        evidence: of the retrainings before this one; rows up to ``evidence.until`` count no more.

    Returns:
        The verdict.
    """
    report = evaluation.report
    if live is not None and report.pairs < FEWEST_PAIRS:
        return PromotionVerdict(
            promoted=False,
            reason=f"The live model stays: the newest feedback holds only {report.pairs} of the {FEWEST_PAIRS} pairs "
            "of a liked and a disliked track on one station that a comparison needs.",
            evidence=evidence,
        )
    own = report.mean(model, Measure.PAIR_AUC)
    if own is None:
        return PromotionVerdict(
            promoted=True,
            reason="The first model: nothing to compare with yet, and nothing shows it worse.",
            evidence=evidence,
        )
    rivals = [*([] if live is None else [live]), *otherwise, CHANCE]
    differences, until = fresh_differences(evaluation, model, rivals, evidence.until)
    if len(next(iter(differences.values()))):
        growth = {rival: bet_growth(found) for rival, found in differences.items()}
        evidence = evidence.after(np.mean(list(growth.values()), axis=0), until)
        if evidence.value >= 1.0 / ALPHA:
            worst = max(growth, key=lambda rival: growth[rival].mean())
            theirs = CHANCE_AUC if worst == CHANCE else report.mean(worst, Measure.PAIR_AUC)
            return PromotionVerdict(
                promoted=False,
                reason=f"Refused: it orders pairs worse than {worst} ({own:.3f} against {theirs:.3f}); the evidence against "
                f"what was trained is {evidence.value:.0f}, and {1 / ALPHA:.0f} refuse.",
                evidence=GateEvidence(until=until),
            )
    first = "" if live is not None else "first model, "
    return PromotionVerdict(
        promoted=True,
        reason=f"Nothing shows it worse than what there was: {first}pair AUC {own:.3f} on {report.pairs} pairs, evidence "
        f"against it {evidence.value:.1f} of the {1 / ALPHA:.0f} that refuse.",
        evidence=evidence,
    )


def fresh_differences(
    evaluation: Evaluation, model: str, rivals: Sequence[str], after: float | None
) -> tuple[dict[str, Floats], float]:
    """Rows that have not counted yet: how much better the model ordered each than each rival.

    Args:
        evaluation: of one listener.
        model: its name.
        rivals: their names; those that were not measured are left out, ``CHANCE`` need not be.
        after: seconds; None counts every row.

    Returns:
        By rival (R,) in −1…1, in time order; and the time of the last row, or ``after``.

    Raises:
        ValueError: the evaluation is of several listeners.
    """
    rows = evaluation.prequential
    if rows is None:
        raise ValueError("a gate judges one listener's rows")
    own = rows.wins[model]
    known = np.isfinite(own) if after is None else np.isfinite(own) & (rows.time > after)
    found = {rival: own[known] - rows.wins[rival][known] for rival in rivals if rival in rows.wins}
    if CHANCE in rivals:
        found[CHANCE] = own[known] - CHANCE_AUC
    return found, float(rows.time[known][-1]) if known.any() else (after or 0.0)


def bet_growth(differences: Floats, tolerance: float = TOLERANCE) -> Floats:
    """Growth of bets of each of ``FRACTIONS`` on "worse than ``-tolerance`` on average".

    A bet f on a difference d gains the factor 1 − f (d + t) / (1 + t), which is positive, and at most 1 on average as long
    as the mean of d, given the past, is −t or more (Waudby-Smith & Ramdas 2024, eq. 23, one side).

    Args:
        differences: (…, R) in −1…1.
        tolerance: t, 0…1.

    Returns:
        (…, fractions).
    """
    lost = (differences[..., None, :] + tolerance) / (1.0 + tolerance)
    return np.exp(np.log1p(-FRACTIONS[:, None] * lost).sum(axis=-1))
