"""What the parts of the one score weigh – what comes next, and whether it would be liked – chosen on validation rows.

Weighing P(like) more orders what was heard better (pair AUC) and foretells less well what will be heard (NDCG). Where exposure follows taste, as
with films that people choose, little is right; where tracks are handed out at random, nothing about what comes next can be known. And the
transformer, which knows the order of events, foretells the next choice, while the sum of the history, or the map of the shallow part, knows what is liked for longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.configuration import SequentialConfig
from recommender.evaluation.metrics import full_ranks, ndcg_of_ranks
from recommender.events import EventLog
from recommender.sequence.inputs import tokens
from recommender.sequence.network import SequentialNetwork
from recommender.sequence.windows import listener_rows, padded

ORDER_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 1.0)
APPEALS = (1.0, 2.0, 3.0, 4.0, 7.0, 10.0, 32.0)
STATES_AT_ONCE = 64
Floats = NDArray[np.float32]


def choose_weights(network: SequentialNetwork, train: EventLog, validation: EventLog) -> SequentialConfig:
    """The network's configuration with the best ``order_weight`` and ``appeal`` on the validation rows.

    The best are those with the highest sum of pair AUC and NDCG@10: a hundredth of the one is worth a hundredth of the other.
    Every listener is scored once, in the state at the end of ``train``; targets are ranked among the tracks that they have no
    row about. Weights of parts that the network does not have, and all where there is no pair or no like to rank, stay.
    """
    config = network.config
    listeners = _listeners(train, validation)
    orders = ORDER_WEIGHTS if network.worth is not None or network.shallow is not None else (config.order_weight,)
    appeals = APPEALS if network.taste is not None else (config.appeal,)
    measured: dict[SequentialConfig, tuple[float, float]] = {}
    try:
        for order, appeal in product(orders, appeals):
            network.config = replace(config, order_weight=order, appeal=appeal)
            measured[network.config] = _measure(network, train, validation, listeners)
    finally:
        network.config = config
    if np.isnan(list(measured.values())).any():
        return config
    return max(measured, key=lambda each: sum(measured[each]))


@dataclass(frozen=True, slots=True)
class _Listener:
    """One listener's rows of the training part, and judged rows of the validation part."""

    history: NDArray[np.int64]
    asked: NDArray[np.int64]


def _listeners(train: EventLog, validation: EventLog) -> list[_Listener]:
    """Those with both, by the length of their history."""
    histories = {int(train.listener[rows[0]]): rows for rows in listener_rows(train)}
    judged = np.flatnonzero(validation.judged)
    judged = judged[np.argsort(validation.listener[judged], kind="stable")]
    groups = np.split(judged, np.flatnonzero(np.diff(validation.listener[judged])) + 1)
    found = [
        _Listener(histories[who], rows)
        for rows in groups
        if len(rows) and (who := int(validation.listener[rows[0]])) in histories
    ]
    return sorted(found, key=lambda each: len(each.history))


def _measure(
    network: SequentialNetwork, train: EventLog, validation: EventLog, listeners: list[_Listener]
) -> tuple[float, float]:
    """Mean pair AUC and mean NDCG@10 over the listeners who have them; NaN where nobody has."""
    pairs: list[float] = []
    ndcgs: list[float] = []
    for own, scores in _scores(network, train, validation, listeners):
        track, liked = validation.track[own.asked], validation.label[own.asked] > 0
        above, below = scores[track[liked]], scores[track[~liked]]
        if len(above) and len(below):
            difference = above[:, None] - below
            pairs.append(float(np.mean((difference > 0) + 0.5 * (difference == 0))))
        heard = train.track[own.history]
        scores[heard] = -np.inf
        ndcg = ndcg_of_ranks(full_ranks(scores, np.setdiff1d(track[liked], heard)))
        if ndcg is not None:
            ndcgs.append(ndcg)
    return (float(np.mean(pairs)) if pairs else np.nan), (float(np.mean(ndcgs)) if ndcgs else np.nan)


@torch.no_grad()
def _scores(
    network: SequentialNetwork, train: EventLog, validation: EventLog, listeners: list[_Listener]
) -> Iterator[tuple[_Listener, Floats]]:
    """Every track's score (tracks,) for each listener on the station of their first row asked about."""
    network.eval()
    length, device = network.config.length, network.device
    tracks = network.scored(torch.arange(train.tracks, device=device))
    for start in range(0, len(listeners), STATES_AT_ONCE):
        group = listeners[start : start + STATES_AT_ONCE]
        parts = [own.history[-length:] for own in group]
        rows, _ = padded(parts, length)
        last = torch.tensor([len(part) - 1 for part in parts], device=device)
        state = network(*tokens(train, rows, network))[torch.arange(len(group), device=device), last]
        station = torch.from_numpy(validation.station[[own.asked[0] for own in group]]).to(device)
        scores = network.score_all(network.query(state, station), tracks).cpu().numpy()
        yield from zip(group, scores, strict=True)
