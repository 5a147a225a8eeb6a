"""One recommender asked about one listener, and every measure of the answer.

Rows have weights (B, R), how often each of the listener's R rows counts in each of B resamples, and a measure gives
(B,) figures; all ones gives the plain figure. So the same few lines serve the estimate and, for a single listener, the
resamples over sessions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.metric_names import LIST_LENGTH, Measure
from recommender.evaluation.metrics import (
    artist_spread,
    called_by_probability,
    called_by_rank,
    full_ranks,
    hit_rate_of_ranks,
    intra_list_distance,
    ndcg_of_ranks,
    novelty,
    recall_of_ranks,
    same_state_wins,
    top,
)
from recommender.evaluation.query_states import ListenerStates, station_groups
from recommender.interfaces import Context, Recommender

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.int64]
Probable = Callable[[NDArray[np.float32]], NDArray[np.floating]]


class Candidates(StrEnum):
    """Among which tracks a target is ranked and lists are drawn up."""

    CATALOGUE = "catalogue"
    """All tracks, as befits music, which is heard again."""
    UNHEARD = "unheard"
    """Those the listener has no row about, as befits ratings, which are given once; a target heard before has no rank."""


@runtime_checkable
class StatesProbability(Protocol):
    """A recommender whose scores mean a probability of being liked."""

    def probability(self, scores: NDArray[np.float32]) -> NDArray[np.floating]:
        """P(like), 0…1, of each of the scores that ``score`` gave."""
        ...


@runtime_checkable
class ScoresInBatches(Protocol):
    """A recommender that answers many situations at once, in less time than one by one."""

    def score_batch(self, contexts: Sequence[Context]) -> NDArray[np.float32]:
        """Scores (contexts, tracks), each row as ``score`` gives it."""
        ...


SCORED_CELLS = 2_000_000
"""Scores that are asked for at a time, where a recommender answers in batches: 8 MB."""


def scores_of(recommender: Recommender, contexts: Sequence[Context], tracks: int) -> Iterator[NDArray[np.float32]]:
    """The scores (tracks,) of each situation, some at a time."""
    if not isinstance(recommender, ScoresInBatches):
        yield from map(recommender.score, contexts)
        return
    together = max(1, SCORED_CELLS // tracks)
    for first in range(0, len(contexts), together):
        yield from recommender.score_batch(contexts[first : first + together])


@dataclass(frozen=True, slots=True)
class MetricInputs:
    """What measures need to know besides the answers.

    Attributes:
        candidates: among what targets are ranked.
        base_share: share of likes assumed for a listener without past feedback.
        units: (n, d) content of length 1, or None.
        information: (n,) bits of each track.
        artist: (n,) codes, or None.
    """

    candidates: Candidates
    base_share: float
    units: NDArray[np.float32] | None
    information: Floats
    artist: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What one recommender said about one listener's rows.

    Attributes:
        table: (R, R) scores, in the state of row i, of the tracks of all rows.
        rank: (R,) of each row's track among the candidates; NaN for a track that is none.
        called: (R,) bool, whether the track is called liked.
        probability: (R,) P(like), or None when the scores are no probabilities.
        exposed: the list of each state.
    """

    table: NDArray[np.float32]
    rank: Floats
    called: Bools
    probability: Floats | None
    exposed: tuple[NDArray[np.int64], ...]


