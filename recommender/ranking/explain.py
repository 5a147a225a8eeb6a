"""Why a track is in the queue, in one line, and what its place is made of, part by part.

A reason is contrastive: what counts is by how much a part speaks for this track more than for the average one that
could have had its place. The part that speaks loudest gives the sentence; all parts go with it, so that the
sentence can be checked against them.

A place goes to argmax(utility / temperature + noise). The utility is a sum, so what each part does for a track is no
interpretation: it is the part's logits for the track less its mean over the eligible tracks, and these leads sum to the
track's utility less the mean utility, exactly. The noise is the rest: what it had to overcome is the best utility less
this one, and how probable that was is the propensity.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FAINT = 0.05
"""Logits: a part below this (a twentieth: 1 % more probable at most) explains nothing."""
LONGEST_TITLE = 40
"""Characters of a title in a reason; the line has to fit beside the queue."""


class ScorePart(StrEnum):
    """The parts of a track's standing in the queue."""

    SEED = "seed similarity"
    HEAD = "running update"
    CLEP = "taste model"
    SEQUENCE = "sequence"
    REPETITION = "repetition"
    MODE = "mode"
    DIAL = "dial"
    DIVERSITY = "variety"
    EXPLORATION = "exploration"


class ReasonKind(StrEnum):
    """What a reason says."""

    SEED = "seed"
    LIKED = "liked"
    UNLIKE_DISLIKED = "unlike disliked"
    TASTE = "taste"
    SEQUENCE = "sequence"
    RESTED = "rested"
    NEW = "new"
    FAVOURITE = "favourite"
    MODE = "mode"
    DIAL = "dial"
    VARIETY = "variety"
    EXPLORING = "exploring"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """The blended scores by part.

    Attributes:
        parts: (c,) names, without MODE and DIAL, which the station adds, and DIVERSITY and EXPLORATION, which belong to
            a place of the queue.
        logits: (c, n) what each part adds to each track's score: blend weight times component.
    """

    parts: tuple[ScorePart, ...]
    logits: NDArray[np.floating]

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one row a part."""
        if len(self.parts) != len(self.logits):
            raise ValueError(f"{len(self.parts)} parts have {len(self.logits)} rows of logits")

    def centre(self, among: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(c,) the average over the tracks of the mask ``among`` (n,); zeros when it is empty."""
        # A product with the mask: picking the columns out would copy a large library's logits at each ranking.
        return (self.logits @ among.astype(np.float64)) / max(1, np.count_nonzero(among))


@dataclass(frozen=True, slots=True)
class Placing:
    """What the ranking says of the track's place; names as in ``ranking.RankedTrack``.

    Attributes:
        mode_lead, dial_lead: what the station's mode and dial add to the track, less the mean over the open tracks.
    """

    track: int
    diversity_lead: float = 0.0
    given_up: float = 0.0
    utility_rank: int = 1
    mode_lead: float = 0.0
    dial_lead: float = 0.0


@dataclass(frozen=True, slots=True)
class LabelEvidence:
    """The labels that the running head was fitted on, as far as a sentence needs them.

    Attributes:
        tracks: (m,) their track indices.
        influences: (m,) logits for this track, ``Head.influences`` less those on the average track; they sum to what
            the running update says for this track above the average.
        liked: (m,) bool, whether the label is positive.
        titles: (m,) of their tracks.
        verbs: (m,) what the listener did, as it ends a sentence: "thumbed up", "finished", "skipped".
    """

    tracks: NDArray[np.int64]
    influences: NDArray[np.float64]
    liked: NDArray[np.bool_]
    titles: tuple[str, ...]
    verbs: tuple[str, ...]


NO_LABELS = LabelEvidence(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), (), ())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the track besides numbers.

    Attributes:
        seed: the seed it is closest to, in words ("classical, piano"); empty when the station has none.
        labels: of the running head.
        days_since_played: none when it was never played.
    """

    seed: str = ""
    labels: LabelEvidence = NO_LABELS
    days_since_played: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a track is where it is.

    Attributes:
        kind: what the sentence says.
        text: the sentence, one line without a full stop.
        contributions: (part, logits more than the average eligible track), as computed, by falling size.
    """

    kind: ReasonKind
    text: str
    contributions: tuple[tuple[ScorePart, float], ...]


