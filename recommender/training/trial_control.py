"""Training the control of a trial: the sequence anew and without negatives, the blend by the same procedure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import torch

from recommender.configuration import SequentialConfig
from recommender.events import EventLog, TimeSplit
from recommender.models.blend import Component
from recommender.models.model_card import Model
from recommender.models.model_scorer import Catalogue, WithoutNegatives, without_negatives
from recommender.models.numpy_inference import Standardisation
from recommender.sequence.validation import FrozenValidator
from recommender.sequence.windows import NO_TARGET, following_positives
from recommender.training.sequential_recommender import EpochReport, export_sequential, train_sequential
from recommender.training.tuning import fit_model_blend, with_blend

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALIDATION_SHARE = 0.15 / 0.85
"""Of what the live model has seen: the share of its own validation part (``events.split_by_time``)."""
OWN_ARRAYS = ("sequence.", "track_ids", "station_ids")
"""What the names of the arrays begin with that are the sequence's."""


class ControlError(Exception):
    """No control can be trained; the message is one sentence that says why."""


def train_control(
    live: Model,
    log: EventLog,
    catalogue: Catalogue,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
) -> Model:
    """The live model as it would be had its sequence never been told of a dislike or a skip.

    It learns from no row that the live model has not seen, and from all of those but the negative ones.

    Args:
        live: the model that serves.
        log: the whole history; its indices are the catalogue's.
        catalogue: tracks, stations and content vectors.
        on_epoch: told about every epoch.
        should_stop: asked after every epoch; the best epoch so far is kept.

    Returns:
        The control, not promoted and without metrics: it is measured by the trial.

    Raises:
        ControlError: no liked track follows another event in what the live model has seen, or the sequence counts for
            nothing in either.
    """
    seen = log.where(log.time <= live.card.seen_until)
    cut = float(seen.time[round(len(seen) * (1.0 - VALIDATION_SHARE))]) if len(seen) else 0.0
    validation = seen.where(seen.time >= cut)
    train = without_negatives(seen.where(seen.time < cut))
    if not np.any(following_positives(train) != NO_TARGET):
        raise ControlError("No liked track follows another in the history, so there is nothing to train a control on.")
    config = without_hard_negatives(live.card.configuration.sequential)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the music needs the other
    try:
        trained = train_sequential(
            train=train,
            validation=validation,
            content=Standardisation.of(catalogue.vectors).apply(catalogue.vectors),
            config=config,
            seed=live.card.configuration.seed,
            on_epoch=on_epoch,
            should_stop=should_stop,
            validator=FrozenValidator(train, validation, config.length),
        )
    finally:
        torch.set_num_threads(threads)
    heard = np.flatnonzero(trained.items.row)
    arrays: dict[str, NDArray[np.generic]] = {
        **{name: array for name, array in live.arrays.items() if not name.startswith(OWN_ARRAYS)},
        **export_sequential(trained),
        "track_ids": catalogue.track_ids[heard].astype(np.int64),
        "station_ids": catalogue.station_ids[: trained.network.stations].astype(np.int64),
    }
    card = replace(
        live.card,
        version="",
        sha256="",
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
        configuration=replace(live.card.configuration, sequential=config),
        metrics=(),
        promoted=False,
        reason=f"The control of a trial: {live.card.version} without negative feedback. It never serves alone.",
    )
    control = Model(card, arrays)
    split = TimeSplit(train=seen.where(seen.time < cut), validation=validation, gate=seen.first(0))
    control = with_blend(
        control, fit_model_blend(WithoutNegatives(control, catalogue), seen, split, card.configuration.seed)
    )
    if not control.card.blend.weights[Component.SEQUENCE] and not live.card.blend.weights[Component.SEQUENCE]:
        raise ControlError(
            f"The sequence counts for nothing in model {live.card.version}, nor without negatives, so there is nothing to "
            "compare yet: listen on and retrain."
        )
    return control


def without_hard_negatives(config: SequentialConfig) -> SequentialConfig:
    """The same network and schedule without any target that needs a dislike."""
    return replace(config, p_hard=0.0, hard_weight=0.0)