def answers_of(
    name: str,
    scored: Iterator[NDArray[np.float32]],
    probable: Probable | None,
    states: ListenerStates,
    tracks: int,
    setting: MetricInputs,
) -> Answers:
    """The answers that a recommender's scores of a listener's states amount to.

    Args:
        name: of the recommender.
        scored: its scores of each state; no more are taken than the listener has.
        probable: turns its scores into probabilities, or None when they mean none.
        states: of the listener.
        tracks: size of the catalogue.
        setting: the rest.

    Raises:
        ValueError: a score is missing or is not finite.
    """
    count = len(states.rows)
    alone = len(states.contexts) == count  # every row in a state of its own
    table = np.zeros((count, count) if alone else (1, count), np.float32)
    rank, catalogue_rank = np.empty(count), np.empty(count)
    probability = None if probable is None else np.empty(count)
    exposed: list[NDArray[np.int64]] = []
    for context, places in zip(states.contexts, states.predicted, strict=True):
        scores = next(scored)
        _check(scores, tracks, name)
        targets = states.track[places]
        if alone:
            table[places] = scores[states.track]
        else:
            table[0, places] = scores[targets]
        if probable is not None and probability is not None:
            probability[places] = probable(scores)[targets]
        catalogue_rank[places] = full_ranks(scores, targets)
        open_to = _candidates(scores, context.history.track, setting)
        ranked = catalogue_rank[places] if open_to is scores else full_ranks(open_to, targets)
        rank[places] = np.where(np.isneginf(open_to[targets]), np.nan, ranked)
        listed = top(open_to, LIST_LENGTH)
        exposed.append(listed[~np.isneginf(open_to[listed])])
    share = setting.base_share if np.isnan(states.past_share) else states.past_share
    called = (
        called_by_rank(catalogue_rank, tracks, share) if probability is None else called_by_probability(probability)
    )
    square = table if alone else np.broadcast_to(table, (count, count))
    return Answers(square, rank, called, probability, tuple(exposed))


def _candidates(scores: NDArray[np.float32], heard: NDArray[np.int64], setting: MetricInputs) -> NDArray[np.float32]:
    if setting.candidates is Candidates.CATALOGUE:
        return scores
    masked = scores.astype(np.float32)
    masked[heard] = -np.inf
    return masked


def _check(scores: NDArray[np.float32], tracks: int, name: str) -> None:
    if scores.shape != (tracks,):
        raise ValueError(f"{name} gave scores of shape {scores.shape} for {tracks} tracks")
    if not np.isfinite(scores).all():
        raise ValueError(f"{name} gave a score that is not finite, for track {int(np.argmin(np.isfinite(scores)))}")


class Among(StrEnum):
    """Which of the liked targets count as relevant."""

    ALL = "all"
    REPEAT = "repeat"
    """Those the listener had heard before."""
    EXPLORE = "explore"


@dataclass(frozen=True, slots=True)
class Targets:
    """What measures look at in a listener's rows; the same for every recommender, so worked out once.

    Attributes:
        states: of the listener.
        weights: (B, R) how often each row counts in each resample; all ones gives the plain figure.
        state_weights: (B, S) the same of each state: that of its rows on average.
        liked: (R,) bool.
        relevant: for each kind, the places of the distinct liked tracks of each state that has any, and (R') which states.
        explicit_groups, implicit_groups: as ``states.groups``, of the rows the listener said and showed.
    """

    states: ListenerStates
    weights: Floats
    state_weights: Floats
    liked: Bools
    relevant: Mapping[Among, tuple[tuple[Places, ...], Places]]
    explicit_groups: tuple[Places, ...]
    implicit_groups: tuple[Places, ...]

    @classmethod
    def of(cls, states: ListenerStates, setting: MetricInputs, weights: Floats) -> "Targets":
        """Work them out."""
        liked = states.label > 0
        ranked = liked if setting.candidates is Candidates.CATALOGUE else liked & ~states.heard
        if len(states.contexts) == len(states.rows):
            state_weights = weights
        else:
            state_weights = np.stack([weights[:, places].mean(axis=1) for places in states.predicted], axis=1)
        kinds = {Among.ALL: ranked, Among.REPEAT: ranked & states.heard, Among.EXPLORE: ranked & ~states.heard}
        return cls(
            states=states,
            weights=weights,
            state_weights=state_weights,
            liked=liked,
            relevant={kind: _relevant(states, mask) for kind, mask in kinds.items()},
            explicit_groups=_groups(states, states.explicit),
            implicit_groups=_groups(states, ~states.explicit),
        )


