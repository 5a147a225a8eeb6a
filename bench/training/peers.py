"""The sequential model beside RecTools' and RecBole's SASRec and ``implicit``: one split, one metric, equal tuning.

Each contender trains in a process of its own, the peers in environments of their own (``docs/bench-training.md``), one after the
other, all with the same number of threads. They hand back scores; everything is measured by the protocol of this project.
Time is processor time: it does not depend on what else the machine is doing; the clock's is printed beside it.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.training.contenders import ENVIRONMENTS, OURS, Contender, contenders
from bench.training.exchange import TEST, Task
from bench.training.material import MOVIELENS, Material, material_of, measure
from bench.training.running import Answer, ContenderError, run
from bench.training.table import (
    comparisons,
    cost_of,
    figures,
    print_comparisons,
    print_costs,
    print_figures,
    ratios,
)
from bench.training.tuning import Cache, Tuned, of, tune
from recommender.datasets.dataset import DatasetError

SEEDS = 3
SECONDS = 120.0
"""Processor seconds of a training while tuning: with four configurations a peer, and three seeds, twenty minutes for each part."""


def main(arguments: Sequence[str] = ()) -> None:
    """Tune what is not in the cache, train with every seed, measure, print."""
    asked = _parse(arguments)
    try:
        material = material_of(asked.dataset)
    except DatasetError as error:
        raise SystemExit(str(error)) from None
    task = Task(
        str(asked.dataset.resolve()),
        material.listeners,
        material.tracks,
        TEST,
        {},
        None,
        0,
        asked.seconds,
        asked.threads,
    )
    cache, left_out = Cache(asked.cache), dict[str, str]()
    answers: dict[str, list[Answer]] = {}
    tuned: dict[str, Tuned] = {}
    print(
        f"{material.name}: {material.listeners} listeners, {material.tracks} films; {asked.threads} thread(s); "
        f"at most {asked.seconds:g} processor seconds a trial"
    )
    taking_part = [each for each in contenders() if asked.only is None or each.name in asked.only.split(",")]
    for contender in taking_part:
        try:
            if not contender.is_ours:
                tuned[contender.name] = tune(
                    contender, material, task, cache, lambda who, what: run(who, material, what)
                )
            answers[contender.name] = _train(contender, material, task, tuned.get(contender.name), asked.seeds)
        except ContenderError as error:
            left_out[contender.name] = str(error)
            print(f"{contender.name}: left out. {error}")
    if not answers:
        raise SystemExit("No contender is left: see above for what is missing.")
    _report(material, answers, tuned, left_out, asked)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.training", description=__doc__)
    parser.add_argument("--dataset", type=Path, default=MOVIELENS, help="MovieLens ratings in any of its spellings")
    parser.add_argument("--cache", type=Path, help="JSON file that keeps the trials, so that a rerun measures only")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trainings of each contender")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor seconds of a trial")
    parser.add_argument("--threads", type=int, default=1, help="for all; ours always takes one")
    parser.add_argument("--only", help=f"names, comma-separated, such as {','.join(OURS)},implicit ALS")
    asked = parser.parse_args(arguments)
    if asked.seeds < 1:
        parser.error("--seeds: at least one")
    if asked.threads < 1:
        parser.error("--threads: at least one")
    known = [*OURS, *(model for environment in ENVIRONMENTS for model in environment.models)]
    strange = [] if asked.only is None else [name for name in asked.only.split(",") if name not in known]
    if strange:
        parser.error(f"--only: there is no {strange[0]!r}; there are {', '.join(known)}")
    return asked


def _train(contender: Contender, material: Material, task: Task, tuned: Tuned | None, seeds: int) -> list[Answer]:
    """With every seed: a peer's best configuration for its best number of epochs, ours with their own stopping.

    What a peer learns from is training and validation; ours learn from the training rows alone, for they stop by the others.
    """
    found: list[Answer] = []
    for seed in range(seeds):
        if tuned is None:
            asked = of(task, TEST, contender.configurations[0], None, seed)
        else:
            asked = of(task, TEST, tuned.best.configuration, tuned.best.epochs, seed)
        found.append(run(contender, material, _unlimited(asked)))
        print(f"  {contender.name}, seed {seed}: {found[-1].processor:.0f} s", flush=True)
    return found


def _unlimited(task: Task) -> Task:
    """The same without a limit: the number of epochs is known, or the model stops by itself."""
    return Task(**(asdict(task) | {"seconds": 1e9}))


def _report(
    material: Material,
    answers: dict[str, list[Answer]],
    tuned: dict[str, Tuned],
    left_out: dict[str, str],
    asked: argparse.Namespace,
) -> None:
    """Measure, print, and write the JSON."""
    scores = {name: [answer.scores for answer in found] for name, found in answers.items()}
    evaluation = measure(material, scores)
    by_seed = [measure(material, {name: [each[seed]] for name, each in scores.items()}) for seed in range(asked.seeds)]
    costs = [cost_of(name, found) for name, found in answers.items()]
    compared, times = comparisons(evaluation), ratios(costs)
    for name, trials in tuned.items():
        best = trials.best
        late = sum(trial.out_of_time for trial in trials.trials)
        print(
            f"\n{name}: {dict(best.configuration)}, {best.epochs} epochs, the best of {len(trials.trials)} on validation "
            f"(NDCG@10 {best.ndcg:.4f}){f'; {late} of the trials were ended by the limit' if late else ''}"
        )
    print_figures(evaluation, by_seed)
    print_costs(costs)
    print_comparisons(compared, times)
    print("\nIntervals: 95 %, listeners redrawn; beside them the lowest and the highest seed.")
    for note in evaluation.report.notes:
        print(note)
    if asked.json is not None:
        document = {
            "dataset": material.name,
            "threads": asked.threads,
            "seconds": asked.seconds,
            "seeds": asked.seeds,
            "results": figures(evaluation, by_seed),
            "costs": [asdict(cost) for cost in costs],
            "comparisons": compared,
            "time_ratios": [asdict(ratio) for ratio in times],
            "tuned": {name: asdict(trials) for name, trials in tuned.items()},
            "left_out": left_out,
            "notes": list(evaluation.report.notes),
        }
        asked.json.write_text(json.dumps(document, indent=1, allow_nan=False))
