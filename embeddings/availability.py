"""Which front-ends could embed now, and what each of the others lacks."""

from dataclasses import dataclass
from pathlib import Path

from embeddings.errors import EmbeddingError
from embeddings.registry import DEFAULT_FRONTEND, BrokenFrontEnd, known_frontends
from embeddings.spec import FrontEndCard, FrontEndModule, Obstacle, State, lacking_package
from embeddings.weights.published_files import PublishedFile, by_hand
from embeddings.weights.weight_files import PackageWeights, find_weights
from embeddings.weights.weights_folder import WeightsFolder


@dataclass(frozen=True, slots=True)
class Availability:
    """A front-end and whether it can be used.

    Attributes:
        name: as in ``--frontend``.
        dimension: length of one vector; 0 when the front-end is broken.
        state: what it lacks.
        weights: the path of its weights if they are there, else the name of the file wanted.
        licence: SPDX identifier of the weights' licence.
        mend: one sentence saying how to get what is missing; empty if it is ready.
    """

    name: str
    dimension: int
    state: State
    weights: str
    licence: str
    mend: str


def available(cache: Path, musicnn_weights: Path | None = None) -> tuple[Availability, ...]:
    """All the front-ends, the default first, of variants the first; nothing is loaded or fetched.

    Args:
        cache: the folder of what was fetched.
        musicnn_weights: the file the user has named for musicnn, if any.
    """
    return tuple(_availability(known, cache, musicnn_weights) for known in known_frontends())


def _availability(known: FrontEndModule | BrokenFrontEnd, cache: Path, default_weights: Path | None) -> Availability:
    if isinstance(known, BrokenFrontEnd):
        return Availability(known.name, 0, State.BROKEN, "", "", known.reason)
    card = known.cards[0]
    named = default_weights if card.name == DEFAULT_FRONTEND else None
    try:
        found, trouble = find_weights(card.weights, named=named, cache=cache), ""
    except EmbeddingError as error:
        found, trouble = None, str(error)
    if found is None:
        obstacle = Obstacle(State.WEIGHTS_MISSING, trouble or _how_to_get(card, cache))
    else:
        obstacle = lacking_package(card) or known.obstacle() or Obstacle(State.READY, "")
    own_affair = found is None or isinstance(card.weights, PackageWeights)
    place = card.weights.filename if own_affair else str(found)
    return Availability(card.name, card.dimension, obstacle.state, place, card.licence, obstacle.mend)


def _how_to_get(card: FrontEndCard, cache: Path) -> str:
    if isinstance(card.weights, PublishedFile) and card.weights.git_blob is None:
        return by_hand(card.weights, cache / card.weights.filename, "no hash is published, so they are not fetched")
    if isinstance(card.weights, WeightsFolder):
        return card.weights.how_to_get(cache)
    return f"player embed --frontend {card.name} --fetch"
