"""Retraining: from a log to a model that has been measured beside baselines and the live model, or to what is missing.

The history in time order is train | validation | gate. The content model and the transformer learn from the first part;
the second stops the training and fits the blend; how the running update learns is chosen by walking through both; the third
only measures. What is stored is the very model that was measured: it is not refitted on the gate slice afterwards, so its
figures are its own, and the next retraining's gate lies after everything this model has seen.

The transformer goes on from the live model's weights unless there is reason for a full training (:mod:`recommender.training.material`);
all else is quick and done anew each time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.configuration import ClepMode, TrainingConfig
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.promotion import judge
from recommender.evaluation.report import Report
from recommender.events import EventLog
from recommender.models.bayesian_taste import MainAxes, fit_shared
from recommender.models.blend import PRIOR_BLEND
from recommender.models.clep import ClepProblem, train_clep
from recommender.models.habit_scorer import train_habits
from recommender.models.model_card import NO_EVIDENCE, GateEvidence, Kind, Lineage, Metric, Model, ModelCard
from recommender.models.model_scorer import Catalogue, ModelScorer
from recommender.models.online_update import UpdateSettings
from recommender.models.registry import Library, sample
from recommender.models.station_scorer import UNTRAINED
from recommender.training.history_evaluation import LIVE, MODEL, GateMeasurement, measure_beside
from recommender.training.material import (
    EPOCHS,
    FEWEST_LABELS,
    FEWEST_OF_A_KIND,
    FEWEST_VECTORS,
    Material,
    Plan,
    plan_training,
    remembered,
    starting_weights,
)
from recommender.training.progress import Progress, Stage, StageProgress
from recommender.training.sequential_recommender import EpochReport, export_sequential, train_sequential
from recommender.training.tuning import fit_model_blend, tune_update, with_blend
from recommender.training.worth import Worth, worth_of

__all__ = ["FEWEST_LABELS", "FEWEST_OF_A_KIND", "FEWEST_VECTORS", "LIVE", "Progress", "TrainingResult", "retrain"]

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came of a retraining.

    Attributes:
        model: the new model, or None when there was too little history.
        promoted: whether the gate let it through.
        reason: why, in one sentence.
        missing: what is missing before a model can be trained; empty when there is one.
        report: figures on the gate slice, or None.
        positives, negatives: labelled events of the whole history.
        seconds: how long it took.
        stopped: whether it was asked to stop early.
        worth: what each part of the model is worth for this listener; empty without a model.
    """

    model: Model | None
    promoted: bool
    reason: str
    missing: tuple[str, ...]
    report: Report | None
    positives: int
    negatives: int
    seconds: float
    stopped: bool
    worth: tuple[Worth, ...] = ()


def retrain(
    log: EventLog,
    catalogue: Catalogue,
    config: TrainingConfig,
    live: Model | None,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    *,
    full: bool = False,
    evidence: GateEvidence = NO_EVIDENCE,
) -> TrainingResult:
    """Train a model on the log, measure it on the newest slice, and say whether it may go live.

    Args:
        log: the whole history; its indices are the catalogue's.
        catalogue: tracks, stations and content vectors.
        config: what to train; the same log, catalogue, configuration and live model give the same model.
        live: the model in use, or None.
        on_progress: told about every step.
        should_stop: asked after every step; from its first yes on the best so far is kept, blended and measured on less.
        full: whether the sequence is to be trained from scratch, whatever the live model knows.
        evidence: of the gate, from the newest model's card.

    Returns:
        The result; too little history is a result that says what is missing, not an error.

    Raises:
        ValueError: when log, catalogue or configuration do not fit together.
    """
    started = time.monotonic()
    material = Material.of(log, catalogue, config.clep.most_songs)
    result = TrainingResult(
        model=None,
        promoted=False,
        reason="There is too little feedback to learn from yet.",
        missing=material.missing(),
        report=None,
        positives=log.positives,
        negatives=log.negatives,
        seconds=0.0,
        stopped=False,
    )
    if not result.missing:
        usable = live if live is not None and live.card.frontend == catalogue.frontend else None
        plan = plan_training(log, material.split.train, config, usable, full=full)
        threads = torch.get_num_threads()
        # Two threads are slower than one on networks this small, and the music needs the other.
        torch.set_num_threads(1)
        try:
            model, measurement, worth = _Run(
                material, config, usable, plan, evidence, StageProgress(on_progress), should_stop
            ).run()
        finally:
            torch.set_num_threads(threads)
        result = replace(
            result,
            model=model,
            promoted=model.card.promoted,
            reason=model.card.reason,
            report=measurement.evaluation.report,
            worth=worth,
        )
    return replace(result, seconds=time.monotonic() - started, stopped=should_stop())


