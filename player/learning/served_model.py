"""The trained model that serves: found and checked, or an earlier one in its place."""

from dataclasses import dataclass

from player.folders import Paths
from player.stations.collection import Collection
from player.stations.station_scoring import frontend_id
from recommender.models.model_card import Model
from recommender.models.registry import Library, ModelError, Registry


@dataclass(frozen=True, slots=True)
class ModelFinding:
    """The model in use, or why there is none although one was trained."""

    model: Model | None
    problem: str = ""


def library_of(collection: Collection) -> Library:
    """Identity of a library among others."""
    return Library(collection.catalogue.ids, collection.vectors.vectors)


def load_served_model(paths: Paths, collection: Collection) -> ModelFinding:
    """Load the current model; a damaged or foreign one is named and the newest earlier one serves in its place."""
    if not collection.embedded:
        return ModelFinding(None)
    registry = Registry(paths.models)
    try:
        return ModelFinding(registry.load_current(frontend_id(collection), library_of(collection)))
    except ModelError as error:
        return ModelFinding(_newest_usable(registry, collection), str(error))


def _newest_usable(registry: Registry, collection: Collection) -> Model | None:
    for card in reversed(registry.versions()):
        if not card.promoted:
            continue
        try:
            return registry.load(card.version, frontend_id(collection), library_of(collection))
        except ModelError:
            continue
    return None
