"""The data of the comparison: one split, written once for all contenders, and one way to measure what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.training.exchange import Rows
from recommender.baselines import build
from recommender.datasets.opening import open_dataset
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.protocol import EvaluationPlan, evaluate, measured
from recommender.evaluation.report import Evaluation
from recommender.evaluation.report_builder import average, tabulate
from recommender.evaluation.splits import Part, Split, split_listener_last
from recommender.events import EventLog
from recommender.experiments.run_config import fitting_candidates
from recommender.interfaces import Context, Recommender

MOVIELENS = Path(__file__).parents[3] / "shared" / "feedback" / "ml100k" / "ml-100k.inter"
MEASURES = (Measure.NDCG, Measure.PAIR_AUC, Measure.HIT_RATE, Measure.GINI, Measure.COVERAGE)
BESIDE = ("like-rate", "popularity")
"""Plain models that no figure should be read without."""
BELOW = 1.0
"""How far below a listener's lowest score the tracks come that a contender has no score for."""


@dataclass(frozen=True, slots=True)
class Material:
    """A data set and its split: the newest fifth of each listener's rows is the test, a tenth of the rest the validation."""

    name: str
    split: Split

    @property
    def listeners(self) -> int:
        """How many there are."""
        return int(self.split.log.listener.max()) + 1

    @property
    def tracks(self) -> int:
        """How many there are."""
        return self.split.log.tracks

    def rows(self, part: Part) -> Rows:
        """The rows of a part."""
        log, rows = self.split.log, np.flatnonzero(self.split.part == part)
        return Rows(log.listener[rows], log.track[rows], log.label[rows], rows)

    def write(self, folder: Path) -> None:
        """Leave the rows where a contender looks for them; the test is not among them."""
        self.rows(Part.TRAIN).save(folder / "train.npz")
        self.rows(Part.VALIDATION).save(folder / "validation.npz")


def material_of(path: Path) -> Material:
    """Read MovieLens and split it as ``player experiment p-hard`` does.

    Raises:
        DatasetError: the file is missing, damaged, or something else.
    """
    dataset = open_dataset(f"movielens:{path}")
    return Material(f"MovieLens ({path.name})", split_listener_last(dataset.log))


class ScoreMatrix:
    """The answer of a contender as a recommender, so that the protocol measures it like any other.

    Args:
        name: what tables call it.
        scores: (listeners, tracks), NaN where it has no opinion: such tracks come last, all alike.
    """

    def __init__(self, name: str, scores: NDArray[np.float32]) -> None:
        self.name = name
        self._scores = with_unknown_last(scores)

    def fit(self, log: EventLog) -> None:
        """It is fitted already."""

    def score(self, context: Context) -> NDArray[np.float32]:
        """The listener's row; the history is what the contender was given."""
        return self._scores[context.listener]

    def explain(self, context: Context, track: int) -> str:
        """State the score."""
        return f"scored {self._scores[context.listener, track]:.3f} by {self.name}"


def with_unknown_last(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores with each row's NaN ``BELOW`` the lowest that is known; a row without any is all zeros."""
    known = np.isfinite(scores)
    lowest = np.where(known, scores, np.inf).min(axis=1, keepdims=True)
    lowest = np.where(np.isfinite(lowest), lowest, BELOW)
    return np.where(known, scores, lowest - BELOW).astype(np.float32)


def ndcg_on_validation(material: Material, scores: NDArray[np.float32]) -> float:
    """What configurations are chosen by: the test's own measure, one step earlier."""
    split = material.split.for_selection
    evaluation = evaluate(
        [ScoreMatrix("tried", scores)],
        split,
        measures=[Measure.NDCG],
        candidates=fitting_candidates(split.log),
        resamples=2,
    )
    return evaluation.report.mean("tried", Measure.NDCG) or 0.0


def measure(material: Material, answers: Mapping[str, Sequence[NDArray[np.float32]]]) -> Evaluation:
    """All contenders' answers and the plain models on the test.

    Args:
        material: what was answered about.
        answers: by contender, the scores of each seed; all have the same number.
    """
    (seeds,) = {len(each) for each in answers.values()}

    def recommenders(seed: int) -> list[Recommender]:
        trained = [ScoreMatrix(name, scores[seed]) for name, scores in answers.items()]
        return [*trained, *(build(name, seed=seed) for name in BESIDE)]

    log = material.split.log
    plan = EvaluationPlan(measures=MEASURES, candidates=fitting_candidates(log))
    return tabulate(average([measured(recommenders(seed), material.split, plan) for seed in range(seeds)]))
