"""Retraining: from a log to a model that has been measured beside baselines and the live model, or to what is missing.

The history in time order is train | validation | gate. CLEP and the transformer learn from the first part; the
second stops the training and fits the blend; the third only measures. What is stored is the very model that was
measured: it is not refitted on the gate slice afterwards, so its figures are its own, and the next retraining's gate
lies after everything this model has seen.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.blend import PRIOR_BLEND, Blend, Column, Scale, fit_blend
from recommender.clep import ClepData, export_clep, train_clep
from recommender.clep_best import MainAxes, Opinions, fit_shared
from recommender.configuration import ClepMode, TrainingConfig
from recommender.evaluation.history import MODEL, baseline_recommenders, evaluate_history, split_with_pairs
from recommender.evaluation.measures import Measure
from recommender.evaluation.report import Evaluation, Report
from recommender.events import EventLog
from recommender.inference import Standardisation
from recommender.live import AsServed
from recommender.model import Metric, Model, ModelCard
from recommender.negatives import standing_labels
from recommender.promotion import judge
from recommender.scoring import Catalogue, ModelScorer
from recommender.sequential import EpochReport, export_sequential, train_sequential
from recommender.windows import NO_TARGET, next_positives

FEWEST_LABELS = 20
"""Labelled events before anything is trained: fewer cannot be split three ways."""
FEWEST_OF_A_KIND = 5
FEWEST_VECTORS = 10
"""Tracks with feedback whose sound is known, before CLEP can learn from them."""
SCALE_STATES = 50
"""States from which the spread of the sequence's scores over the library is taken."""
LIVE = "live model"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a retraining is.

    Attributes:
        stage: "content", "sequence", "blend" or "evaluation".
        step, steps: within the stage.
        loss: mean training loss of the step, where there is one.
        metric: validation pair AUC after the step, where there is one.
        seconds_left: of this stage at its pace so far, at most (it may stop early); None when unknown.
    """

    stage: str
    step: int
    steps: int
    loss: float | None
    metric: float | None
    seconds_left: float | None


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


def retrain(
    log: EventLog,
    catalogue: Catalogue,
    config: TrainingConfig,
    live: Model | None,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> TrainingResult:
    """Train a model on the log, measure it on the newest slice, and say whether it may go live.

    Args:
        log: the whole history; its indices are the catalogue's.
        catalogue: tracks, stations and content vectors.
        config: what to train; the same log, catalogue and configuration give the same model.
        live: the model in use, or None.
        on_progress: told about every step.
        should_stop: asked after every epoch; when it says yes the best so far is kept, blended and measured.

    Returns:
        The result; too little history is a result that says what is missing, not an error.

    Raises:
        ValueError: when log, catalogue or configuration do not fit together.
    """
    started = time.monotonic()
    if log.tracks != len(catalogue.track_ids):
        raise ValueError(f"the log is about {log.tracks} tracks, the catalogue has {len(catalogue.track_ids)}")
    if len(log) and log.station.max() >= len(catalogue.station_ids):
        raise ValueError(f"the log names station {log.station.max()}, the catalogue has {len(catalogue.station_ids)}")
    run = _Run(log, catalogue, config, live, on_progress, should_stop)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads are slower than one on networks this small, and the music needs the other
    try:
        missing = run.missing()
        if missing:
            return TrainingResult(
                model=None,
                promoted=False,
                reason="There is too little feedback to learn from yet.",
                missing=missing,
                report=None,
                positives=log.positives,
                negatives=log.negatives,
                seconds=time.monotonic() - started,
                stopped=False,
            )
        model, report = run.train_and_measure()
    finally:
        torch.set_num_threads(threads)
    return TrainingResult(
        model=model,
        promoted=model.card.promoted,
        reason=model.card.reason,
        missing=(),
        report=report,
        positives=log.positives,
        negatives=log.negatives,
        seconds=time.monotonic() - started,
        stopped=should_stop(),
    )


class _Run:
    """One retraining: its inputs, and its steps in their order."""

    def __init__(
        self,
        log: EventLog,
        catalogue: Catalogue,
        config: TrainingConfig,
        live: Model | None,
        on_progress: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._log = log
        self._catalogue = catalogue
        self._config = config
        self._comparable = live is not None and live.card.frontend == catalogue.frontend
        self._live = live if self._comparable else None
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._split = split_with_pairs(log)
        self._standardisation = Standardisation.of(catalogue.vectors)
        self._content = self._standardisation.apply(catalogue.vectors)
        self._heard = np.isfinite(catalogue.vectors).sum(axis=1) == catalogue.vectors.shape[1]
        self._stage_started = time.monotonic()

    def missing(self) -> tuple[str, ...]:
        """What is missing before there can be a model, a sentence each."""
        labels = self._log.positives + self._log.negatives
        missing: list[str] = []
        if labels < FEWEST_LABELS:
            more = FEWEST_LABELS - labels
            missing.append(f"{more} more thumbs, skips or finished tracks (have {labels} of {FEWEST_LABELS})")
        for count, kind in (
            (self._log.positives, "likes or finished tracks"),
            (self._log.negatives, "dislikes or skips"),
        ):
            if count < FEWEST_OF_A_KIND:
                missing.append(f"at least {FEWEST_OF_A_KIND} {kind} (have {count})")
        if missing:
            return tuple(missing)
        data = self._clep_data(self._split.train)
        if len(data) < FEWEST_VECTORS:
            missing.append(
                f"the sound of at least {FEWEST_VECTORS} tracks with feedback (have {len(data)}): embed them"
            )
        elif not np.any(data.liked) or np.all(data.liked):
            kind = "disliked" if np.any(data.liked) else "liked"
            missing.append(f"a {kind} track in the older part of the history, which is what is learned from")
        if not np.any(next_positives(self._split.train) != NO_TARGET):
            missing.append("a like that follows another event in the older part of the history")
        return tuple(missing)

    def train_and_measure(self) -> tuple[Model, Report]:
        """Train, blend, measure, judge."""
        arrays: dict[str, NDArray[np.generic]] = {
            "content.mean": self._standardisation.mean,
            "content.scale": self._standardisation.scale,
            **self._train_clep(),
            **self._train_sequence(),
        }
        card = self._card(PRIOR_BLEND, (), promoted=False, reason="")
        blend = self._fit_blend(ModelScorer(Model(card, arrays), self._catalogue))
        scorer = ModelScorer(Model(self._card(blend, (), promoted=False, reason=""), arrays), self._catalogue)
        evaluation, baselines = self._measure(scorer)
        verdict = judge(evaluation, MODEL, LIVE if self._live else None, baselines)
        metrics = tuple(Metric(r.model, str(r.metric), r.mean, r.low, r.high) for r in evaluation.report.rows)
        return Model(self._card(blend, metrics, verdict.promoted, verdict.reason), arrays), evaluation.report

    def _clep_data(self, log: EventLog) -> ClepData:
        """Tracks with a standing opinion and a content vector."""
        rows, label = standing_labels(log, np.zeros(len(log), np.int64))
        track = log.track[rows]
        known = np.isfinite(self._catalogue.vectors[track]).all(axis=1)
        rows, track, label = rows[known], track[known], label[known]
        newest = np.argsort(rows)[-self._config.clep.most_songs :]
        return ClepData(self._content[track[newest]], label[newest] > 0)

    def _station_opinions(self) -> Opinions:
        """What every station thinks of tracks whose sound is known, each opinion with its weight."""
        log = self._split.train
        rows, label = standing_labels(log, log.station - log.station.min())
        known = self._heard[log.track[rows]]
        newest = np.argsort(rows[known])[-self._config.clep.most_songs :]
        rows, label = rows[known][newest], label[known][newest]
        return Opinions(self._content[log.track[rows]], label > 0, log.weight[rows])

    def _train_clep(self) -> dict[str, NDArray[np.float32]]:
        self._begin_stage()
        if self._config.clep.mode is ClepMode.BEST:
            taste = fit_shared(MainAxes.of(self._content[self._heard]), [self._station_opinions()])
            self._report("content", 1, 1, None, None)
            return taste.export()

        def report(epoch: int, epochs: int, loss: float) -> None:
            self._report("content", epoch, epochs, loss, None)

        network = train_clep(
            train=self._clep_data(self._split.train),
            validation=self._clep_data(self._split.validation),
            config=self._config.clep,
            seed=self._config.seed,
            on_epoch=report,
            should_stop=self._should_stop,
        )
        return export_clep(network)

    def _train_sequence(self) -> dict[str, NDArray[np.generic]]:
        self._begin_stage()

        def report(epoch: EpochReport) -> None:
            self._report("sequence", epoch.epoch, epoch.epochs, epoch.loss, epoch.validation_auc)

        trained = train_sequential(
            train=self._split.train,
            validation=self._split.validation,
            content=self._content,
            config=self._config.sequential,
            seed=self._config.seed,
            on_epoch=report,
            should_stop=self._should_stop,
        )
        heard = np.flatnonzero(trained.items.row)
        return {
            **export_sequential(trained),
            "track_ids": self._catalogue.track_ids[heard].astype(np.int64),
            "station_ids": self._catalogue.station_ids[: trained.network.stations].astype(np.int64),
        }

    def _fit_blend(self, scorer: ModelScorer) -> Blend:
        """Columns of each labelled validation row's track, in the state before the row, against its label."""
        self._begin_stage()
        validation = self._split.validation
        labelled = np.flatnonzero(validation.label != 0)
        columns = np.empty((len(labelled), len(Column)), np.float32)
        stride = max(1, len(labelled) // SCALE_STATES)
        sequence: list[NDArray[np.float32]] = []
        histories = {int(who): self._log.where(self._log.listener == who) for who in np.unique(validation.listener)}
        for step, row in enumerate(labelled):
            now, own = float(validation.time[row]), histories[int(validation.listener[row])]
            history = own.first(int(np.searchsorted(own.time, now, side="left")))
            everything = scorer.columns(history, int(validation.station[row]), now)
            columns[step] = everything[validation.track[row]]
            if step % stride == 0:
                sequence.append(everything[:, Column.SEQUENCE])
            self._report("blend", step + 1, len(labelled), None, None)
        scale = Scale.of_models(scorer.clep.logits, np.array(sequence, np.float32))
        return fit_blend(columns, validation.label[labelled], validation.weight[labelled], scale)

    def _measure(self, scorer: ModelScorer) -> tuple[Evaluation, Sequence[str]]:
        """Measure model, live model and baselines on the gate rows that neither model has seen."""
        self._begin_stage()
        gate_from = float(self._split.gate.time[0])
        models = [AsServed(self._catalogue, scorer, MODEL)]
        if self._live is not None:
            models.append(AsServed(self._catalogue, ModelScorer(self._live, self._catalogue), LIVE))
            gate_from = max(gate_from, float(np.nextafter(self._live.card.seen_until, np.inf)))
        chance, *informed = baseline_recommenders(self._catalogue, self._config.seed)
        self._report("evaluation", 0, 1, None, None)
        recommenders = [*models, chance, *informed]
        evaluation = evaluate_history(recommenders, self._log, gate_from, self._catalogue, self._config.seed)
        self._report("evaluation", 1, 1, None, evaluation.report.mean(MODEL, Measure.PAIR_AUC))
        return evaluation, [baseline.name for baseline in informed]

    def _card(self, blend: Blend, metrics: tuple[Metric, ...], promoted: bool, reason: str) -> ModelCard:  # noqa: FBT001 - a field of the card
        seen = self._split.validation if len(self._split.validation) else self._split.train
        return ModelCard(
            version="",
            created=datetime.now(UTC).isoformat(timespec="microseconds"),
            frontend=self._catalogue.frontend,
            configuration=self._config,
            blend=blend,
            libraries=tuple((name, version(name)) for name in ("numpy", "scipy", "torch")),
            seen_until=float(seen.time[-1]),
            rows=self._split.train.positives + self._split.train.negatives,
            metrics=metrics,
            promoted=promoted,
            reason=reason,
            sha256="",
        )

    def _begin_stage(self) -> None:
        self._stage_started = time.monotonic()

    def _report(self, stage: str, step: int, steps: int, loss: float | None, metric: float | None) -> None:
        taken = time.monotonic() - self._stage_started
        left = taken / step * (steps - step) if step else None
        self._on_progress(Progress(stage, step, steps, loss, metric, left))