def _relevant(states: ListenerStates, mask: Bools) -> tuple[tuple[Places, ...], Places]:
    """Places of each state's distinct tracks within the mask, and the states that have any."""
    found: list[Places] = []
    where: list[int] = []
    for state, predicted in enumerate(states.predicted):
        places = predicted[mask[predicted]]
        if len(places):
            found.append(places[np.unique(states.track[places], return_index=True)[1]])
            where.append(state)
    return tuple(found), np.array(where, np.int64)


def _groups(states: ListenerStates, mask: Bools) -> tuple[Places, ...]:
    places = np.flatnonzero(mask)
    return tuple(places[group] for group in station_groups(states.station[places], states.label[places]))


def measure(
    answers: Answers, targets: Targets, setting: MetricInputs, measures: Iterable[Measure]
) -> dict[Measure, Floats]:
    """Every measure that one listener can have alone, (B,) each, NaN where it is not defined.

    Args:
        answers: of one recommender.
        targets: of the listener.
        setting: the rest.
        measures: which.
    """
    look = _Look(answers, targets, setting)
    return {which: _FUNCTIONS[which](look) for which in measures if which in _FUNCTIONS}


@dataclass(frozen=True, slots=True)
class _Look:
    """All that a measure is computed from."""

    answers: Answers
    targets: Targets
    setting: MetricInputs

    def over_rows(self, values: NDArray[np.generic], mask: Bools) -> Floats:
        """Weighted mean of the values (R,) of rows where ``mask`` holds and the value is defined."""
        numbers = values.astype(np.float64)
        kept = mask & np.isfinite(numbers)
        return _mean(numbers[kept], self.targets.weights[:, kept])

    def over_relevant(self, function: Callable[[Floats], float | None], among: Among) -> Floats:
        """Weighted mean over states of a figure of the ranks of their relevant tracks."""
        places, where = self.targets.relevant[among]
        found = np.array([function(self.answers.rank[each]) for each in places], np.float64)
        return _mean(found, self.targets.state_weights[:, where])

    def over_lists(self, function: Callable[[Places], float | None]) -> Floats:
        """Weighted mean over states of a figure of the list."""
        found = np.array([function(listed) for listed in self.answers.exposed], np.float64)  # None becomes NaN
        known = np.isfinite(found)
        return _mean(found[known], self.targets.state_weights[:, known])

    def of_pairs(self, groups: Iterable[Places]) -> Floats:
        """Share of the pairs within groups that the positive wins."""
        return pair_auc_of_groups(self.answers.table, self.targets.states.label, groups, self.targets.weights)

    def within_sessions(self) -> Floats:
        """The mean over sessions of the share of a session's pairs that the positive wins, each scored in its own state."""
        table, states = self.answers.table, self.targets.states
        own = np.broadcast_to(np.diagonal(table), table.shape)
        each = [pair_auc_of_groups(own, states.label, [places], self.targets.weights) for places in states.sessions]
        found = np.stack(each) if each else np.full((1, len(self.targets.weights)), np.nan)
        known = np.isfinite(found)
        with np.errstate(invalid="ignore"):
            return np.where(known, found, 0.0).sum(axis=0) / known.sum(axis=0)


def _mean(values: Floats, weights: Floats) -> Floats:
    """Weighted means (B,) of values (V,) with weights (B, V); NaN where they weigh nothing."""
    if len(values) == 0:
        return np.full(len(weights), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ values) / weights.sum(axis=1)


def pair_auc_of_groups(
    table: NDArray[np.float32], label: NDArray[np.int8], groups: Iterable[Places], weights: Floats
) -> Floats:
    """Share (B,) of the pairs within groups that the positive wins when rows count as ``weights`` (B, R) say.

    Args:
        table: (R, R) scores, in the state of row i, of the tracks of all rows.
        label: (R,) +1 or -1.
        groups: places of each group, in time order.
        weights: (B, R).
    """
    won, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for places in groups:
        wins = same_state_wins(table[np.ix_(places, places)], label[places])
        plus, minus = weights[:, places[label[places] > 0]], weights[:, places[label[places] < 0]]
        won += ((plus @ wins) * minus).sum(axis=1)
        pairs += plus.sum(axis=1) * minus.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return won / pairs


