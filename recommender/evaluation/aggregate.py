"""What is gathered over all listeners: exposures on the catalogue, calibration, what the test holds and what it therefore cannot show."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.bootstrap import draws
from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metric_runner import Answers, Candidates
from recommender.evaluation.metrics import BINS, bin_of, coverage, ece_of_sums, entropy, gini
from recommender.evaluation.query_states import ListenerStates

Floats = NDArray[np.float64]

EXPOSURE_RESAMPLES = 200
"""Gini, coverage and entropy cost a pass over the catalogue for each resample, and vary little."""


@dataclass(frozen=True, slots=True)
class WholeFigure:
    """A figure and itself in each resample (B,), None when nothing was redrawn."""

    estimate: float
    resampled: Floats | None


@dataclass(slots=True)
class Gathered:
    """What one recommender put before all listeners, and what it promised them.

    Attributes:
        tracks: size of the catalogue.
        lists: the list of each state.
        owner: (S) place of the listener of each list.
        list_weights: (B,) of each list, where rows are redrawn; empty where listeners are.
        promises: (L) entries (1 or 1 + B, BINS · 3), rows, sums of probabilities and likes of each bin: plain, then redrawn.
    """

    tracks: int
    lists: list[NDArray[np.int32]] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    list_weights: list[NDArray[np.float32]] = field(default_factory=list)
    promises: list[Floats] = field(default_factory=list)

    def add(self, place: int, answers: Answers, states: ListenerStates, weights: Floats) -> None:
        """Take in the answers about one listener; ``weights`` (1 or 1 + B, R) are ones, then those of resamples."""
        for listed, places in zip(answers.exposed, states.predicted, strict=True):
            self.lists.append(listed.astype(np.int32))
            self.owner.append(place)
            if len(weights) > 1:
                self.list_weights.append(weights[1:, places].mean(axis=1).astype(np.float32))
        if answers.probability is not None:
            self.promises.append(_promises(answers.probability, states.label > 0, weights))

    def figures(self, listeners: int, resamples: int, seed: int) -> dict[Measure, WholeFigure]:
        """All that is defined; resampled by rows where their weights were given, else by listeners."""
        if not self.lists:
            return {}
        found = self._exposures(listeners, resamples, seed)
        if self.promises:
            sums = np.stack(self.promises)
            estimate = ece_of_sums(sums[:, 0].sum(axis=0).reshape(BINS, 3))
            if estimate is not None:
                found[Measure.ECE] = WholeFigure(estimate, _redrawn_ece(sums, listeners, resamples, seed))
        return found

    def reliability(self) -> Floats | None:
        """(BINS, 3) sums over all listeners, or None where no probability was stated."""
        return np.stack(self.promises)[:, 0].sum(axis=0).reshape(BINS, 3) if self.promises else None

    def _exposures(self, listeners: int, resamples: int, seed: int) -> dict[Measure, WholeFigure]:
        """A resample repeats some lists and lacks others, so it always looks less diverse than the sample.

        Its figures are moved so that their median is the estimate, and only their spread is kept.
        """
        shown = np.concatenate(self.lists)
        lengths = np.array([len(listed) for listed in self.lists])
        counts = np.bincount(shown, minlength=self.tracks).astype(np.float64)
        redrawn = [
            np.bincount(shown, np.repeat(weight, lengths), minlength=self.tracks).astype(np.float64)
            for weight in self._list_weights(listeners, min(resamples, EXPOSURE_RESAMPLES), seed)
        ]
        found: dict[Measure, WholeFigure] = {}
        for measure, (function, largest) in _exposure_functions(self.tracks).items():
            estimate = function(counts)
            if estimate is None:
                continue
            values = np.array([value for value in map(function, redrawn) if value is not None])
            moved = np.clip(values + estimate - np.median(values), 0.0, largest) if len(values) else None
            found[measure] = WholeFigure(estimate, moved)
        return found

    def _list_weights(self, listeners: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
        """(S,) how often each list counts, resample by resample."""
        if self.list_weights:
            yield from np.stack(self.list_weights, axis=1)[:resamples].astype(np.float64)
        elif listeners > 1 and len(set(self.owner)) > 1:
            owner = np.array(self.owner)
            for counts in draws(listeners, resamples, seed):
                for count in counts:
                    yield count[owner]


def _exposure_functions(tracks: int) -> dict[Measure, tuple[Callable[[Floats], float | None], float]]:
    """Each measure of exposures with the largest value it can have."""
    return {
        Measure.GINI: (gini, 1.0),
        Measure.COVERAGE: (coverage, 1.0),
        Measure.ENTROPY: (entropy, float(np.log2(max(2, tracks)))),
    }


def _promises(probability: Floats, liked: NDArray[np.bool_], weights: Floats) -> Floats:
    """(B, BINS · 3) of the weighted rows, rows, probabilities and likes of each bin for each row of ``weights`` (B, R)."""
    in_bin = bin_of(probability)[:, None] == np.arange(BINS)  # (R, BINS)
    columns = np.stack([np.ones(len(probability)), probability, liked.astype(np.float64)], axis=1)  # (R, 3)
    return weights @ (in_bin[:, :, None] * columns[:, None, :]).reshape(len(probability), BINS * 3)


def _redrawn_ece(sums: Floats, listeners: int, resamples: int, seed: int) -> Floats | None:
    """ECE in each resample, from sums (L, 1 or 1 + B, BINS · 3)."""
    if sums.shape[1] > 1:
        drawn = sums[:, 1:].sum(axis=0)
    elif listeners > 1:
        drawn = np.concatenate([counts @ sums[:, 0] for counts in draws(listeners, resamples, seed)])
    else:
        return None
    values = [ece_of_sums(each.reshape(BINS, 3)) for each in drawn]
    return np.array([np.nan if value is None else value for value in values])


_OF_LIKES = (
    Measure.MRR_POSITIVE, Measure.NDCG, Measure.HIT_RATE, Measure.RECALL, Measure.TRUE_POSITIVE_RATE,
)  # fmt: skip
_OF_REPEATS = (Measure.NDCG_REPEAT, Measure.HIT_RATE_REPEAT, Measure.RECALL_REPEAT)
_OF_EXPLORING = (Measure.NDCG_EXPLORE, Measure.HIT_RATE_EXPLORE, Measure.RECALL_EXPLORE)
_OF_DISLIKES = (Measure.MRR_NEGATIVE, Measure.FALSE_POSITIVE_RATE)
_OF_PAIRS = (Measure.PAIR_AUC, Measure.PAIR_AUC_SESSION, Measure.PAIR_AUC_EXPLICIT, Measure.PAIR_AUC_IMPLICIT)
_OF_BOTH = (*_OF_PAIRS, Measure.AUROC)


@dataclass(slots=True)
class Tally:
    """What is gathered while listeners are visited."""

    positives: int = 0
    negatives: int = 0
    pairs: int = 0
    with_pairs: int = 0
    liked_heard: int = 0
    liked_unheard: int = 0
    past_share: list[float] = field(default_factory=list)
    station_key: list[int] = field(default_factory=list)
    station_share: list[float] = field(default_factory=list)

    def add(self, states: ListenerStates, stations: int) -> None:
        """Count one listener."""
        liked = states.label > 0
        self.positives += int(liked.sum())
        self.negatives += int((~liked).sum())
        self.pairs += states.pairs
        self.with_pairs += bool(states.groups)
        self.liked_heard += int((liked & states.heard).sum())
        self.liked_unheard += int((liked & ~states.heard).sum())
        self.past_share.append(states.past_share)
        self.station_share += states.station_share
        self.station_key += [states.listener * stations + int(states.station[group[0]]) for group in states.groups]


def reasons(tally: Tally, *, content: bool, artist: bool, candidates: Candidates) -> dict[Measure, str]:
    """For each measure that cannot be had, why; the first reason that holds.

    Args:
        tally: what the test holds.
        content: whether vectors were given.
        artist: whether artists were given.
        candidates: among what targets are ranked.
    """
    judged = tally.positives + tally.negatives
    repeats = tally.liked_heard and candidates is Candidates.CATALOGUE
    causes: list[tuple[bool, str, Sequence[Measure]]] = [
        (judged == 0, "the test holds no judged feedback", tuple(Measure)),
        (not content, "no content vectors were given", (Measure.INTRA_LIST_DISTANCE,)),
        (not artist, "no artists were given", (Measure.ARTIST_SPREAD,)),
        (True, "the scores are no probabilities", (Measure.ECE, Measure.BRIER)),
        (tally.positives == 0, "the test holds no like", (*_OF_LIKES, *_OF_REPEATS, *_OF_EXPLORING, *_OF_BOTH)),
        (tally.negatives == 0, "the test holds no dislike", (*_OF_DISLIKES, *_OF_BOTH)),
        (not repeats, "the test holds no like of a track that is ranked and was heard before", _OF_REPEATS),
        (tally.liked_unheard == 0, "the test holds no like of a track new to the listener", _OF_EXPLORING),
        (tally.pairs == 0, "the test holds no liked and disliked track of one listener and station", _OF_PAIRS),
        (True, "no track is called liked", (Measure.PRECISION,)),
        (True, "the test holds no liked and disliked track of one session", (Measure.PAIR_AUC_SESSION,)),
    ]
    found: dict[Measure, str] = {}
    for holds, reason, measures in causes:
        if holds:
            found |= {which: reason for which in measures if which not in found}
    return found
