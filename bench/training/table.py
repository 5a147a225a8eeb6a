"""What is printed and what the JSON holds: figures with intervals, costs, and our eSASRec against each of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bench.training.material import MEASURES
from bench.training.running import Answer
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation

COMPARED = (Measure.NDCG, Measure.PAIR_AUC)
MODEL = "esasrec"
"""Whom the others are compared with."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the trainings of a contender cost, averaged over the seeds.

    Attributes:
        model: who.
        epochs: trained.
        seconds_per_epoch: of processor time.
        fastest, slowest: the same of the fastest and the slowest seed.
        clock_per_epoch: by the clock.
        targets: predictions an epoch trains.
        seconds: of processor time for the whole process.
        megabytes: held at most, by the largest.
        out_of_time: seeds whose training the limit ended.
        validated_apart: whether validation is not in the time of an epoch.
    """

    model: str
    epochs: float
    seconds_per_epoch: float
    fastest: float
    slowest: float
    clock_per_epoch: float
    targets: int
    seconds: float
    megabytes: float
    out_of_time: int
    validated_apart: bool


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our eSASRec's processor time over another's: below 1 ours is the faster one."""

    rival: str
    per_epoch: float
    per_target: float
    total: float


def cost_of(model: str, answers: Sequence[Answer]) -> Cost:
    """The costs of the trainings of one contender, one a seed."""
    seconds = [float(np.mean(answer.course.epochs)) for answer in answers]
    return Cost(
        model=model,
        epochs=float(np.mean([len(answer.course.epochs) for answer in answers])),
        seconds_per_epoch=float(np.mean(seconds)),
        fastest=min(seconds),
        slowest=max(seconds),
        clock_per_epoch=float(np.mean([np.mean(answer.course.clock) for answer in answers])),
        targets=answers[0].course.targets,
        seconds=float(np.mean([answer.processor for answer in answers])),
        megabytes=max(answer.megabytes for answer in answers),
        out_of_time=sum(answer.course.out_of_time for answer in answers),
        validated_apart=all(answer.course.validated_apart for answer in answers),
    )


def ratios(costs: Sequence[Cost]) -> list[Ratio]:
    """Our eSASRec against each of the others; none without it."""
    own = next((cost for cost in costs if cost.model == MODEL), None)
    if own is None:
        return []
    return [
        Ratio(
            cost.model,
            own.seconds_per_epoch / cost.seconds_per_epoch,
            (own.seconds_per_epoch / own.targets) / (cost.seconds_per_epoch / cost.targets),
            own.seconds / cost.seconds,
        )
        for cost in costs
        if cost.model != MODEL
    ]


def figures(evaluation: Evaluation, by_seed: Sequence[Evaluation]) -> list[dict[str, object]]:
    """Each figure with its interval over listeners, and the same of each seed alone."""
    return [
        {
            "model": row.model,
            "metric": row.metric.key,
            "mean": row.mean,
            "low": row.low,
            "high": row.high,
            "by_seed": [each.report.mean(row.model, row.metric) for each in by_seed],
        }
        for row in evaluation.report.rows
    ]


def comparisons(evaluation: Evaluation) -> list[dict[str, object]]:
    """Our eSASRec minus each other model in the same resamples of the listeners."""
    if MODEL not in evaluation.models:
        return []
    rivals = [model for model in evaluation.models if model != MODEL]
    found = [(rival, measure, evaluation.difference(MODEL, rival, measure)) for measure in COMPARED for rival in rivals]
    return [
        {"model": MODEL, "rival": rival, "metric": measure.key, **asdict(difference)}
        for rival, measure, difference in found
        if difference is not None
    ]


def print_figures(evaluation: Evaluation, by_seed: Sequence[Evaluation]) -> None:
    """A line for each model: the mean over listeners and seeds, the interval over listeners, the span over seeds."""
    print(f"\n{'':16}" + "".join(f"{measure:>40}" for measure in COMPARED) + f"{'HR@10':>8}{'Gini@10':>9}{'cover.':>8}")
    for model in evaluation.models:
        cells = "".join(_cell(evaluation, by_seed, model, measure) for measure in COMPARED)
        rest = [evaluation.report.mean(model, measure) for measure in MEASURES if measure not in COMPARED]
        hit, gini, coverage = ("–" if value is None else f"{value:.3f}" for value in rest)
        print(f"{model:16}{cells}{hit:>8}{gini:>9}{coverage:>8}")


def print_costs(costs: Sequence[Cost]) -> None:
    """A line for each contender."""
    print(
        f"\n{'':16}{'s/epoch':>9}{'seeds':>16}{'clock':>8}{'epochs':>8}{'targets':>9}{'µs/target':>11}{'s in all':>10}{'MB':>7}"
    )
    for cost in costs:
        remarks = [
            f"{cost.out_of_time} ended by the limit" if cost.out_of_time else "",
            "" if cost.validated_apart else "epochs with their validation",
        ]
        print(
            f"{cost.model:16}{cost.seconds_per_epoch:9.3f}{f'{cost.fastest:.3f} to {cost.slowest:.3f}':>16}"
            f"{cost.clock_per_epoch:8.3f}{cost.epochs:8.1f}{cost.targets:9,}"
            f"{1e6 * cost.seconds_per_epoch / cost.targets:11.1f}{cost.seconds:10.1f}{cost.megabytes:7.0f}"
            f"  {', '.join(each for each in remarks if each)}"
        )


def print_comparisons(found: Sequence[Mapping[str, object]], times: Sequence[Ratio]) -> None:
    """Our eSASRec against each other; nothing where it took no part."""
    if not found:
        return
    print(f"\n{MODEL} against")
    by_rival = {ratio.rival: ratio for ratio in times}
    for rival in dict.fromkeys(str(each["rival"]) for each in found):
        cells = [
            f"{each['metric']} {each['mean']:+.4f} ({_bound(each['low'])} to {_bound(each['high'])})"
            for each in found
            if each["rival"] == rival
        ]
        ratio = by_rival.get(rival)
        if ratio is not None:
            cells.append(
                f"time per epoch × {ratio.per_epoch:.2f}, per target × {ratio.per_target:.2f}, in all × {ratio.total:.2f}"
            )
        print(f"  {rival:16}{'; '.join(cells)}")


def _cell(evaluation: Evaluation, by_seed: Sequence[Evaluation], model: str, measure: Measure) -> str:
    row = evaluation.report.row(model, measure)
    if row is None:
        return f"{'–':>40}"
    seeds = [value for each in by_seed if (value := each.report.mean(model, measure)) is not None]
    return (
        f"{f'{row.mean:.4f} ({_bound(row.low)} to {_bound(row.high)}) ':>29}{f'{min(seeds):.3f}–{max(seeds):.3f}':>11}"
    )


def _bound(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "–"
