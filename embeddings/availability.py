"""Which front-ends could embed now, and what each of the others lacks."""

import importlib.util
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from embeddings.cards import CLMR, EXTERNALS, MEE, MUSICNN, OPENL3_MEL256_512, ExternalCard, FrontEndCard
from embeddings.errors import EmbeddingError
from embeddings.published import PublishedFile, by_hand
from embeddings.weights import find_weights


class State(StrEnum):
    """What a front-end lacks, if anything."""

    READY = "ready"
    WEIGHTS_MISSING = "weights missing"
    PACKAGE_MISSING = "package missing"
    NOT_RUN = "not run here"


@dataclass(frozen=True, slots=True)
class Availability:
    """A front-end and whether it can be used.

    Attributes:
        name: as in ``--frontend``.
        dimension: length of one vector.
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
    """All the front-ends by family, the default first; nothing is loaded, imported or fetched.

    Args:
        cache: the folder of what was fetched.
        musicnn_weights: the file the user has named for musicnn, if any.
    """
    named = {MUSICNN.name: musicnn_weights}
    ours = (_ours(card, named.get(card.name), cache) for card in (MUSICNN, OPENL3_MEL256_512, CLMR, MEE))
    return (*ours, *(_external(card) for card in EXTERNALS.values()))


def _ours(card: FrontEndCard, named: Path | None, cache: Path) -> Availability:
    wanted = card.weights
    try:
        found, trouble = find_weights(wanted, named=named, cache=cache), ""
    except EmbeddingError as error:
        found, trouble = None, str(error)
    state, mend = State.READY, ""
    if found is None:
        state, mend = State.WEIGHTS_MISSING, trouble or _how_to_get(card, cache)
    elif card.needs is not None and importlib.util.find_spec(card.needs) is None:
        state, mend = State.PACKAGE_MISSING, f"install the Python package {card.needs}: pip install {card.needs}"
    return Availability(card.name, card.dimension, state, str(found or wanted.filename), wanted.licence, mend)


def _how_to_get(card: FrontEndCard, cache: Path) -> str:
    if isinstance(card.weights, PublishedFile) and card.weights.git_blob is None:
        return by_hand(card.weights, cache / card.weights.filename, "no hash is published, so they are not fetched")
    return f"player embed --frontend {card.name} --fetch"


def _external(card: ExternalCard) -> Availability:
    if importlib.util.find_spec(card.module) is None:
        state, mend = State.PACKAGE_MISSING, f"{card.package} is not installed; even then it is not run: {card.remark}"
    else:
        state, mend = State.NOT_RUN, f"{card.package} is installed but not run: {card.remark}"
    return Availability(card.name, card.dimension, state, card.weights, card.licence, mend)
