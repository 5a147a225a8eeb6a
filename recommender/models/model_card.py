"""What a trained model is: a card that says how it came about, and its arrays; and how the card is written as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
from msgspec import convert
from msgspec.json import decode
from numpy.typing import NDArray

from recommender.configuration import TrainingConfig, removed_element
from recommender.models.blend import Blend, Component
from recommender.models.habit_scorer import SHAPES, WEIGHTS, Arrays
from recommender.models.online_update import UpdateSettings
from recommender.models.parameter_shapes import sequence_shapes


class Kind(StrEnum):
    """How a model was trained."""

    FULL = "full"
    """From scratch, on all of the training part."""
    INCREMENTAL = "incremental"
    """From the weights of the model in use, on the rows since then and a replay of older ones."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """How a model came about.

    Attributes:
        kind: in full or incrementally.
        why: the rule that decided, in a few words.
        parent: version of the model whose weights it began with; empty for a full training.
        new_rows: rows the sequence learned from that the parent's had not seen; all of them for a full training.
        replayed_rows: older rows it learned from again; 0 for a full training.
        log_rows: rows of the whole log when it was trained.
        log_labels: of these, the labelled ones.
        full_rows: rows of the log at the last full training.
        trained_until: time (the log's clock) of the last row the sequence learned from.
    """

    kind: Kind
    why: str
    parent: str
    new_rows: int
    replayed_rows: int
    log_rows: int
    log_labels: int
    full_rows: int
    trained_until: float


FORMAT = 2
"""Raised whenever arrays or card change their meaning; other formats are refused."""


class FormatError(ValueError):
    """A card of a format that this version does not read: an earlier or a later player wrote it."""


@dataclass(frozen=True, slots=True)
class FrontEndId:
    """Which vectors a model was trained on: the front-end's name, version and dimension."""

    name: str
    version: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.dimension} dimensions)"


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure of one model on the gate slice, with its bootstrap bounds where there are any."""

    model: str
    metric: str
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """State of the promotion gate's e-process between two retrainings (:mod:`recommender.evaluation.promotion`).

    Attributes:
        rounds: retrainings that were judged since the last refusal.
        until: seconds, on the log's clock, of the last row that counted; None before the first.
        capital: of the bets under way, one for each fraction that is bet; empty before the first round.
    """

    rounds: int = 0
    until: float | None = None
    capital: tuple[float, ...] = ()

    @property
    def value(self) -> float:
        """The e-value: what the bets have made of 1, those not begun yet included."""
        return (float(np.mean(self.capital)) if self.capital else 0.0) + 1.0 / (self.rounds + 1)

    def after(self, growth: NDArray[np.float64], until: float) -> "GateEvidence":
        """The state after one more retraining.

        Args:
            growth: (fractions,) factors by which its rows moved bets of each fraction.
            until: time of its last row.
        """
        rounds = self.rounds + 1
        begun = np.array(self.capital) if self.capital else np.zeros(len(growth))
        return GateEvidence(rounds, until, tuple(((begun + 1.0 / (rounds * (rounds + 1))) * growth).tolist()))


NO_EVIDENCE = GateEvidence()


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, beside its arrays.

    Attributes:
        version: its name; empty until it is stored.
        created: ISO 8601 in UTC.
        frontend: the vectors it was trained on.
        configuration: what it was trained with, seed included.
        blend: weights of the components.
        update: how the running update learns beside this model.
        lineage: how it came about.
        libraries: (name, version) of the libraries that trained it.
        seen_until: time (seconds, the log's clock) of the last event that training or stopping looked at.
        rows: labelled rows of the training part, of which an incremental training replays some.
        metrics: what was measured on the gate slice, baselines included.
        promoted: whether the gate let it through.
        reason: why, in one sentence.
        sha256: of the arrays' file; empty until it is stored.
        gate: the evidence that the next retraining's gate carries on with.
    """

    version: str
    created: str
    frontend: FrontEndId
    configuration: TrainingConfig
    blend: Blend
    update: UpdateSettings
    lineage: Lineage
    libraries: tuple[tuple[str, str], ...]
    seen_until: float
    rows: int
    metrics: tuple[Metric, ...]
    promoted: bool
    reason: str
    sha256: str
    gate: GateEvidence = NO_EVIDENCE


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: its card and its arrays.

    ``arrays`` are the weights exported by CLEP (``clep.…``) and the sequential model (``sequence.…``), the
    standardisation of the content (``content.mean``, ``content.scale``), int64 ``track_ids`` and ``station_ids``:
    the caller's ids of rows 1, 2, … of ``sequence.own`` and of ``sequence.station``; and ``library.track_ids`` and
    ``library.vectors``: what some tracks of the library it belongs to sound like (:mod:`recommender.models.registry`).
    """

    card: ModelCard
    arrays: Mapping[str, NDArray[np.generic]]


def card_to_json(card: ModelCard) -> str:
    """The card as a JSON document without NaN."""
    return json.dumps({"format": FORMAT, "card": asdict(card)}, indent=2, allow_nan=False) + "\n"


def card_from_json(text: bytes) -> ModelCard:
    """Read what :func:`card_to_json` wrote, trusting nothing.

    Raises:
        FormatError: when it is a card of another format, or of a model with an element that was removed.
        ValueError: when it is no card.
    """
    try:
        document = decode(text)
        if (found := convert(document, _Format).format) != FORMAT:
            raise FormatError(f"format {found} is not {FORMAT}")
        if removed_element(document):
            raise FormatError("the sequence has an element that was removed")
        card = convert(document, _CardDocument).card
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if len(card.blend.weights) == len(Component) - 1:
        # Of a player that knew no habits: their column weighs nothing.
        blend = card.blend
        weights, means, spreads = (*blend.weights, 0.0), (*blend.means, 0.0), (*blend.spreads, 1.0)
        card = replace(card, blend=replace(blend, weights=weights, means=means, spreads=spreads))
    blend = card.blend
    if not len(blend.weights) == len(blend.means) == len(blend.spreads) == len(Component):
        raise ValueError(f"the blend does not have {len(Component)} columns")
    return card


@dataclass(frozen=True, slots=True)
class _Format:
    format: int


@dataclass(frozen=True, slots=True)
class _CardDocument:
    format: int
    card: ModelCard


def habits_of_today(arrays: Arrays) -> Arrays:
    """The arrays without the habit model where it knows other features than this version's.

    Until the next training its column is the same for every track, and the rest of what was learned serves on.
    """
    if all(arrays[name].shape == shape for name, shape in SHAPES.items() if name in arrays):
        return arrays
    return {name: array for name, array in arrays.items() if name not in SHAPES}


def check_arrays(model: Model) -> None:
    """Check that the arrays are there, finite, and of the shapes the card's configuration means.

    Raises:
        ValueError: naming the first array that does not fit.
    """
    arrays, card = model.arrays, model.card
    if (
        card.configuration.sequential.heads < 1
        or card.configuration.sequential.width % card.configuration.sequential.heads
    ):
        raise ValueError("the attention heads do not divide the width")
    for name, shape in _expected_shapes(arrays, card).items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape} instead of {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} holds values that are not numbers")


def _expected_shapes(arrays: Mapping[str, NDArray[np.generic]], card: ModelCard) -> dict[str, tuple[int, ...]]:
    for ids in ("track_ids", "station_ids"):
        if ids not in arrays or arrays[ids].ndim != 1:
            raise ValueError(f"{ids} is missing or no list")
    dimension = card.frontend.dimension
    shapes: dict[str, tuple[int, ...]] = {"content.mean": (dimension,), "content.scale": (dimension,)}
    sampled = arrays.get("library.track_ids", np.empty(0))
    shapes |= {"library.track_ids": (sampled.size,), "library.vectors": (sampled.size, dimension)}
    if WEIGHTS in arrays:
        shapes |= SHAPES
    clep = card.configuration.clep
    shapes |= _perceptron_shapes("clep.embed", (dimension, *clep.widths))
    shapes |= _perceptron_shapes("clep.head", (clep.widths[-1], *clep.head_widths))
    tracks, stations = len(arrays["track_ids"]), len(arrays["station_ids"])
    return shapes | sequence_shapes(card.configuration.sequential, dimension, tracks, stations)


def _perceptron_shapes(prefix: str, widths: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for index, (inputs, outputs) in enumerate(pairwise(widths)):
        shapes[f"{prefix}.{2 * index}.weight"] = (outputs, inputs)  # every other layer is the ReLU between
        shapes[f"{prefix}.{2 * index}.bias"] = (outputs,)
    return shapes