def explain(scores: ScoreParts, centre: NDArray[np.float64], placing: Placing, evidence: Evidence) -> Reason:
    """The reason for one place of a queue.

    Args:
        scores: the parts of all scores.
        centre: ``scores.centre`` of the tracks the station may play.
        placing: the place.
        evidence: the words for this track.

    Returns:
        The reason of the part with the largest contribution; exploration's is what the noise had to overcome.
        ``OPEN`` when no part speaks for the track.
    """
    contributions = _contributions(scores, centre, placing)
    part, value = contributions[0]
    kind, text = _sentence(part, placing, evidence) if value >= FAINT else _nothing_in_particular(contributions)
    return Reason(kind, text, contributions)


def _contributions(
    scores: ScoreParts, centre: NDArray[np.float64], placing: Placing
) -> tuple[tuple[ScorePart, float], ...]:
    """Every part with its contribution, largest first."""
    own = scores.logits[:, placing.track].astype(np.float64) - centre
    named = [(part, float(value)) for part, value in zip(scores.parts, own, strict=True)]
    named += [
        (ScorePart.MODE, placing.mode_lead),
        (ScorePart.DIAL, placing.dial_lead),
        (ScorePart.DIVERSITY, placing.diversity_lead),
        (ScorePart.EXPLORATION, placing.given_up),
    ]
    return tuple(sorted(named, key=lambda pair: -pair[1]))


def _sentence(part: ScorePart, placing: Placing, evidence: Evidence) -> tuple[ReasonKind, str]:
    """The sentence for the part that speaks loudest."""
    if part is ScorePart.HEAD:
        return _label_sentence(placing.track, evidence.labels)
    if part is ScorePart.REPETITION:
        return repetition_sentence(evidence.days_since_played)
    better = placing.utility_rank - 1
    sentences = {
        ScorePart.SEED: (
            ReasonKind.SEED,
            f"near {evidence.seed}" if evidence.seed else "like what the station is based on",
        ),
        ScorePart.CLEP: (ReasonKind.TASTE, "sounds like what you tend to like"),
        ScorePart.SEQUENCE: (ReasonKind.SEQUENCE, "goes with what you heard before it"),
        ScorePart.MODE: (ReasonKind.MODE, "what this station is set to play"),
        ScorePart.DIAL: (ReasonKind.DIAL, "as familiar or new as the dial asks"),
        ScorePart.DIVERSITY: (ReasonKind.VARIETY, "for variety after the tracks before it"),
        ScorePart.EXPLORATION: (ReasonKind.EXPLORING, f"to try something: {_tracks(better)} scored higher"),
    }
    return sentences[part]


def _label_sentence(track: int, labels: LabelEvidence) -> tuple[ReasonKind, str]:
    """Which labels carry the running update: the likes it resembles, or the dislikes it does not."""
    speaking = np.maximum(labels.influences, 0.0)
    likes, dislikes = speaking[labels.liked].sum(), speaking[~labels.liked].sum()
    if likes > 0 and likes >= dislikes:
        best = int(np.argmax(np.where(labels.liked, speaking, -1.0)))
        if labels.tracks[best] == track:
            return ReasonKind.LIKED, f"you {labels.verbs[best]} this track before"
        return ReasonKind.LIKED, f"like “{_short(labels.titles[best])}” you {labels.verbs[best]}"
    if dislikes > 0:
        worst = int(np.argmax(np.where(labels.liked, -1.0, speaking)))
        return ReasonKind.UNLIKE_DISLIKED, f"sounds unlike what you {labels.verbs[worst]}"
    return ReasonKind.TASTE, "less like what you turned down than the rest"


def repetition_sentence(days_since_played: float | None) -> tuple[ReasonKind, str]:
    """What the days since a track was last played (None: never) say: new, rested, or wanted again."""
    if days_since_played is None:
        return ReasonKind.NEW, "not heard yet"
    days = int(days_since_played)
    if days < 1:
        return ReasonKind.FAVOURITE, "you come back to it often"
    return ReasonKind.RESTED, "rested a day" if days == 1 else f"rested {days} days"


