"""One model measured with one seed on one split: kept on disk while a run is going on, and averaged at its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.json import decode
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from recommender.evaluation.bootstrap import FEWEST_UNITS, RESAMPLES, draws, interval
from recommender.evaluation.metric_names import LIST_LENGTH, Measure
from recommender.evaluation.metrics import full_ranks, top
from recommender.evaluation.query_states import MOST_ROWS, State, States
from recommender.evaluation.report import Evaluation, Figure, Report
from recommender.evaluation.report_builder import Measured, Shares, average, tabulate
from recommender.evaluation.splits import Part, Split
from recommender.experiments.json_values import finite
from recommender.interfaces import Recommender
from recommender.sequence.negatives import NegativeCounts

Floats = NDArray[np.float64]

POOLED = "auc_pooled"
"""What the AUC of all rows together is called among the metrics."""
BOOTSTRAP_SEED = 0
"""The same draws for every model, seed and run, so that all of them can be compared in pairs."""
POOLED_RESAMPLES = 200
"""Each one passes over all test rows; a bound moves by about a tenth of the interval's width between seeds."""
CHUNK_CELLS = 2_000_000
"""Counts held at a time: 16 MB."""
DECILES = 10
MOST_RANKED = 1000
"""Listeners whose whole ranking is looked at by popularity; a mean over more does not move in its third digit."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """AUC of all test rows in one list, and itself in each resample (B,) of listeners, NaN where it has none.

    Not resampled with too few listeners.
    """

    estimate: float
    resampled: Floats | None


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """A training, epoch by epoch.

    Attributes:
        epochs: to convergence; None without a validation pair.
        best_epoch: whose weights were kept.
        loss, validation_auc: of each epoch.
        negatives: where all negative targets came from.
    """

    epochs: int | None
    best_epoch: int
    loss: tuple[float, ...]
    validation_auc: tuple[float | None, ...]
    negatives: NegativeCounts


@dataclass(frozen=True, slots=True)
class ByPopularity:
    """Tracks by how much feedback they got in the past, in tenths of the catalogue, the least popular first.

    Attributes:
        place: mean place of the tenth's tracks in the whole ranking, 0 first to 1 last.
        listed: share of the places in the lists of ten that went to the tenth.
    """

    place: tuple[float, ...]
    listed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ModelMeasurement:
    """What was measured of one model.

    Attributes:
        evaluation: of this model alone.
        pooled, training, popularity: what an experiment wants to know besides.
    """

    model: str
    seed: int
    evaluation: Evaluation
    pooled: Pooled | None = None
    training: LearningCurve | None = None
    popularity: ByPopularity | None = None


@dataclass(frozen=True, slots=True)
class Averaged:
    """Measurements of one model over seeds and folds."""

    figures: Mapping[Measure, Figure]
    listeners: NDArray[np.int64]
    pooled: Figure | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One figure of one model."""

    model: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    seeds: int


def result_rows(model: str, found: Averaged, seeds: int) -> list[ResultRow]:
    """Every figure of a model, that of all rows together after pair AUC."""
    rows = [
        ResultRow(model, measure.key, figure.mean, figure.low, figure.high, seeds)
        for measure, figure in found.figures.items()
    ]
    if found.pooled is not None:
        pooled = found.pooled
        place = 1 if Measure.PAIR_AUC in found.figures else 0
        rows.insert(place, ResultRow(model, POOLED, pooled.mean, pooled.low, pooled.high, seeds))
    return rows


def together(parts: Mapping[str, Sequence[ModelMeasurement]], averages: Mapping[str, Averaged]) -> Evaluation:
    """The averages of all models as one evaluation, which compares them in pairs; its report is that of the first part."""
    first = next(iter(parts))
    figures = {(model, measure): figure for model in parts for measure, figure in averages[model].figures.items()}
    return Evaluation(parts[first][0].evaluation.report, averages[first].listeners, figures)


def averaged(parts: Sequence[ModelMeasurement]) -> Averaged:
    """Each listener's values averaged over the parts that have them, then over listeners, as :func:`recommender.evaluation.report_builder.average` does.

    Args:
        parts: of one model, at least one.
    """
    evaluation = tabulate(average([_measured(part) for part in parts]))
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


def _measured(part: ModelMeasurement) -> Measured:
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
        seed=BOOTSTRAP_SEED,
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
    header = _Header(
        model=part.model,
        seed=part.seed,
        report=part.evaluation.report,
        bounds={measure.key: (figure.mean, figure.low, figure.high) for measure, figure in figures.items()},
        pooled=None if part.pooled is None else part.pooled.estimate,
        training=part.training,
        popularity=part.popularity,
    )
    text = json.dumps(finite(header), allow_nan=False)
    return save_arrays({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"header": text})


@dataclass(frozen=True, slots=True)
class _Header:
    model: str
    seed: int
    report: Report
    bounds: dict[str, tuple[float, float | None, float | None]]
    pooled: float | None
    training: LearningCurve | None
    popularity: ByPopularity | None


