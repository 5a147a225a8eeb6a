"""Learning from the listener's own log: what the recommender is given, and what becomes of its models."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from player.errors import PlayerError
from player.feedback.event_history import load_history
from player.feedback.labels import build_log
from player.folders import Paths
from player.jobs import JobProgress, trainer_lock
from player.learning.auto_training import NewAnswers, trained_answers
from player.learning.served_model import library_of
from player.stations.collection import Collection, load_collection
from player.stations.station_scoring import frontend_id, learning_catalogue, station_indices
from player.stations.stations import Stations
from player.storage.database import Database
from recommender.events import EventLog
from recommender.models.model_card import NO_EVIDENCE, Model, ModelCard
from recommender.models.model_scorer import Catalogue
from recommender.models.registry import ModelError, Registry

if TYPE_CHECKING:
    from recommender.configuration import TrainingConfig
    from recommender.training.history_evaluation import ListenerReport
    from recommender.training.retraining import Progress, TrainingResult

STAGES = {
    "content": "Training CLEP",
    "sequence": "Training the sequence",
    "update": "Tuning the running update",
    "blend": "Blending",
    "evaluation": "Evaluating",
}


@dataclass(frozen=True, slots=True)
class Material:
    """Material to learn from."""

    collection: Collection
    log: EventLog
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Retrained:
    """Outcome of a retraining: the result, and the card as stored (none when nothing was trained)."""

    result: "TrainingResult"
    card: ModelCard | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation, and what it was of.

    Attributes:
        report: the figures and what follows from them.
        version: of the model; None when there is none.
        problem: one sentence about a model that is there and cannot be used, else empty.
    """

    report: "ListenerReport"
    version: str | None
    problem: str


def load_material(database: Database) -> Material:
    """The listener's whole history over their whole library."""
    collection = load_collection(database)
    stations = Stations(database).all(removed=True)
    log = build_log(load_history(database, collection.rows).labels, collection.index, station_indices(stations))
    return Material(collection, log, learning_catalogue(collection, stations))


def retrain(
    database: Database,
    paths: Paths,
    config: "TrainingConfig",
    report: Callable[[JobProgress], None],
    should_stop: Callable[[], bool],
    *,
    full: bool = False,
    after: int = 0,
) -> Retrained:
    """Train on the log, store the version, and promote it if it is not worse.

    Args:
        database: the listener's data.
        paths: where models and the lock lie.
        config: what to train.
        report: told how far it is.
        should_stop: asked after every step; from its first yes the best so far is kept, and measured on less.
        full: whether to train the sequence from scratch, whatever the model in use knows.
        after: do nothing before there are so many new answers; 0 trains in any case.

    Raises:
        PlayerError: another job is running, or the model cannot be stored.
    """
    from recommender.training.retraining import retrain as train  # noqa: PLC0415 - imports torch

    def tell(progress: "Progress") -> None:
        report(
            JobProgress(
                STAGES.get(progress.stage, progress.stage),
                progress.step,
                progress.steps,
                progress.seconds_left,
                progress.metric,
                progress.loss,
            )
        )

    with trainer_lock(paths.trainer_lock):
        material = load_material(database)
        registry = Registry(paths.models)
        new = NewAnswers(material.log.positives + material.log.negatives - trained_answers(registry), after)
        if after and not new.enough:
            return Retrained(_too_early(material.log, new), None)
        live, problem = _live(registry, material.collection)
        newest = next(reversed(registry.versions()), None)
        evidence = NO_EVIDENCE if newest is None else newest.gate
        result = train(material.log, material.catalogue, config, live, tell, should_stop, full=full, evidence=evidence)
        if problem:
            result = replace(result, reason=f"{result.reason} ({problem})")
        if result.model is None:
            return Retrained(result, None)
        try:
            card = registry.save(result.model)
            if result.promoted:
                registry.promote(card.version)
        except ModelError as error:
            raise PlayerError(str(error)) from error
        return Retrained(result, card)


def _too_early(log: EventLog, new: NewAnswers) -> "TrainingResult":
    from recommender.training.retraining import TrainingResult  # noqa: PLC0415 - imports torch

    missing = f"{new.wanted - new.count} more answers since the last training (have {new.count} of {new.wanted})"
    return TrainingResult(
        model=None,
        promoted=False,
        reason="It is too early for another training.",
        missing=(missing,),
        report=None,
        positives=log.positives,
        negatives=log.negatives,
        seconds=0.0,
        stopped=False,
    )


def evaluate(database: Database, paths: Paths, seed: int) -> Evaluated:
    """Measure the current model and the baselines on the newest part of the log that the model has not seen."""
    from recommender.training.history_evaluation import evaluate_listener  # noqa: PLC0415 - only this needs the baselines

    material = load_material(database)
    live, problem = _live(Registry(paths.models), material.collection)
    artist = material.collection.catalogue.artist
    report = evaluate_listener(live, material.log, material.catalogue, artist, seed)
    return Evaluated(report, None if live is None else live.card.version, problem)


def _live(registry: Registry, collection: Collection) -> tuple[Model | None, str]:
    """The current model, or none and why although there is one."""
    try:
        return registry.load_current(frontend_id(collection), library_of(collection)), ""
    except ModelError as error:
        return None, str(error)
