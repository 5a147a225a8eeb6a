"""Pair AUC on the validation rows, quickly enough for every epoch of a training."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recommender.evaluation.metrics import same_state_wins
from recommender.evaluation.query_states import MOST_ROWS
from recommender.events import EventLog
from recommender.sequence.network import SequentialNetwork, on_device, tokens
from recommender.sequence.windows import (
    NO_TARGET,
    by_listener_and_station,
    joined,
    last_row_before,
    listener_rows,
    padded,
)

STATES_AT_ONCE = 64
"""Histories run through together; enough to keep a core busy, few enough to stay in its cache."""


class Validation(Protocol):
    """What says after every epoch how good the network is."""

    def pair_auc(self, network: SequentialNetwork) -> float | None:
        """Mean over listeners; None where there is no pair. The network is left in evaluation mode."""
        ...


class Validator:
    """The newest ``MOST_ROWS`` events of each listener and station scored in the state just before each: as the player lives.

    Each is compared with each other, so time and memory grow with the square of their number.

    Each listener's rows are run through in windows that overlap by half, and the state before an event is taken
    where at least half a window lies before it; so states see between half and all of the usual context.
    """

    def __init__(self, train: EventLog, validation: EventLog, length: int) -> None:
        both, later = joined(train, validation)
        self._log = both
        self._length = length
        self._windows: list[NDArray[np.int64]] = []
        self._state_of: dict[int, tuple[int, int]] = {}
        self._groups: list[NDArray[np.int64]] = []
        before = last_row_before(both)
        usable = np.flatnonzero(later & (both.label != 0) & (before != NO_TARGET))
        for judged in by_listener_and_station(both, usable):
            rows = judged[-MOST_ROWS:]
            if len(np.unique(both.label[rows])) > 1:
                self._groups.append(rows)
        needed = {int(before[row]) for rows in self._groups for row in rows}
        self._before = before
        for rows in listener_rows(both):
            self._place(rows, needed)

    def _place(self, rows: NDArray[np.int64], needed: set[int]) -> None:
        """Windows of one listener, each holding states for its second half (the first window for all of it)."""
        half = max(1, self._length // 2)
        for start in range(0, len(rows), half):
            part = rows[start : start + self._length]
            fresh = range(0 if start == 0 else self._length - half, len(part))
            wanted = [(int(part[i]), i) for i in fresh if int(part[i]) in needed]
            if wanted:
                self._state_of.update({row: (len(self._windows), i) for row, i in wanted})
                self._windows.append(part)

    @torch.no_grad()
    def pair_auc(self, network: SequentialNetwork) -> float | None:
        """Mean over listeners of the share of (+, -) pairs of a station that are ordered rightly; None without pairs."""
        if not self._groups:
            return None
        network.eval()
        hidden = self._hidden(network)
        won: dict[int, list[float]] = {}
        for rows in self._groups:
            station = on_device(self._log.station[rows], network.device)
            states = torch.stack([hidden[self._state_of[int(self._before[row])]] for row in rows])
            track = on_device(self._log.track[rows], network.device)
            scores = network.score(network.query(states, station).unsqueeze(1), track)
            wins = same_state_wins(scores.cpu().numpy(), self._log.label[rows])
            tally = won.setdefault(int(self._log.listener[rows[0]]), [0.0, 0.0])
            tally[0] += float(wins.sum())
            tally[1] += wins.size
        return float(np.mean([wins / pairs for wins, pairs in won.values()]))

    def _hidden(self, network: SequentialNetwork) -> dict[tuple[int, int], Tensor]:
        states: dict[tuple[int, int], Tensor] = {}
        size = network.config.batch
        for start in range(0, len(self._windows), size):
            parts = self._windows[start : start + size]
            rows, real = padded(parts, self._length)
            out = network(*tokens(self._log, rows, network))
            states.update({(start + b, t): out[b, t] for b, t in np.argwhere(real).tolist()})
        return states


class FrozenValidator:
    """Every listener scored once, in the state at the end of training: as a frozen evaluation measures the test.

    Of each listener the newest ``length`` training rows are input, and no validation row is.
    """

    def __init__(self, train: EventLog, validation: EventLog, length: int) -> None:
        self._log = train
        self._length = length
        judged = np.flatnonzero(validation.judged)
        groups = by_listener_and_station(validation, judged)
        groups = [rows for rows in groups if len(np.unique(validation.label[rows])) > 1]
        histories = {int(train.listener[rows[0]]): rows[-length:] for rows in listener_rows(train)}
        groups = [rows for rows in groups if int(validation.listener[rows[0]]) in histories]
        asked = sorted({int(validation.listener[rows[0]]) for rows in groups}, key=lambda who: len(histories[who]))
        place = {who: index for index, who in enumerate(asked)}
        self._histories = [histories[who] for who in asked]
        rows = np.concatenate(groups) if groups else np.empty(0, np.int64)
        self._track = torch.from_numpy(validation.track[rows])
        self._station = torch.from_numpy(validation.station[rows])
        self._state = torch.tensor([place[who] for who in validation.listener[rows].tolist()], dtype=torch.int64)
        pairs = [_pairs(validation.label[group]) for group in groups]
        starts = np.cumsum([0, *(len(group) for group in groups)])
        offset = [start + pair for start, pair in zip(starts, pairs, strict=False)]
        self._pairs = np.concatenate(offset, axis=1) if offset else np.empty((2, 0), np.int64)  # places of (+, -)

    @torch.no_grad()
    def pair_auc(self, network: SequentialNetwork) -> float | None:
        """Mean over listeners of the share of (+, -) pairs of a station that are ordered rightly; None without pairs."""
        if not self._histories:
            return None
        network.eval()
        station, track = self._station.to(network.device), self._track.to(network.device)
        query = network.query(self._states(network)[self._state.to(network.device)], station)
        scores = network.score(query, track).cpu().numpy()
        positive, negative = scores[self._pairs]
        won = (positive > negative) + 0.5 * (positive == negative)
        who = self._state.numpy()[self._pairs[0]]
        return float(np.mean(np.bincount(who, won) / np.bincount(who)))

    def _states(self, network: SequentialNetwork) -> Tensor:  # (listeners, d)
        states: list[Tensor] = []
        for start in range(0, len(self._histories), STATES_AT_ONCE):
            parts = self._histories[start : start + STATES_AT_ONCE]
            rows, _ = padded(parts, self._length)
            last = torch.tensor([len(part) - 1 for part in parts])
            states.append(network(*tokens(self._log, rows, network))[torch.arange(len(parts)), last])
        return torch.cat(states)


def _pairs(label: NDArray[np.int8]) -> NDArray[np.int64]:
    """Places (2, pairs) of each positive with each negative."""
    positive, negative = np.flatnonzero(label > 0), np.flatnonzero(label < 0)
    return np.stack([np.repeat(positive, len(negative)), np.tile(negative, len(positive))])
