"""The trained model that serves: found, checked, and prepared for the library as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass

from player.config import Paths
from player.listening.collection import Collection
from player.listening.scoring import ServedModel, frontend_id, serve_model
from player.listening.stations import StationInfo
from recommender.registry import ModelError, Registry


@dataclass(frozen=True, slots=True)
class ModelFinding:
    """The model in use, or why there is none although one was trained."""

    model: ServedModel | None
    problem: str = ""


def load_served_model(paths: Paths, collection: Collection, stations: Sequence[StationInfo]) -> ModelFinding:
    """Load the current model; a damaged or foreign one is named and the newest earlier one serves in its place."""
    if not collection.embedded:
        return ModelFinding(None)
    registry = Registry(paths.models)
    wanted = frontend_id(collection)
    try:
        model = registry.load_current(wanted)
    except ModelError as error:
        return ModelFinding(_newest_usable(registry, collection, stations), str(error))
    return ModelFinding(None if model is None else serve_model(model, collection, stations))


def _newest_usable(registry: Registry, collection: Collection, stations: Sequence[StationInfo]) -> ServedModel | None:
    wanted = frontend_id(collection)
    for card in reversed(registry.versions()):
        if not card.promoted:
            continue
        try:
            return serve_model(registry.load(card.version, wanted), collection, stations)
        except ModelError:
            continue
    return None
