"""The sequential model: a causal transformer over (track, outcome, station) tokens that predicts the next like.

SASRec (Kang & McAuley 2018) with negative feedback as input, an embedding for each outcome (Mei et al., UMAP 2024),
and negatives of which a share are the listener's own (Mei et al. 2024). A track is its content through a linear
tower plus an embedding of its own that is shrunk by how rarely it was heard, so a track never heard has a score.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.configuration import SequentialConfig
from recommender.events import EventLog
from recommender.sequence.network import Items, SequentialNetwork
from recommender.sequence.validation import FrozenValidator, Validation, Validator
from recommender.training.row_sources import RowsInMemory
from recommender.training.trainer import Setting, train_on
from recommender.training.training_state import EpochReport, TrainedSequence

__all__ = [
    "EpochReport",
    "FrozenValidator",
    "Items",
    "SequentialNetwork",
    "TrainedSequence",
    "Validator",
    "export_sequential",
    "train_sequential",
]

OWN = "sequence.own"
"""The tracks' own embeddings among the exported arrays, already shrunk there."""


def train_sequential(
    train: EventLog,
    validation: EventLog,
    content: NDArray[np.float32],
    config: SequentialConfig,
    seed: int,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
    *,
    validator: Validation | None = None,
    start: Mapping[str, NDArray[np.float32]] | None = None,
) -> TrainedSequence:
    """Train until the validation pair AUC stops rising, and keep the best epoch.

    Args:
        train: what is learned from.
        validation: later rows of the same listeners, for stopping only; without pairs all epochs are run.
        content: (tracks, dim) float32 standardised vectors, zero rows where there is none; dim may be 0.
        config: sizes and schedule.
        seed: of weights, windows, negatives and dropout.
        on_epoch: told about every epoch.
        should_stop: asked after every epoch; the best epoch so far is kept.
        validator: says how good an epoch is; left out, every validation row is scored in the state before it.
        start: weights to begin with, named and shaped as :func:`export_sequential` gives them, the rows of tracks and
            stations matched to this log by the caller; arrays left out, and entries that are NaN, begin afresh; constants
            (:meth:`SequentialNetwork.constants`) are passed over.

    Raises:
        ValueError: when no position has a positive to predict, or ``start`` does not fit the network.
    """
    source = RowsInMemory(train)
    if source.objective(0, config).empty:
        raise ValueError("the sequential model needs a positive after another event of the same listener")
    return train_on(
        source,
        validator or Validator(train, validation, config.length),
        content,
        config,
        seed,
        Setting(on_epoch=on_epoch, should_stop=should_stop),
        prepare=lambda network, items: None if start is None else _start_from(network, items, start),
    )


@torch.no_grad()
def _start_from(network: SequentialNetwork, items: Items, start: Mapping[str, NDArray[np.float32]]) -> None:
    """Put weights of an earlier model in place of the fresh ones; NaN leaves a fresh one."""
    parameters = {f"sequence.{name}": value for name, value in network.state_dict(keep_vars=True).items()}
    constants = {f"sequence.{name}" for name in network.constants()}
    for name, array in start.items():
        if name in constants:  # follow from the new log
            continue
        if name not in parameters:
            raise ValueError(f"the weights to start from hold {name}, which this network does not have")
        parameter = parameters[name]
        if array.shape != tuple(parameter.shape):
            raise ValueError(f"{name} to start from has shape {array.shape} instead of {tuple(parameter.shape)}")
        weights = np.asarray(array, np.float32)
        if name == OWN:  # stored as the scores use them; the network shrinks them itself
            shrink = items.shrink[:, None]
            weights = np.divide(weights, shrink, out=np.full_like(weights, np.nan), where=shrink > 0.0)
        earlier = torch.from_numpy(weights).to(parameter.device)
        parameter.copy_(torch.where(torch.isnan(earlier), parameter, earlier))


def export_sequential(trained: TrainedSequence) -> dict[str, NDArray[np.float32]]:
    """The weights as arrays under ``sequence.``, own embeddings already shrunk, for ``inference.SequenceScorer``.

    Beside what was learned there are the constants that serving needs (:meth:`SequentialNetwork.constants`).
    """
    known = trained.network.state_dict() | trained.network.constants()
    arrays = {f"sequence.{name}": value.detach().numpy().copy() for name, value in known.items()}
    arrays[OWN] *= trained.items.shrink[:, None]
    for table in ("sequence.station", "sequence.asked"):
        arrays[table][0] = 0.0
    return arrays
