"""From figures to what can be said: which model is best, by how much over like-rate, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation
from recommender.evaluation.statistics import Friedman, Pair, friedman, wilcoxon_holm
from recommender.experiments.json_values import JsonObject, json_object

REFERENCE = "like-rate"
"""What a model has to beat to know anything about a listener: the share of likes of a track among everybody."""
SIGNIFICANT = 0.05
CERTAIN = 0.975
"""Share of resamples from which on one model counts as better than another; the counterpart of a two-sided 5 %."""


@dataclass(frozen=True, slots=True)
class Conclusions:
    """What can be concluded.

    Attributes:
        sentence: for a person.
        friedman: whether the models differ at all; None where that cannot be tested.
        wilcoxon: every pair of models.
        notes: why a test is missing.
    """

    sentence: str
    friedman: JsonObject | None
    wilcoxon: tuple[JsonObject, ...]
    notes: tuple[str, ...]


def conclude(evaluation: Evaluation, models: Sequence[str]) -> Conclusions:
    """Compare the models by pair AUC on the same listeners.

    The best is chosen and tested on the same listeners; Holm's correction over all pairs pays for the choice.
    """
    measured = [model for model in models if evaluation.figure(model, Measure.PAIR_AUC) is not None]
    if not measured:
        return Conclusions(
            "Nothing can be concluded: no listener has both a like and a dislike of one station in the test.",
            None,
            (),
            (),
        )
    values = evaluation.paired(Measure.PAIR_AUC, measured)
    overall, pairs = friedman(values), wilcoxon_holm(values, measured)
    notes = tuple(test for test in (overall, pairs) if isinstance(test, str))
    tested = pairs if isinstance(pairs, tuple) else ()
    return Conclusions(
        sentence=_sentence(evaluation, measured, tested),
        friedman=json_object({"metric": Measure.PAIR_AUC.key, **json_object(overall)})
        if isinstance(overall, Friedman)
        else None,
        wilcoxon=tuple(
            json_object(
                {
                    "metric": Measure.PAIR_AUC.key,
                    "pair": f"{pair.first} vs {pair.second}",
                    **json_object(pair),
                }
            )
            for pair in tested
        ),
        notes=notes,
    )


def _sentence(evaluation: Evaluation, models: Sequence[str], pairs: Sequence[Pair]) -> str:
    def height(model: str) -> float:
        figure = evaluation.figure(model, Measure.PAIR_AUC)
        assert figure is not None
        return figure.mean

    ranked = sorted(models, key=lambda model: -height(model))
    best = ranked[0]
    figure = evaluation.figure(best, Measure.PAIR_AUC)
    assert figure is not None
    said = f"Highest pair AUC: {best}, {figure.mean:.3f}{_bounds(figure.low, figure.high)}"
    if len(ranked) == 1:
        return f"{said}; nothing was measured beside it."
    if best == REFERENCE:
        said += f"; no other model is above it, {ranked[1]} comes next"
        return f"{said}, {_distance(evaluation, best, ranked[1], pairs)}."
    rival = REFERENCE if REFERENCE in models else ranked[1]
    sentence = f"{said}; {_distance(evaluation, best, rival, pairs)}."
    alike = [model for model in ranked[1:] if model != rival and _undecided(evaluation, best, model, pairs)]
    if alike:
        sentence += f" Not told apart from it: {', '.join(alike)}."
    return sentence


def _distance(evaluation: Evaluation, best: str, rival: str, pairs: Sequence[Pair]) -> str:
    difference = evaluation.difference(best, rival, Measure.PAIR_AUC)
    assert difference is not None
    parts = [f"{difference.mean:.3f} above {rival}{_bounds(difference.low, difference.high)}"]
    if difference.probability_better is not None:
        share = difference.probability_better
        parts.append("better in all resamples" if share == 1.0 else f"better in {share:.1%} of the resamples")
    pair = _pair(best, rival, pairs)
    if pair is not None:
        corrected = f" after Holm's correction over {len(pairs)} pairs" if len(pairs) > 1 else ""
        parts.append(f"Wilcoxon p = {pair.p_holm:.2g}{corrected}")
    parts.append(_judgement(difference, pair))
    return ", ".join(parts)


def _judgement(difference: Difference, pair: Pair | None) -> str:
    """Both the interval and, where there is one, the test have to agree before a difference is claimed."""
    if difference.probability_better is None:
        return "too little to say how sure"
    verdicts = {difference.probability_better >= CERTAIN, *(() if pair is None else (pair.p_holm < SIGNIFICANT,))}
    if len(verdicts) > 1:
        return "on which the two do not agree: it stays open"
    return "a difference that holds" if verdicts == {True} else "which may be chance"


def _undecided(evaluation: Evaluation, best: str, model: str, pairs: Sequence[Pair]) -> bool:
    pair = _pair(best, model, pairs)
    if pair is not None:
        return pair.p_holm >= SIGNIFICANT
    difference = evaluation.difference(best, model, Measure.PAIR_AUC)
    return difference is None or difference.probability_better is None or difference.probability_better < CERTAIN


def _pair(one: str, other: str, pairs: Sequence[Pair]) -> Pair | None:
    return next((pair for pair in pairs if {pair.first, pair.second} == {one, other}), None)


def _bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % {low:.3f} to {high:.3f})"
