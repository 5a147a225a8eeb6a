"""One model of an experiment over ``p_hard``, trained with one seed and measured: what is kept of it until the run ends."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from threadpoolctl import threadpool_limits

from recommender.baselines import build
from recommender.datasets.dataset import Dataset
from recommender.evaluation.metric_names import LIST_LENGTH
from recommender.evaluation.metrics import full_ranks, top
from recommender.evaluation.protocol import evaluate
from recommender.evaluation.query_states import MOST_ROWS, State, States
from recommender.evaluation.splits import Part as Share
from recommender.evaluation.splits import Split
from recommender.experiments.config import splits
from recommender.experiments.json_values import finite
from recommender.experiments.measurements import ModelMeasurement, from_bytes, to_bytes
from recommender.experiments.p_hard_config import PHardConfig, Tracks
from recommender.interfaces import Recommender
from recommender.sequence.negatives import NegativeCounts
from recommender.training.sequential import EpochReport
from recommender.training.sequential_recommender import SequentialRecommender, epochs_to_convergence

BOOTSTRAP_SEED = 0
"""The same draws for every model, seed and run, so that all of them can be compared in pairs."""
DECILES = 10
MOST_RANKED = 1000
"""Listeners whose whole ranking is looked at by popularity; a mean over more does not move in its third digit."""


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement that is to be made; ``p_hard`` None for a model that stands beside."""

    model: str
    p_hard: float | None
    seed: int
    fold: int

    @property
    def file(self) -> str:
        """Name of the part it is kept in."""
        what = self.model if self.p_hard is None else f"p-hard-{self.p_hard:g}"
        return f"{what}-seed-{self.seed}-fold-{self.fold}"


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """How a training went.

    Attributes:
        epochs: to convergence; None without a validation pair.
        best_epoch: whose weights were kept.
        loss, validation_auc: of each epoch.
        negatives: where all negative targets came from.
    """

    epochs: int | None
    best_epoch: int
    loss: tuple[float, ...]
    validation_auc: tuple[float | None, ...]
    negatives: NegativeCounts


@dataclass(frozen=True, slots=True)
class ByPopularity:
    """Tracks by how much feedback they got in the past, in tenths of the catalogue, the least popular first.

    Attributes:
        place: mean place of the tenth's tracks in the whole ranking, 0 first to 1 last.
        listed: share of the places in the lists of ten that went to the tenth.
    """

    place: tuple[float, ...]
    listed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TrainedPart:
    """What is kept of one model."""

    measurement: ModelMeasurement
    course: LearningCurve | None
    popularity: ByPopularity | None


@dataclass(frozen=True, slots=True)
class _Beside:
    course: LearningCurve | None
    popularity: ByPopularity | None


def measure_part(dataset: Dataset, question: PHardConfig, task: Task) -> TrainedPart:
    """Train, measure, and rank by popularity. One thread, so that sums come out the same every time.

    Raises:
        ValueError: there is nothing to train on.
    """
    split = splits(dataset.log, question.split, task.seed, ordered=dataset.ordered)[task.fold]
    with threadpool_limits(1):
        recommender = _recommender(dataset, question, task)
        evaluation = evaluate(
            [recommender],
            split,
            state=question.state,
            candidates=question.candidates,
            seed=BOOTSTRAP_SEED,
            most_listeners=question.most_listeners,
        )
        popularity = by_popularity(recommender, split)
    course = course_of(recommender.course) if isinstance(recommender, SequentialRecommender) else None
    return TrainedPart(ModelMeasurement(task.model, task.seed, evaluation, None), course, popularity)


def _recommender(dataset: Dataset, question: PHardConfig, task: Task) -> Recommender:
    if task.p_hard is None:
        return build(task.model, seed=task.seed)
    content = dataset.content if question.tracks is Tracks.CONTENT else None
    return SequentialRecommender(question.config_for(task.p_hard), seed=task.seed, content=content, name=task.model)


def course_of(reports: tuple[EpochReport, ...]) -> LearningCurve:
    """A training in figures; ``reports`` has at least one epoch."""
    known = [(report.validation_auc, -report.epoch) for report in reports if report.validation_auc is not None]
    negatives = NegativeCounts()
    for report in reports:
        negatives = negatives + report.negatives
    return LearningCurve(
        epochs=epochs_to_convergence(reports),
        best_epoch=-max(known)[1] if known else reports[-1].epoch,
        loss=tuple(report.loss for report in reports),
        validation_auc=tuple(report.validation_auc for report in reports),
        negatives=negatives,
    )


def by_popularity(recommender: Recommender, split: Split) -> ByPopularity | None:
    """Where tracks of each tenth of popularity come in the listeners' rankings (Mei et al. 2024, section 6.2).

    Every listener of the test is asked once a station, in the state at the cut; what they heard before takes part.

    Args:
        recommender: fitted on the past of the split.
        split: what is past and what is test.

    Returns:
        None with fewer tracks than tenths, or nobody to ask.
    """
    tracks = split.log.tracks
    states = States(split, State.FROZEN, MOST_RANKED, MOST_ROWS, BOOTSTRAP_SEED)
    if tracks < DECILES or not len(states):
        return None
    tenth = tenths(np.bincount(split.log.track[split.part != Share.TEST], minlength=tracks))
    size = np.bincount(tenth, minlength=DECILES)
    place, listed, asked = np.zeros(DECILES), np.zeros(DECILES), 0
    everything = np.arange(tracks)
    for own in states:
        for context in own.contexts:
            scores = recommender.score(context)
            ranks = (full_ranks(scores, everything) - 1.0) / (tracks - 1)
            place += np.bincount(tenth, ranks, minlength=DECILES) / size
            listed += np.bincount(tenth[top(scores, LIST_LENGTH)], minlength=DECILES) / min(LIST_LENGTH, tracks)
            asked += 1
    return ByPopularity(tuple((place / asked).tolist()), tuple((listed / asked).tolist()))


def tenths(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Tenth (n,) of each track by its count, 0 the least; tracks that tie are divided by their number."""
    order = np.argsort(counts, kind="stable")
    place = np.empty(len(counts), np.int64)
    place[order] = np.arange(len(counts))
    return place * DECILES // len(counts)


def part_to_bytes(part: TrainedPart) -> tuple[bytes, bytes]:
    """The measurement, and the rest as JSON."""
    beside = json.dumps(finite(_Beside(part.course, part.popularity)), allow_nan=False)
    return to_bytes(part.measurement), beside.encode()


def part_from_bytes(measurement: bytes | None, beside: bytes | None) -> TrainedPart | None:
    """Read what :func:`part_to_bytes` wrote; None for anything missing or damaged, which is then made again."""
    found = None if measurement is None else from_bytes(measurement)
    if found is None or beside is None:
        return None
    try:
        rest = TypeAdapter(_Beside).validate_json(beside)
    except ValueError:
        return None
    return TrainedPart(found, rest.course, rest.popularity)
