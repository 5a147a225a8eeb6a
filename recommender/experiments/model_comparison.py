"""Models compared on any data set: every one of a roster measured, their differences tested, and what can be concluded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from recommender.baselines import TrackFacts
from recommender.datasets.dataset import Dataset
from recommender.evaluation.bootstrap import Difference
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.query_states import State
from recommender.evaluation.report import Evaluation, Report
from recommender.evaluation.splits import Split
from recommender.evaluation.statistics import Friedman, Pair, friedman, wilcoxon_holm
from recommender.experiments.figures import comparison_drawings
from recommender.experiments.json_values import JsonObject, json_object
from recommender.experiments.measurements import (
    BOOTSTRAP_SEED,
    ModelMeasurement,
    ResultRow,
    averaged,
    pooled_auc,
    result_rows,
    together,
)
from recommender.experiments.records import Record, fingerprint_of_dataset
from recommender.experiments.run_config import (
    PLAIN,
    Content,
    ExperimentConfig,
    Roster,
    Settings,
    SplitName,
    is_seeded,
)
from recommender.experiments.runner import Progress, Study, dataset_facts, measure_models
from recommender.experiments.store import Finding, RunStore, Workspace, conduct
from recommender.interfaces import Recommender

RAW_FEATURES = frozenset({"mssd"})
"""Kinds whose content vectors are columns in units of their own, which have to be standardised."""
COMPARED = (Measure.PAIR_AUC, Measure.NDCG)
"""What differences are stated of."""


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
    """What a comparison gives; as JSON it is what a record holds."""

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


def compare_models(
    store: RunStore,
    dataset: Dataset,
    config: ExperimentConfig,
    *,
    roster: Roster = PLAIN,
    jobs: int = 1,
    on_progress: Progress | None = None,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Measure the models, test their differences, and keep the record.

    Args:
        store: where records are kept.
        dataset: as the configuration names it, with content vectors where there are any.
        config: everything else that determines the figures.
        roster: where its models come from.
        jobs: measurements at once, each in a process of its own; they change the time, not the figures.
        on_progress: told how far it is.
        resume: whether an interrupted run of the same configuration is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: there is nothing to measure on, or the record cannot be stored.
    """

    def study(workspace: Workspace) -> Finding:
        facts = TrackFacts(_content(dataset), dataset.artist)
        grid = Study(
            dataset,
            config,
            config.models,
            partial(_build, roster.build, facts, config.settings),
            partial(_with_pooled, config, len(dataset.listeners)),
            facts.content,
        )
        found = _results(config, measure_models(grid, workspace, on_progress, jobs), roster.reference)
        results = replace(
            found, notes=(*found.notes, *(f"Left out: {name}, which {why}." for name, why in facts.lacking.items()))
        )
        return Finding(json_object(results), dataset_facts(dataset), comparison_drawings(results.results))

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, roster.kind, json_object(config), fingerprint, study, resume=resume, repeats=repeats)


def _build(
    make: Callable[[str, TrackFacts, int, Settings], Recommender],
    facts: TrackFacts,
    settings: Settings,
    name: str,
    seed: int,
) -> Recommender:
    return make(name, facts, seed, settings)


def _with_pooled(
    config: ExperimentConfig, listeners: int, part: ModelMeasurement, recommender: Recommender, split: Split
) -> ModelMeasurement:
    if config.state is not State.FROZEN:
        return part
    return replace(part, pooled=pooled_auc(recommender, split, listeners, config.most_listeners, BOOTSTRAP_SEED))


def _content(dataset: Dataset) -> Content | None:
    content = dataset.content
    if content is None or dataset.kind not in RAW_FEATURES:
        return content
    known = content[np.isfinite(content).all(axis=1)]
    if not len(known):
        return None
    scale = known.std(axis=0)
    return ((content - known.mean(axis=0)) / np.where(scale > 0, scale, 1.0)).astype(np.float32)


def _results(config: ExperimentConfig, parts: Mapping[str, Sequence[ModelMeasurement]], reference: str) -> Results:
    """Average, compare, and say what is missing.

    Args:
        config: of the run.
        parts: all measurements by model, seed by seed.
        reference: the model that the others are compared with, where it was measured.
    """
    models = config.models
    reports = [part.evaluation.report for model in models for part in parts[model]]
    first = [parts[model][0].evaluation.report for model in models]
    averages = {model: averaged(parts[model]) for model in models}
    evaluation = together(parts, averages)
    verdict = conclude(evaluation, models)
    return Results(
        split=_split_facts(config, _of_first_seed(parts[models[0]])),
        results=tuple(row for model in models for row in result_rows(model, averages[model], len(config.seeds))),
        friedman=verdict.friedman,
        wilcoxon=verdict.wilcoxon,
        differences=_differences(evaluation, models, reference),
        by_positive_share=tuple(json_object(row) for report in first for row in report.by_positive_share),
        positive_shares=tuple(json_object(each) for each in first[0].positive_shares),
        conclusion=verdict.sentence,
        omitted=_omitted(models, parts),
        notes=(*_notes(config, reports), *verdict.notes),
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


def _of_first_seed(parts: Sequence[ModelMeasurement]) -> list[Report]:
    """One report, or one for each fold of a walk forward."""
    return [part.evaluation.report for part in parts if part.seed == parts[0].seed]


def _split_facts(config: ExperimentConfig, own: Sequence[Report]) -> JsonObject:
    """What was learned from and measured on; of the first seed, summed over the folds of a walk forward."""
    facts = own[0].split
    test = sum(report.split.test for report in own)
    return json_object(
        {
            "name": facts.name,
            "state": facts.state,
            "candidates": config.candidates,
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


def _notes(config: ExperimentConfig, reports: Sequence[Report]) -> list[str]:
    notes = list(dict.fromkeys(note for report in reports for note in report.notes))
    if len(config.seeds) > 1:
        notes.append(f"Averaged over {len(config.seeds)} seeds; counts of rows and pairs are of the first.")
    if config.split is not SplitName.RANDOM and not all(is_seeded(model) for model in config.models):
        notes.append("Models without a random number are measured once: every seed gives the same.")
    return notes


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
    said = f"Highest pair AUC: {best}, {figure.mean:.3f}{_percent_bounds(figure.low, figure.high)}"
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
    parts = [f"{difference.mean:.3f} above {rival}{_percent_bounds(difference.low, difference.high)}"]
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


def _percent_bounds(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % {low:.3f} to {high:.3f})"
