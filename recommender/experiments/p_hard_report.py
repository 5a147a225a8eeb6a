"""The results of an experiment over ``p_hard`` put together, and which of the paper's trends they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommender.evaluation.splits import Split
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import Averaged
from recommender.experiments.p_hard_config import Mode, PHardConfig
from recommender.experiments.p_hard_results import (
    BesideRow,
    LearningCurveRow,
    NegativesRow,
    Parts,
    PHardDifference,
    PHardRow,
    PHardShare,
    PopularityRow,
    ShareBin,
    beside_rows,
    course_rows,
    difference_rows,
    figure_rows,
    negatives_row,
    popularity_rows,
    positive_shares,
    share_bins,
    share_rows,
)
from recommender.experiments.p_hard_run import TrainedPart
from recommender.experiments.p_hard_trends import Trend, trends_of
from recommender.training.sequential_recommender import name_of

REFERENCE = "like-rate"


@dataclass(frozen=True, slots=True)
class PHardResults:
    """What a run gives; as JSON it is what a record holds.

    Attributes:
        results: Fig. 1: every measure, and epochs, for every value.
        baselines: the same of what stands beside.
        differences: against the lowest value and against like-rate.
        negatives: realised shares.
        by_positive_share, positive_shares: Fig. 2.
        by_popularity: section 6.2.
        courses: validation pair AUC of every training.
        trends: which of the paper's are there.
        split: what was learned from and measured on, of the first seed.
        conclusion: in a few sentences.
        omitted, notes: what is missing, and what has to be said.
    """

    results: tuple[PHardRow, ...]
    baselines: tuple[BesideRow, ...]
    differences: tuple[PHardDifference, ...]
    negatives: tuple[NegativesRow, ...]
    by_positive_share: tuple[PHardShare, ...]
    positive_shares: tuple[ShareBin, ...]
    by_popularity: tuple[PopularityRow, ...]
    courses: tuple[LearningCurveRow, ...]
    trends: tuple[Trend, ...]
    split: JsonObject
    conclusion: str
    omitted: tuple[str, ...]
    notes: tuple[str, ...]


def results_of(
    question: PHardConfig,
    parts: Parts,
    beside: Mapping[str, Sequence[TrainedPart]],
    together: Mapping[str, Averaged],
    splits: Sequence[Split],
) -> PHardResults:
    """Average, compare, and judge.

    Args:
        question: what was asked.
        parts: every training by value.
        beside: the measurements of what stands beside.
        together: all of them averaged, by name.
        splits: all that were measured on.
    """
    curve = {p_hard: together[name_of(p_hard)] for p_hard in question.p_hard}
    others = {model: together[model] for model in beside}
    seeds = len(question.seeds)
    results = [row for p_hard in curve for row in figure_rows(curve[p_hard], p_hard, parts[p_hard], seeds)]
    differences = difference_rows(curve, others, REFERENCE)
    by_share, distribution, missing = _shares(curve, others, splits)
    by_popularity = [
        *(row for p_hard in curve for row in popularity_rows(name_of(p_hard), p_hard, parts[p_hard])),
        *(row for model in beside for row in popularity_rows(model, None, beside[model])),
    ]
    trends = trends_of(results, differences, by_popularity)
    reports = [part.measurement.evaluation.report for found in (*parts.values(), *beside.values()) for part in found]
    return PHardResults(
        results=tuple(results),
        baselines=tuple(
            row for model, found in others.items() for row in beside_rows(model, found, _seeds(beside[model]))
        ),
        differences=tuple(differences),
        negatives=tuple(negatives_row(p_hard, parts[p_hard]) for p_hard in curve),
        by_positive_share=tuple(by_share),
        positive_shares=tuple(distribution),
        by_popularity=tuple(by_popularity),
        courses=tuple(row for p_hard in curve for row in course_rows(p_hard, parts[p_hard])),
        trends=tuple(trends),
        split=_split_facts(question, parts[question.p_hard[0]][0]),
        conclusion=_conclusion(results, differences),
        omitted=(*dict.fromkeys(text for report in reports for text in report.omitted), *missing),
        notes=(*dict.fromkeys(note for report in reports for note in report.notes), *_notes(question)),
    )


def _shares(
    curve: Mapping[float, Averaged], others: Mapping[str, Averaged], splits: Sequence[Split]
) -> tuple[list[PHardShare], list[ShareBin], list[str]]:
    """Fig. 2, or why it is missing."""
    listeners = next(iter(curve.values())).listeners
    share = positive_shares(splits, listeners)
    rows = [
        *(row for p_hard, found in curve.items() for row in share_rows(name_of(p_hard), p_hard, found, share)),
        *(row for model, found in others.items() for row in share_rows(model, None, found, share)),
    ]
    missing = [] if len(listeners) > 1 else ["Accuracy by share of likes: there is one listener (Fig. 2)."]
    return ([], [], missing) if missing else (rows, share_bins(share), [])


def _seeds(parts: Sequence[TrainedPart]) -> int:
    return len({part.measurement.seed for part in parts})


def _split_facts(question: PHardConfig, part: TrainedPart) -> JsonObject:
    report = part.measurement.evaluation.report
    return json_object(
        {
            **json_object(report.split),
            "candidates": question.candidates,
            "listeners": report.listeners,
            "listeners_with_pairs": report.listeners_with_pairs,
            "positives": report.positives,
            "negatives": report.negatives,
            "pairs": report.pairs,
        }
    )


def _conclusion(results: Sequence[PHardRow], differences: Sequence[PHardDifference]) -> str:
    auc = {row.p_hard: row for row in results if row.metric == "auc"}
    if not auc:
        return "Nothing can be concluded: no listener has both a like and a dislike of one station in the test."
    best = max(auc.values(), key=lambda row: row.mean)
    said = f"Highest pair AUC at p_hard = {best.p_hard:g}: {best.mean:.3f}{_bounds(best.low, best.high)}"
    for row in differences:
        if row.metric == "auc" and row.p_hard == best.p_hard:
            way = "above" if row.mean >= 0 else "below"
            shift = f"{abs(row.mean):.3f} {way} {row.rival}"
            said += f"; {shift}{_bounds(row.low, row.high)}{_judged(row)}"
    return f"{said}."


def _bounds(low: float | None, high: float | None) -> str:
    return (
        ""
        if low is None or high is None
        else f" ({low:+.3f} to {high:+.3f})"
        if low < 0
        else f" ({low:.3f} to {high:.3f})"
    )


def _judged(row: PHardDifference) -> str:
    if row.low is None or row.high is None:
        return ", too little to say how sure"
    return "" if row.low > 0.0 or row.high < 0.0 else ", which may be chance"


def _notes(question: PHardConfig) -> list[str]:
    config = question.config
    model = (
        f"{question.mode.capitalize()} mode: {config.blocks} blocks of width {config.width} over {config.length} events"
    )
    how = (
        "one negative a position, binary cross-entropy"
        if question.mode is Mode.FAITHFUL
        else "a softmax over shared random negatives and a term of its own for the listener's real ones"
    )
    notes = [
        f"{model}, {how}, patience of {config.patience} epochs for every p_hard.",
        "Epochs: the first within .001 of the best validation pair AUC, with Student's interval over the seeds.",
    ]
    if len(question.seeds) > 1:
        notes.append(f"Averaged over {len(question.seeds)} seeds; counts of rows and pairs are of the first.")
    return notes
