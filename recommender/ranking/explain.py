"""Why a track is in the queue: one line, picked from the parts that its score really is made of.

A reason is contrastive: what counts is by how much a part speaks for this track more than for the average one that
could have had its place. The part that speaks loudest gives the sentence; all parts go with it, so that the
sentence can be checked against them.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FAINT = 0.05
"""Logits: a part below this (a twentieth: 1 % more probable at most) explains nothing."""
LONGEST_TITLE = 40
"""Characters of a title in a reason; the line has to fit beside the queue."""


class Part(StrEnum):
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

    parts: tuple[Part, ...]
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
class Labels:
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


NO_LABELS = Labels(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), (), ())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the track besides numbers.

    Attributes:
        seed: the seed it is closest to, in words ("classical, piano"); empty when the station has none.
        labels: of the running head.
        days_since_played: none when it was never played.
    """

    seed: str = ""
    labels: Labels = NO_LABELS
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
    contributions: tuple[tuple[Part, float], ...]


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


def _contributions(scores: ScoreParts, centre: NDArray[np.float64], placing: Placing) -> tuple[tuple[Part, float], ...]:
    """Every part with its contribution, largest first."""
    own = scores.logits[:, placing.track].astype(np.float64) - centre
    named = [(part, float(value)) for part, value in zip(scores.parts, own, strict=True)]
    named += [
        (Part.MODE, placing.mode_lead),
        (Part.DIAL, placing.dial_lead),
        (Part.DIVERSITY, placing.diversity_lead),
        (Part.EXPLORATION, placing.given_up),
    ]
    return tuple(sorted(named, key=lambda pair: -pair[1]))


def _sentence(part: Part, placing: Placing, evidence: Evidence) -> tuple[ReasonKind, str]:
    """The sentence for the part that speaks loudest."""
    if part is Part.HEAD:
        return _label_sentence(placing.track, evidence.labels)
    if part is Part.REPETITION:
        return repetition_sentence(evidence.days_since_played)
    better = placing.utility_rank - 1
    sentences = {
        Part.SEED: (ReasonKind.SEED, f"near {evidence.seed}" if evidence.seed else "near your seeds"),
        Part.CLEP: (ReasonKind.TASTE, "sounds like what you tend to like"),
        Part.SEQUENCE: (ReasonKind.SEQUENCE, "goes with what you heard before it"),
        Part.MODE: (ReasonKind.MODE, "what this station is set to play"),
        Part.DIAL: (ReasonKind.DIAL, "as familiar or new as the dial asks"),
        Part.DIVERSITY: (ReasonKind.VARIETY, "for variety after the tracks before it"),
        Part.EXPLORATION: (ReasonKind.EXPLORING, f"exploring: {_tracks(better)} scored higher"),
    }
    return sentences[part]


def _label_sentence(track: int, labels: Labels) -> tuple[ReasonKind, str]:
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


def _nothing_in_particular(contributions: tuple[tuple[Part, float], ...]) -> tuple[ReasonKind, str]:
    """No part speaks for the track: either nothing distinguishes the tracks, or the others speak against more."""
    if min(value for _, value in contributions) > -FAINT:
        return ReasonKind.OPEN, "as good as any other here"
    return ReasonKind.OPEN, "the best of what is left"


def _short(title: str) -> str:
    """A title cut to fit the line."""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"


def _tracks(count: int) -> str:
    """A number of tracks in words."""
    return "1 track" if count == 1 else f"{count} tracks"
