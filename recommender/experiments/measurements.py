"""One model measured with one seed on one split: kept on disk while a run is going on, and averaged at its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from recommender.evaluation.bootstrap import FEWEST_UNITS, RESAMPLES, interval
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.report import Evaluation, Figure, Report
from recommender.evaluation.report_builder import Measured, Shares, average, tabulate
from recommender.experiments.json_values import finite
from recommender.experiments.pooled_auc import Pooled

Floats = NDArray[np.float64]

POOLED = "auc_pooled"
"""What the AUC of all rows together is called among the metrics."""


@dataclass(frozen=True, slots=True)
class ModelMeasurement:
    """What was measured of one model."""

    model: str
    seed: int
    evaluation: Evaluation
    """Of this model alone."""
    pooled: Pooled | None


@dataclass(frozen=True, slots=True)
class Averaged:
    """Measurements of one model over seeds and folds."""

    figures: Mapping[Measure, Figure]
    listeners: NDArray[np.int64]
    pooled: Figure | None


def averaged(parts: Sequence[ModelMeasurement], seed: int) -> Averaged:
    """Each listener's values averaged over the parts that have them, then over listeners, as ``evaluate_seeds`` does.

    Args:
        parts: of one model, at least one.
        seed: of the bootstrap.
    """
    evaluation = tabulate(average([_measured(part, seed) for part in parts]))
    found = {measure: figure for (_, measure), figure in evaluation.figures.items()}
    figures = {measure: found[measure] for measure in Measure if measure in found}
    return Averaged(figures, evaluation.listeners, _averaged_pooled([part.pooled for part in parts]))


def _averaged_pooled(parts: Sequence[Pooled | None]) -> Figure | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    estimate = float(np.mean([part.estimate for part in known]))
    drawn = [part.resampled for part in known if part.resampled is not None]
    resampled = np.mean(drawn, axis=0) if len(drawn) == len(known) else None
    bounds = interval(estimate, resampled)
    return Figure(np.empty(0), resampled, estimate, bounds.low, bounds.high)


def _measured(part: ModelMeasurement, seed: int) -> Measured:
    """The values behind an evaluation of one model, as the averaging of seeds takes them."""
    evaluation, report = part.evaluation, part.evaluation.report
    few = len(evaluation.listeners) < FEWEST_UNITS
    figures = evaluation.figures
    return Measured(
        models=(part.model,),
        measures=tuple(measure for _, measure in figures),
        listeners=evaluation.listeners,
        values={cell: figure.values for cell, figure in figures.items() if not cell[1].of_the_whole},
        whole={cell: figure.mean for cell, figure in figures.items() if cell[1].of_the_whole},
        resampled={
            cell: figure.resampled
            for cell, figure in figures.items()
            if figure.resampled is not None and (few or cell[1].of_the_whole)
        },
        shares=Shares(report.share_unit, np.empty(0, np.int64), np.empty(0), {}),
        reliability={},
        positives=report.positives,
        negatives=report.negatives,
        pairs=report.pairs,
        with_pairs=report.listeners_with_pairs,
        reasons={},
        split=report.split,
        notes=report.notes,
        resamples=RESAMPLES,
        seed=seed,
    )


def to_bytes(part: ModelMeasurement) -> bytes:
    """The measurement as arrays with a header; the same figures to the last bit come back."""
    figures = {measure: figure for (_, measure), figure in part.evaluation.figures.items()}
    arrays: dict[str, NDArray[np.generic]] = {"listeners": part.evaluation.listeners}
    for measure, figure in figures.items():
        arrays[f"values {measure.key}"] = figure.values
        if figure.resampled is not None:
            arrays[f"resampled {measure.key}"] = figure.resampled
    if part.pooled is not None and part.pooled.resampled is not None:
        arrays["pooled"] = part.pooled.resampled
    header = {
        "model": part.model,
        "seed": part.seed,
        "report": part.evaluation.report,
        "bounds": {measure.key: [figure.mean, figure.low, figure.high] for measure, figure in figures.items()},
        "pooled": None if part.pooled is None else part.pooled.estimate,
    }
    text = json.dumps(finite(header), allow_nan=False)
    return save_arrays({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"header": text})


@dataclass(frozen=True, slots=True)
class _Header:
    model: str
    seed: int
    report: Report
    bounds: dict[str, tuple[float, float | None, float | None]]
    pooled: float | None


def from_bytes(content: bytes) -> ModelMeasurement | None:
    """Read what :func:`to_bytes` wrote; None for anything damaged, which is then measured again."""
    try:
        # The header is JSON behind its own length (8 bytes, little-endian), as the format says.
        length = int.from_bytes(content[:8], "little")
        document = json.loads(content[8 : 8 + length])["__metadata__"]["header"]
        header = TypeAdapter(_Header).validate_python(json.loads(document))
        arrays = load_arrays(content)
        figures = {
            (header.model, measure): Figure(
                arrays[f"values {measure.key}"], arrays.get(f"resampled {measure.key}"), *header.bounds[measure.key]
            )
            for measure in Measure
            if measure.key in header.bounds
        }
        pooled = None if header.pooled is None else Pooled(header.pooled, arrays.get("pooled"))
        return ModelMeasurement(
            header.model, header.seed, Evaluation(header.report, arrays["listeners"], figures), pooled
        )
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError):
        return None