def _auroc(look: _Look) -> Floats:
    """All liked rows against all disliked, whatever the station, each scored in its own state."""
    table, label = look.answers.table, look.targets.states.label
    own = np.broadcast_to(np.diagonal(table), table.shape)
    return pair_auc_of_groups(own, label, [np.flatnonzero(label)], look.targets.weights)


def _all(look: _Look) -> Bools:
    return np.ones(len(look.targets.liked), np.bool_)


def _reciprocal(look: _Look) -> Floats:
    return 1.0 / look.answers.rank


def _intra_list(look: _Look) -> Floats:
    units = look.setting.units
    return look.over_lists(lambda tracks: None if units is None else intra_list_distance(units, tracks))


def _artists(look: _Look) -> Floats:
    artist = look.setting.artist
    return look.over_lists(lambda tracks: None if artist is None else artist_spread(artist, tracks))


def _brier(look: _Look) -> Floats:
    probability = look.answers.probability
    if probability is None:
        return np.full(len(look.targets.weights), np.nan)
    return look.over_rows((probability - look.targets.liked) ** 2, _all(look))


_FUNCTIONS: dict[Measure, Callable[[_Look], Floats]] = {
    Measure.PAIR_AUC: lambda look: look.of_pairs(look.targets.states.groups),
    Measure.PAIR_AUC_SESSION: lambda look: look.within_sessions(),
    Measure.PAIR_AUC_EXPLICIT: lambda look: look.of_pairs(look.targets.explicit_groups),
    Measure.PAIR_AUC_IMPLICIT: lambda look: look.of_pairs(look.targets.implicit_groups),
    Measure.MRR_POSITIVE: lambda look: look.over_rows(_reciprocal(look), look.targets.liked),
    Measure.MRR_NEGATIVE: lambda look: look.over_rows(_reciprocal(look), ~look.targets.liked),
    Measure.NDCG: lambda look: look.over_relevant(ndcg_of_ranks, Among.ALL),
    Measure.NDCG_REPEAT: lambda look: look.over_relevant(ndcg_of_ranks, Among.REPEAT),
    Measure.NDCG_EXPLORE: lambda look: look.over_relevant(ndcg_of_ranks, Among.EXPLORE),
    Measure.HIT_RATE: lambda look: look.over_relevant(hit_rate_of_ranks, Among.ALL),
    Measure.HIT_RATE_REPEAT: lambda look: look.over_relevant(hit_rate_of_ranks, Among.REPEAT),
    Measure.HIT_RATE_EXPLORE: lambda look: look.over_relevant(hit_rate_of_ranks, Among.EXPLORE),
    Measure.RECALL: lambda look: look.over_relevant(recall_of_ranks, Among.ALL),
    Measure.RECALL_REPEAT: lambda look: look.over_relevant(recall_of_ranks, Among.REPEAT),
    Measure.RECALL_EXPLORE: lambda look: look.over_relevant(recall_of_ranks, Among.EXPLORE),
    Measure.INTRA_LIST_DISTANCE: _intra_list,
    Measure.NOVELTY: lambda look: look.over_lists(lambda tracks: novelty(look.setting.information, tracks)),
    Measure.ARTIST_SPREAD: _artists,
    Measure.ACCURACY: lambda look: look.over_rows(look.answers.called == look.targets.liked, _all(look)),
    Measure.PRECISION: lambda look: look.over_rows(look.targets.liked, look.answers.called),
    Measure.TRUE_POSITIVE_RATE: lambda look: look.over_rows(look.answers.called, look.targets.liked),
    Measure.AUROC: _auroc,
    Measure.FALSE_POSITIVE_RATE: lambda look: look.over_rows(look.answers.called, ~look.targets.liked),
    Measure.BRIER: _brier,
}
