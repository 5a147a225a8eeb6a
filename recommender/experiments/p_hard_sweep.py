"""Mei et al. 2024, Fig. 1 and 2, on any data set: the sequential model over the share of real negatives it is trained with.

Every (value, seed) is a training of its own, with the same schedule and patience. Like-rate and popularity stand beside.
"""

from dataclasses import replace
from functools import partial

from recommender.baselines import build
from recommender.datasets.dataset import Dataset
from recommender.evaluation.splits import Split
from recommender.experiments.figures import p_hard_drawings
from recommender.experiments.json_values import json_object
from recommender.experiments.measurements import LearningCurve, ModelMeasurement, by_popularity
from recommender.experiments.p_hard_config import PHardConfig, Tracks
from recommender.experiments.p_hard_results import p_hard_results
from recommender.experiments.records import Record, fingerprint_of_dataset
from recommender.experiments.run_config import Content
from recommender.experiments.runner import Progress, Study, dataset_facts, measure_models
from recommender.experiments.store import Finding, RunStore, Workspace, conduct
from recommender.interfaces import Recommender
from recommender.sequence.negatives import NegativeCounts
from recommender.training.sequential import EpochReport
from recommender.training.sequential_recommender import SequentialRecommender, epochs_to_convergence, name_of

KIND = "p-hard"


def run_p_hard(
    store: RunStore,
    dataset: Dataset,
    config: PHardConfig,
    *,
    jobs: int = 1,
    on_progress: Progress | None = None,
    resume: bool = True,
    repeats: str = "",
) -> Record:
    """Train and measure every value with every seed, and keep the record.

    Args:
        store: where records are kept.
        dataset: as the configuration names it.
        config: everything else that determines the figures.
        jobs: trainings at once, each in a process of its own; they change the time, not the figures.
        on_progress: told how far it is.
        resume: whether an interrupted run of the same configuration is gone on with.
        repeats: the id of the run that this one repeats.

    Raises:
        ExperimentError: there is nothing to train or to measure on, or the record cannot be stored.
    """

    def study(workspace: Workspace) -> Finding:
        grid = p_hard_study(dataset, config)
        parts = measure_models(grid, workspace, on_progress, jobs)
        results = p_hard_results(config, parts, grid.distinct_splits())
        return Finding(json_object(results), dataset_facts(dataset), p_hard_drawings(results))

    fingerprint = fingerprint_of_dataset(dataset)
    return conduct(store, KIND, json_object(config), fingerprint, study, resume=resume, repeats=repeats)


def p_hard_study(dataset: Dataset, config: PHardConfig) -> Study:
    """Every value's model, and what stands beside."""
    content = dataset.content if config.tracks is Tracks.CONTENT else None
    models = (*map(name_of, config.p_hard), *config.beside)
    return Study(dataset, config, models, partial(_build, config, content), _with_training)


def _build(config: PHardConfig, content: Content | None, name: str, seed: int) -> Recommender:
    for p_hard in config.p_hard:
        if name == name_of(p_hard):
            own = replace(config.config, p_hard=p_hard)
            return SequentialRecommender(own, seed=seed, content=content, name=name)
    return build(name, seed=seed)


def _with_training(part: ModelMeasurement, recommender: Recommender, split: Split) -> ModelMeasurement:
    curve = learning_curve(recommender.course) if isinstance(recommender, SequentialRecommender) else None
    return replace(part, training=curve, popularity=by_popularity(recommender, split))


def learning_curve(reports: tuple[EpochReport, ...]) -> LearningCurve:
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
