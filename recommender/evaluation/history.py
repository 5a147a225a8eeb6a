"""A stored model measured on a listener's own history, beside the baselines; free of torch."""

from collections.abc import Sequence

import numpy as np

from recommender.baselines import (
    ContentNeighbours,
    LikeRate,
    PersonalMostPlayed,
    Popularity,
    RandomOrder,
    Recommender,
)
from recommender.evaluation.protocol import count_pairs, evaluate
from recommender.evaluation.report import Evaluation
from recommender.evaluation.splits import split_at
from recommender.evaluation.states import State
from recommender.events import EventLog, TimeSplit, split_by_time
from recommender.live import UNTRAINED, AsServed
from recommender.model import Model
from recommender.promotion import FEWEST_PAIRS
from recommender.scoring import Catalogue, ModelScorer

GATE_SHARES = (0.15, 0.2, 0.25, 0.3)
"""The gate is the newest 15 % of the history, or as much more as it takes to hold enough pairs."""
MODEL = "model"
"""What tables call the model that is measured."""


def split_with_pairs(log: EventLog) -> TimeSplit:
    """Cut the log in time, the gate growing from 15 % to at most 30 % until it holds enough pairs to compare on."""
    for share in GATE_SHARES:
        split = split_by_time(log, validation_share=GATE_SHARES[0], gate_share=share)
        if count_pairs(split.gate) >= FEWEST_PAIRS:
            return split
    return split_by_time(log, validation_share=GATE_SHARES[0], gate_share=GATE_SHARES[0])


def baseline_recommenders(catalogue: Catalogue, seed: int = 0) -> list[Recommender]:
    """The baselines every model stands beside, chance first; the last is the player itself without any training."""
    return [
        RandomOrder(seed),
        Popularity(),
        LikeRate(),
        PersonalMostPlayed(),
        ContentNeighbours(catalogue.vectors),
        AsServed(catalogue, None, UNTRAINED),
    ]


def evaluate_history(
    recommenders: Sequence[Recommender], log: EventLog, gate_from: float, catalogue: Catalogue, seed: int = 0
) -> Evaluation:
    """Walk recommenders through what came after a moment, each event scored in the state before it.

    Args:
        recommenders: with distinct names; trained models take no notice of the fit.
        log: the whole history.
        gate_from: seconds, on the log's clock; rows from here on are measured on, those before are learned from.
        catalogue: the log's tracks.
        seed: of the bootstrap.
    """
    split = split_at(log, gate_from)
    return evaluate(recommenders, split, state=State.WALKING, content=catalogue.vectors, seed=seed)


def evaluate_model(model: Model | None, log: EventLog, catalogue: Catalogue, seed: int = 0) -> Evaluation:
    """Measure a model (or just the baselines) on the newest slice of a log that the model has not seen.

    Raises:
        ValueError: when the model was trained on other vectors than the catalogue's.
    """
    recommenders = baseline_recommenders(catalogue, seed)
    if len(log) == 0:
        return evaluate_history(recommenders, log, np.inf, catalogue, seed)
    gate_from = float(split_with_pairs(log).gate.time[0])
    if model is not None:
        recommenders = [AsServed(catalogue, ModelScorer(model, catalogue), MODEL), *recommenders]
        gate_from = max(gate_from, float(np.nextafter(model.card.seen_until, np.inf)))
    return evaluate_history(recommenders, log, gate_from, catalogue, seed)
