"""Parts of a model's score for one listener: how much each moves what is served, and what it gains on rows that no part has seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.events import EventLog
from recommender.models.blend import Component
from recommender.models.model_scorer import ModelScorer
from recommender.training.tuning import BlendStates

PARTS: Mapping[str, tuple[Component, ...]] = MappingProxyType(
    {
        "update": (Component.HEAD,),
        "habits": (Component.HABIT,),
        "clep": (Component.CLEP,),
        "sequence": (Component.SEQUENCE,),
        "repetition": (Component.LIKING, Component.HEARD, Component.REST, Component.PLAYS),
    }
)
"""What is told apart. The pull of a station's seeds is the same with every model and is left out."""
MOST_ROWS = 200
"""Newest rows that are looked at: two seconds, and an interval of about .03 in pair AUC."""
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)
"""Percentiles of a 95 % interval."""
LITTLE = 0.005
"""Share of the served score below which a part moves nothing that anybody would notice."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What one part is worth.

    Attributes:
        part: a name of :data:`PARTS`.
        share: of the variance over the library of the learned score, by covariance, so that shares sum to 1.
        gain: pair AUC on the rows that nothing was learned from, with the part less without; None where there is no pair.
        low, high: the 95 % interval of the gain, rows resampled.
    """

    part: str
    share: float
    gain: float | None
    low: float | None
    high: float | None

    @property
    def verdict(self) -> str:
        """What follows, in words."""
        if self.gain is None or self.low is None or self.high is None:
            return "too little feedback to tell"
        if abs(self.share) < LITTLE or self.high <= 0.0:
            return "earns nothing here"
        return "earns its place" if self.low > 0.0 else "not sure to earn anything here"


def worth_of(
    scorer: ModelScorer, log: EventLog, gate: EventLog, should_stop: Callable[[], bool], seed: int = 0
) -> tuple[Worth, ...]:
    """What each part is worth on the gate rows.

    Args:
        scorer: the blended model over its catalogue.
        log: the whole history, from which states are taken.
        gate: rows that no part has seen.
        should_stop: asked before every row; what was looked at until then decides.
        seed: of the resampling.
    """
    blend, states = scorer.model.card.blend, BlendStates(scorer, log)
    rows = np.flatnonzero(gate.judged)[-MOST_ROWS:]
    own: list[NDArray[np.float64]] = []
    shares: list[NDArray[np.float64]] = []
    for row in rows.tolist():
        if should_stop() and own:
            break
        columns, _ = states.columns(gate, row)
        parts = blend.contributions(columns)
        learned = np.stack([parts[:, list(group)].sum(axis=1) for group in PARTS.values()], axis=1).astype(np.float64)
        own.append(learned[gate.track[row]])
        shares.append(variance_shares(learned))
    if not own:
        return ()
    scores, judged = np.stack(own), rows[: len(own)]
    mean = np.mean(shares, axis=0)
    counts = np.random.default_rng(seed).multinomial(len(judged), np.full(len(judged), 1 / len(judged)), RESAMPLES)
    return tuple(
        Worth(part, float(mean[place]), *_gain(scores, place, gate.label[judged], gate.station[judged], counts))
        for place, part in enumerate(PARTS)
    )


def variance_shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) covariance of each of (n, k) parts with their sum, over its variance; zeros where that is 0."""
    total = parts.sum(axis=1)
    variance = total.var()
    return (
        (parts - parts.mean(axis=0)).T @ (total - total.mean()) / (len(total) * variance) if variance else 0 * parts[0]
    )


def _gain(
    scores: NDArray[np.float64],
    place: int,
    label: NDArray[np.int8],
    station: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> tuple[float | None, float | None, float | None]:
    """Pair AUC with a part less without it, and its interval; pairs are of one station.

    Args:
        scores: (r, k) parts of the rows.
        place: the part's.
        label: (r,) of the rows.
        station: (r,) of the rows.
        counts: (resamples, r) how often each row is in each resample.
    """
    plus, minus = np.flatnonzero(label > 0), np.flatnonzero(label < 0)
    pairs = (station[plus][:, None] == station[minus]).astype(np.float64)
    if not pairs.sum():
        return None, None, None
    total = scores.sum(axis=1)
    won = [_wins(each[plus], each[minus]) * pairs for each in (total, total - scores[:, place])]
    more = won[0] - won[1]
    up, down = counts[:, plus], counts[:, minus]
    of_all = np.einsum("bp,pn,bn->b", up, pairs, down, optimize=True)
    gains = np.einsum("bp,pn,bn->b", up, more, down, optimize=True)[of_all > 0] / of_all[of_all > 0]
    low, high = np.percentile(gains, INTERVAL)
    return float(more.sum() / pairs.sum()), float(low), float(high)


def _wins(plus: NDArray[np.float64], minus: NDArray[np.float64]) -> NDArray[np.float64]:
    return (plus[:, None] > minus) + 0.5 * (plus[:, None] == minus)
