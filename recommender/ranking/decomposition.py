"""What a track's place is made of: every part of its utility against the average track that could have had the place.

A place goes to argmax(utility / temperature + noise). The utility is a sum, so what each part does for a track is no
interpretation: it is the part's logits for the track less its mean over the eligible tracks, and these leads sum to the
track's utility less the mean utility, exactly. The noise is the rest: what it had to overcome is the best utility less
this one, and how probable that was is the propensity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.explain import Part


@dataclass(frozen=True, slots=True)
class Terms:
    """The utilities of one place by part.

    Attributes:
        parts: (c,) what they are called.
        logits: (c, n) what each adds to each track's utility.
        eligible: (n,) bool, who may have the place.
        temperature: of the draw.
    """

    parts: tuple[Part, ...]
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

    part: Part
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
