"""The configuration of an experiment over ``p_hard``, the share of real negatives that the sequential model is trained with."""

from dataclasses import dataclass, replace
from enum import StrEnum

from recommender.configuration import Negatives, SequentialConfig
from recommender.datasets.dataset import Dataset
from recommender.evaluation.query_states import State
from recommender.experiments.records import ExperimentError
from recommender.experiments.run_config import ProtocolConfig, SplitName, configure

PAPER = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""The values of Mei et al. 2024, Fig. 1."""
BESIDE = ("like-rate", "popularity")
"""What always stands beside: a gain may merely be having learned what everybody dislikes."""


class Mode(StrEnum):
    """The sequential model that is trained."""

    FAITHFUL = "faithful"
    """As in the paper."""
    BEST = "best"
    """What measured best; ``p_hard`` is how often a real negative stands against the target in a term of its own."""


class Tracks(StrEnum):
    """The representation of a track in the model."""

    IDS = "ids"
    """An embedding of its own, as in the paper."""
    CONTENT = "content"
    """The same, added to what its content vector gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PHardConfig(ProtocolConfig):
    """Everything, besides the data, that determines the figures.

    Attributes:
        p_hard: values, rising.
        config: sizes and schedule; its ``p_hard`` is replaced by each value, all else is the same for every one.
        mode: which model.
        tracks: what a track is to it.
        beside: baselines that are measured too.
    """

    p_hard: tuple[float, ...]
    config: SequentialConfig
    mode: Mode = Mode.FAITHFUL
    tracks: Tracks = Tracks.IDS
    beside: tuple[str, ...] = BESIDE


def parse_p_hard(text: str) -> tuple[float, ...]:
    """``0,.4,1`` as rising numbers without repeats.

    Raises:
        ExperimentError: something is no number in 0…1, or there is none.
    """
    values: set[float] = set()
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = float("nan")
        if not 0.0 <= value <= 1.0:
            raise ExperimentError(
                f"p_hard is a share between 0 and 1, not {part.strip()!r}: write for example --p-hard 0,.2,.4,1."
            )
        values.add(value + 0.0)  # -0.0 is 0
    return tuple(sorted(values))


def configure_p_hard(
    dataset: Dataset,
    config: SequentialConfig,
    *,
    p_hard: tuple[float, ...] = PAPER,
    seeds: int = 1,
    mode: Mode = Mode.FAITHFUL,
    negatives: Negatives = Negatives.BOTH,
    tracks: Tracks = Tracks.IDS,
    split: SplitName | None = None,
    state: State | None = None,
    most_listeners: int | None = None,
) -> PHardConfig:
    """The configuration for a data set, with what fits it filled in as for the baselines.

    Args:
        dataset: what is measured on.
        config: sizes and schedule.
        p_hard: values, rising.
        seeds: how many; 0, 1, … are used.
        mode: which model the configuration is of.
        negatives: which feedback counts as a real negative.
        tracks: what a track is to the model.
        split: left out, random without a clock, else each listener's last rows or, with few listeners, one moment.
        state: left out, walking where there are few listeners and a clock, else frozen.
        most_listeners: size of the sample of listeners that is measured on, or None for all.

    Raises:
        ExperimentError: the data set lacks a clock, content, or the kind of negatives that are asked for.
    """
    base = configure(
        dataset, models=",".join(BESIDE), seeds=seeds, split=split, state=state, most_listeners=most_listeners
    )
    if tracks is Tracks.CONTENT and dataset.content is None:
        raise ExperimentError(f"{dataset.name} has no content vectors: use --items ids, or give the audio.")
    _check_negatives(dataset, negatives)
    return PHardConfig(
        dataset=base.dataset,
        p_hard=p_hard,
        seeds=base.seeds,
        split=base.split,
        state=base.state,
        candidates=base.candidates,
        config=replace(config, negatives=negatives, p_hard=0.0),
        mode=mode,
        tracks=tracks,
        most_listeners=most_listeners,
    )


def _check_negatives(dataset: Dataset, negatives: Negatives) -> None:
    if negatives is Negatives.BOTH:
        return
    log = dataset.log
    wanted = (log.label < 0) & (log.explicit == (negatives is Negatives.EXPLICIT))
    if not wanted.any():
        raise ExperimentError(f"{dataset.name} has no {negatives} negatives: use --negatives both.")