class _Run:
    """One retraining: its inputs, and its steps in their order."""

    def __init__(
        self,
        material: Material,
        config: TrainingConfig,
        live: Model | None,
        plan: Plan,
        evidence: GateEvidence,
        teller: StageProgress,
        should_stop: Callable[[], bool],
    ) -> None:
        self._material = material
        self._config = config
        self._live = live
        self._plan = plan
        self._evidence = evidence
        self._teller = teller
        self._should_stop = should_stop

    def run(self) -> tuple[Model, GateMeasurement, tuple[Worth, ...]]:
        """Train, tune, blend, measure, judge."""
        material = self._material
        arrays: Arrays = {
            "content.mean": material.standardisation.mean,
            "content.scale": material.standardisation.scale,
            **sample(Library(material.catalogue.track_ids, material.catalogue.vectors)),
            **train_habits(material.split.train, material.catalogue.habits),
            **self._train_content(),
            **self._train_sequence(),
        }
        model = Model(self._card(self._tune_update()), arrays)
        model = self._blend(model)
        measurement = self._measure(model)
        scorer = ModelScorer(model, material.catalogue)
        worth = worth_of(scorer, material.log, material.split.gate, self._should_stop, self._config.seed)
        return _judged(model, measurement, self._live is not None, self._evidence), measurement, worth

    def _train_content(self) -> Arrays:
        material, config = self._material, self._config.clep
        self._teller.begin(Stage.CONTENT)
        if config.mode is ClepMode.BEST:
            taste = fit_shared(MainAxes.of(material.content[material.heard]), [material.opinions()])
            self._teller.step(1, 1)
            return {**taste.export()}
        train, validation = material.songs(material.split.train), material.songs(material.split.validation)
        problem = ClepProblem(train, validation, config.variant, self._config.seed)
        return {**train_clep([problem], config, self._teller.step, self._should_stop).export(0)}

    def _train_sequence(self) -> Arrays:
        material, plan, config = self._material, self._plan, self._config.sequential
        self._teller.begin(Stage.SEQUENCE)

        def report(epoch: EpochReport) -> None:
            self._teller.step(epoch.epoch, epoch.epochs, epoch.loss, epoch.validation_auc)

        start = None
        if plan.parent is not None:
            start = starting_weights(plan.parent, material.catalogue, plan.rows)
            config = replace(config, epochs=min(config.epochs, EPOCHS))
        trained = train_sequential(
            train=plan.rows,
            validation=material.split.validation,
            content=material.content,
            config=config,
            seed=self._config.seed,
            on_epoch=report,
            should_stop=self._should_stop,
            start=start,
        )
        heard = np.flatnonzero(trained.items.row)
        arrays: Arrays = {
            **export_sequential(trained),
            "track_ids": material.catalogue.track_ids[heard].astype(np.int64),
            "station_ids": material.catalogue.station_ids[: trained.network.stations].astype(np.int64),
        }
        return arrays if plan.parent is None else remembered(arrays, plan.parent, material.catalogue)

    def _tune_update(self) -> UpdateSettings:
        self._teller.begin(Stage.UPDATE)
        return tune_update(self._material.seen, self._material.catalogue, self._teller.step, self._should_stop).settings

    def _blend(self, model: Model) -> Model:
        material = self._material
        self._teller.begin(Stage.BLEND)
        scorer = ModelScorer(model, material.catalogue)
        blend = fit_model_blend(
            scorer, material.log, material.split, self._config.seed, self._teller.step, self._should_stop
        )
        return with_blend(model, blend)

    def _measure(self, model: Model) -> GateMeasurement:
        self._teller.begin(Stage.EVALUATION)
        scorer = ModelScorer(model, self._material.catalogue)
        found = measure_beside(
            scorer,
            self._live,
            self._material.log,
            float(self._material.split.gate.time[0]),
            self._config.seed,
            self._teller.step,
            self._should_stop,
        )
        self._teller.step(1, 1, metric=found.evaluation.report.mean(MODEL, Measure.PAIR_AUC))
        return found

    def _card(self, update: UpdateSettings) -> ModelCard:
        split = self._material.split
        seen = split.validation if len(split.validation) else split.train
        return ModelCard(
            version="",
            created=datetime.now(UTC).isoformat(timespec="microseconds"),
            frontend=self._material.catalogue.frontend,
            configuration=self._config,
            blend=PRIOR_BLEND,
            update=update,
            lineage=self._lineage(),
            libraries=tuple((name, version(name)) for name in ("numpy", "scipy", "torch")),
            seen_until=float(seen.time[-1]),
            rows=split.train.positives + split.train.negatives,
            metrics=(),
            promoted=False,
            reason="",
            sha256="",
        )

    def _lineage(self) -> Lineage:
        plan, log, live = self._plan, self._material.log, self._plan.parent
        return Lineage(
            kind=plan.kind,
            why=plan.why,
            parent="" if live is None else live.card.version,
            new_rows=plan.new_rows,
            replayed_rows=plan.replayed_rows,
            log_rows=len(log),
            log_labels=log.positives + log.negatives,
            full_rows=len(log) if plan.kind is Kind.FULL or live is None else live.card.lineage.full_rows,
            trained_until=float(self._material.split.train.time[-1]),
        )


def _judged(model: Model, measurement: GateMeasurement, has_live: bool, evidence: GateEvidence) -> Model:  # noqa: FBT001 - a fact
    """The model with its figures and the gate's verdict on its card."""
    evaluation = measurement.evaluation
    verdict = judge(evaluation, MODEL, LIVE if has_live else None, [UNTRAINED], evidence)
    metrics = tuple(Metric(row.model, str(row.metric), row.mean, row.low, row.high) for row in evaluation.report.rows)
    card = replace(model.card, metrics=metrics, promoted=verdict.promoted, reason=verdict.reason, gate=verdict.evidence)
    return Model(card, model.arrays)
