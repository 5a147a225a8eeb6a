"""What the test holds, and which measures can therefore not be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recommender.evaluation.metric_names import Measure
from recommender.evaluation.metric_runner import Candidates
from recommender.evaluation.query_states import ListenerStates

_OF_LIKES = (
    Measure.MRR_POSITIVE, Measure.NDCG, Measure.HIT_RATE, Measure.RECALL, Measure.TRUE_POSITIVE_RATE,
)  # fmt: skip
_OF_REPEATS = (Measure.NDCG_REPEAT, Measure.HIT_RATE_REPEAT, Measure.RECALL_REPEAT)
_OF_EXPLORING = (Measure.NDCG_EXPLORE, Measure.HIT_RATE_EXPLORE, Measure.RECALL_EXPLORE)
_OF_DISLIKES = (Measure.MRR_NEGATIVE, Measure.FALSE_POSITIVE_RATE)
_OF_PAIRS = (Measure.PAIR_AUC, Measure.PAIR_AUC_EXPLICIT, Measure.PAIR_AUC_IMPLICIT)
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
    ]
    found: dict[Measure, str] = {}
    for holds, reason, measures in causes:
        if holds:
            found |= {which: reason for which in measures if which not in found}
    return found
