"""What a run of the baselines gives: a table, tests, a conclusion, and what has to be said beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation, Report
from recommender.experiments.conclusion import conclude
from recommender.experiments.config import ExperimentConfig, SplitName
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import POOLED, Averaged, ModelMeasurement
from recommender.experiments.model_sets import UNSEEDED

COMPARED = (Measure.PAIR_AUC, Measure.NDCG)
"""What differences are stated of."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One figure of one model."""

    model: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """How far the model that all are compared with is ahead of another one, in the same resamples of listeners."""

    model: str
    rival: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    probability_better: float | None


@dataclass(frozen=True, slots=True)
class Results:
    """What a run of the baselines gives; as JSON it is what a record holds."""

    split: JsonObject
    results: tuple[ResultRow, ...]
    friedman: JsonObject | None
    wilcoxon: tuple[JsonObject, ...]
    differences: tuple[DifferenceRow, ...]
    by_positive_share: tuple[JsonObject, ...]
    positive_shares: tuple[JsonObject, ...]
    conclusion: str
    omitted: tuple[str, ...]
    notes: tuple[str, ...]


def results_of(
    question: ExperimentConfig,
    parts: Mapping[str, Sequence[ModelMeasurement]],
    together: Mapping[str, Averaged],
    reference: str,
) -> Results:
    """Average, compare, and say what is missing.

    Args:
        question: what was asked.
        parts: all measurements by model, seed by seed.
        together: the same averaged.
        reference: the model that the others are compared with, where it was measured.
    """
    models = question.models
    reports = [part.evaluation.report for model in models for part in parts[model]]
    first = [parts[model][0].evaluation.report for model in models]
    evaluation = Evaluation(
        first[0],
        together[models[0]].listeners,
        {(model, measure): figure for model in models for measure, figure in together[model].figures.items()},
    )
    verdict = conclude(evaluation, models)
    return Results(
        split=_split_facts(question, _of_first_seed(parts[models[0]])),
        results=tuple(row for model in models for row in _rows(model, together[model], len(question.seeds))),
        friedman=verdict.friedman,
        wilcoxon=verdict.wilcoxon,
        differences=_differences(evaluation, models, reference),
        by_positive_share=tuple(json_object(row) for report in first for row in report.by_positive_share),
        positive_shares=tuple(json_object(each) for each in first[0].positive_shares),
        conclusion=verdict.sentence,
        omitted=_omitted(models, parts),
        notes=(*_notes(question, reports), *verdict.notes),
    )


def _differences(evaluation: Evaluation, models: Sequence[str], reference: str) -> tuple[DifferenceRow, ...]:
    rows: list[DifferenceRow] = []
    for measure in COMPARED:
        for rival in models:
            found = evaluation.difference(reference, rival, measure) if rival != reference else None
            if found is not None:
                bounds = (found.mean, found.low, found.high, found.probability_better)
                rows.append(DifferenceRow(reference, rival, measure.key, *bounds))
    return tuple(rows)


def _rows(model: str, found: Averaged, seeds: int) -> list[ResultRow]:
    rows = [
        ResultRow(model, measure.key, figure.mean, figure.low, figure.high, seeds)
        for measure, figure in found.figures.items()
    ]
    if found.pooled is not None:
        pooled = found.pooled
        rows.insert(
            1 if Measure.PAIR_AUC in found.figures else 0,
            ResultRow(model, POOLED, pooled.mean, pooled.low, pooled.high, seeds),
        )
    return rows


def _of_first_seed(parts: Sequence[ModelMeasurement]) -> list[Report]:
    """One report, or one for each fold of a walk forward."""
    return [part.evaluation.report for part in parts if part.seed == parts[0].seed]


def _split_facts(question: ExperimentConfig, own: Sequence[Report]) -> JsonObject:
    """What was learned from and measured on; of the first seed, summed over the folds of a walk forward."""
    facts = own[0].split
    test = sum(report.split.test for report in own)
    return json_object(
        {
            "name": facts.name,
            "state": facts.state,
            "candidates": question.candidates,
            "ordered": facts.ordered,
            "folds": len(own),
            "train": max(report.split.train for report in own),
            "validation": max(report.split.validation for report in own),
            "test": test,
            "cold_share": sum(report.split.cold_share * report.split.test for report in own) / test,
            "cold_listener_share": sum(report.split.cold_listener_share * report.split.test for report in own) / test,
            "listeners": max(report.listeners for report in own),
            "listeners_with_pairs": max(report.listeners_with_pairs for report in own),
            "positives": sum(report.positives for report in own),
            "negatives": sum(report.negatives for report in own),
            "pairs": sum(report.pairs for report in own),
        }
    )


def _omitted(models: Sequence[str], parts: Mapping[str, Sequence[ModelMeasurement]]) -> tuple[str, ...]:
    """Why figures are missing, naming the models where it is not all of them."""
    who: dict[str, list[str]] = {}
    for model in models:
        for sentence in dict.fromkeys(text for part in parts[model] for text in part.evaluation.report.omitted):
            who.setdefault(sentence, []).append(model)
    return tuple(
        sentence if len(of) == len(models) else f"{sentence} (of {', '.join(of)})" for sentence, of in who.items()
    )


def _notes(question: ExperimentConfig, reports: Sequence[Report]) -> list[str]:
    notes = list(dict.fromkeys(note for report in reports for note in report.notes))
    if len(question.seeds) > 1:
        notes.append(f"Averaged over {len(question.seeds)} seeds; counts of rows and pairs are of the first.")
    if question.split is not SplitName.RANDOM and any(model in UNSEEDED for model in question.models):
        notes.append("Models without a random number are measured once: every seed gives the same.")
    return notes