def _nothing_in_particular(contributions: tuple[tuple[ScorePart, float], ...]) -> tuple[ReasonKind, str]:
    """No part speaks for the track: either nothing distinguishes the tracks, or the others speak against more."""
    if min(value for _, value in contributions) > -FAINT:
        return ReasonKind.OPEN, "nothing known yet"
    return ReasonKind.OPEN, "the best of what is left"


def _short(title: str) -> str:
    """A title cut to fit the line."""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def _tracks(count: int) -> str:
    """A number of tracks in words."""
    return "1 track" if count == 1 else f"{count} tracks"


@dataclass(frozen=True, slots=True)
class Terms:
    """The utilities of one place by part.

    Attributes:
        parts: (c,) what they are called.
        logits: (c, n) what each adds to each track's utility.
        eligible: (n,) bool, who may have the place.
        temperature: of the draw.
    """

    parts: tuple[ScorePart, ...]
    logits: NDArray[np.float64]
    eligible: NDArray[np.bool_]
    temperature: float

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one row a part and one column a track."""
        if self.logits.shape != (len(self.parts), len(self.eligible)):
            raise ValueError(
                f"{len(self.parts)} parts of {len(self.eligible)} tracks have logits of shape {self.logits.shape}"
            )

    @property
    def utilities(self) -> NDArray[np.float64]:
        """(n,) of all tracks, eligible or not."""
        return self.logits.sum(axis=0)

    def mean(self, values: NDArray[np.float64]) -> float:
        """The mean of (n,) values over the eligible tracks; 0 where there are none."""
        return float(values[self.eligible].mean()) if self.eligible.any() else 0.0

    def rank(self, utilities: NDArray[np.float64], track: int) -> int:
        """The track's rank from 1 by (n,) utilities among the eligible ones, as if it were one of them."""
        return 1 + int(np.count_nonzero(utilities[self.eligible] > utilities[track]))


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a track's utility.

    Attributes:
        part: which.
        logits: what it adds.
        lead: the same less the mean over the eligible tracks.
        rank_without: the track's rank by utility if this part were 0 for every track.
    """

    part: ScorePart
    logits: float
    lead: float
    rank_without: int


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A track at one place.

    Attributes:
        shares: by part; their ``logits`` sum to ``utility``, their ``lead`` to ``lead``.
        utility: of the track, in logits.
        lead: less the mean of the eligible tracks.
        rank: by utility, from 1, among the eligible ones.
        eligible: how many these are.
        given_up: the best eligible utility less this one, at least 0: what the noise had to overcome.
        propensity: the probability of the draw; None where the track is not eligible.
    """

    shares: tuple[Share, ...]
    utility: float
    lead: float
    rank: int
    eligible: int
    given_up: float
    propensity: float | None


def decompose(terms: Terms, track: int) -> Decomposition:
    """What makes a track's utility at a place, part by part.

    Args:
        terms: the place.
        track: index of the track; it need not be eligible.
    """
    utilities = terms.utilities
    shares = tuple(
        Share(
            part=part,
            logits=float(row[track]),
            lead=float(row[track]) - terms.mean(row),
            rank_without=terms.rank(utilities - row, track),
        )
        for part, row in zip(terms.parts, terms.logits, strict=True)
    )
    best = float(utilities[terms.eligible].max()) if terms.eligible.any() else float(utilities[track])
    return Decomposition(
        shares=shares,
        utility=float(utilities[track]),
        lead=float(utilities[track]) - terms.mean(utilities),
        rank=terms.rank(utilities, track),
        eligible=int(np.count_nonzero(terms.eligible)),
        given_up=max(0.0, best - float(utilities[track])),
        propensity=_propensity(terms, utilities, track),
    )


def _propensity(terms: Terms, utilities: NDArray[np.float64], track: int) -> float | None:
    """The softmax over the eligible tracks, or None for a track that is none of them."""
    if not terms.eligible[track]:
        return None
    scaled = utilities[terms.eligible] / terms.temperature
    top = scaled.max()
    partition = np.exp(scaled - top).sum()
    return float(np.exp(utilities[track] / terms.temperature - top) / partition)