def from_bytes(content: bytes) -> ModelMeasurement | None:
    """Read what :func:`to_bytes` wrote; None for anything damaged, which is then measured again."""
    try:
        # The header is JSON behind its own length (8 bytes, little-endian), as the format says.
        length = int.from_bytes(content[:8], "little")
        document = json.loads(content[8 : 8 + length])["__metadata__"]["header"]
        header = decode(document, type=_Header)
        arrays = load_arrays(content)
        figures = {
            (header.model, measure): Figure(
                arrays[f"values {measure.key}"], arrays.get(f"resampled {measure.key}"), *header.bounds[measure.key]
            )
            for measure in Measure
            if measure.key in header.bounds
        }
        evaluation = Evaluation(header.report, arrays["listeners"], figures)
        pooled = None if header.pooled is None else Pooled(header.pooled, arrays.get("pooled"))
        return ModelMeasurement(header.model, header.seed, evaluation, pooled, header.training, header.popularity)
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError):
        return None


def pooled_auc(
    recommender: Recommender, split: Split, listeners: int, most_listeners: int | None, seed: int
) -> Pooled | None:
    """AUC of all judged test rows in one list, each scored in its listener's frozen state; None without both labels.

    It is what rating-prediction papers report. It rewards a model for knowing which listeners are generous, which orders
    nothing within a listener, so it stands beside the mean over listeners and never in its place.

    Args:
        recommender: fitted on the past of the split.
        split: what is past and what is test.
        listeners: of the whole set; the draws are over all of them, so that they are the same for every split.
        most_listeners: size of the sample that is visited, or None for all.
        seed: of the sample and the draws.
    """
    scores: list[Floats] = []
    labels: list[NDArray[np.int8]] = []
    people: list[NDArray[np.int64]] = []
    for own in States(split, State.FROZEN, most_listeners, MOST_ROWS, seed):
        for context, places in zip(own.contexts, own.predicted, strict=True):
            scores.append(recommender.score(context)[own.track[places]].astype(np.float64))
            labels.append(own.label[places])
            people.append(np.full(len(places), own.listener))
    if not scores:
        return None
    score, liked, who = np.concatenate(scores), np.concatenate(labels) > 0, np.concatenate(people)
    if liked.all() or not liked.any():
        return None
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    rows = _Rows(liked[order], who[order], starts)
    estimate = float(rows.auc(np.ones((1, listeners)))[0])
    if len(np.unique(who)) < FEWEST_UNITS:
        return Pooled(estimate, None)
    chunk = max(1, CHUNK_CELLS // len(score))
    drawn = [
        rows.auc(counts[start : start + chunk])
        for counts in draws(listeners, POOLED_RESAMPLES, seed)
        for start in range(0, len(counts), chunk)
    ]
    return Pooled(estimate, np.concatenate(drawn))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows by rising score: liked or not, whose, and where each run of equal scores begins."""

    liked: NDArray[np.bool_]
    who: NDArray[np.int64]
    starts: NDArray[np.int64]

    def auc(self, counts: Floats) -> Floats:
        """(B,) with the rows of each listener counting ``counts`` (B, listeners) times; a tie is worth half."""
        weight = counts[:, self.who]
        liked = np.add.reduceat(weight * self.liked, self.starts, axis=1)
        disliked = np.add.reduceat(weight * ~self.liked, self.starts, axis=1)
        below = np.cumsum(disliked, axis=1) - disliked
        won = (liked * (below + 0.5 * disliked)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return won / (liked.sum(axis=1) * disliked.sum(axis=1))


def by_popularity(recommender: Recommender, split: Split) -> ByPopularity | None:
    """Where tracks of each tenth of popularity come in the listeners' rankings (Mei et al. 2024, section 6.2).

    Every listener of the test is asked once a station, in the state at the cut; what they heard before takes part.

    Args:
        recommender: fitted on the past of the split.
        split: what is past and what is test.

    Returns:
        None with fewer tracks than tenths, or nobody to ask.
    """
    tracks = split.log.tracks
    states = States(split, State.FROZEN, MOST_RANKED, MOST_ROWS, BOOTSTRAP_SEED)
    if tracks < DECILES or not len(states):
        return None
    tenth = tenths(np.bincount(split.log.track[split.part != Part.TEST], minlength=tracks))
    size = np.bincount(tenth, minlength=DECILES)
    place, listed, asked = np.zeros(DECILES), np.zeros(DECILES), 0
    everything = np.arange(tracks)
    for own in states:
        for context in own.contexts:
            scores = recommender.score(context)
            ranks = (full_ranks(scores, everything) - 1.0) / (tracks - 1)
            place += np.bincount(tenth, ranks, minlength=DECILES) / size
            listed += np.bincount(tenth[top(scores, LIST_LENGTH)], minlength=DECILES) / min(LIST_LENGTH, tracks)
            asked += 1
    return ByPopularity(tuple((place / asked).tolist()), tuple((listed / asked).tolist()))


def tenths(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Tenth (n,) of each track by its count, 0 the least; tracks that tie are divided by their number."""
    order = np.argsort(counts, kind="stable")
    place = np.empty(len(counts), np.int64)
    place[order] = np.arange(len(counts))
    return place * DECILES // len(counts)
