"""Changes of diversity: permutation tests over stretches of listening, and a sentence for the panel.

Plays of one session hang together, so whole stretches are dealt anew to "now" and "before", never single plays (Fisher
1935; Good, *Permutation, Parametric and Bootstrap Tests of Hypotheses*, 2005). Both sides hold equally many plays, because the Gini
index and the entropy move with the number of plays alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recommender.ranking.diversity import RECENT_PLAYS, Pool

Places = NDArray[np.int64]

LEVEL = 0.05
SHUFFLES = 999
"""So that the smallest p is one in a thousand."""
BLOCK_PLAYS = 20
"""Plays of a stretch where their times are unknown: about as many as an hour has."""
BLOCKS_A_SIDE = 5
"""Ten stretches can be dealt in 252 ways, so the smallest two-sided p is .008; four a side would leave .03."""
FEWEST_PLAYS = 20
"""Fewer are one evening; half of them says nothing."""
WINDOW = BLOCK_PLAYS * BLOCKS_A_SIDE
"""Plays of "now" and of "before": as many as the panel's figures look at, which a test holds."""
WIDEST_DIAL = 100


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a figure, beside those that chance alone would give.

    Attributes:
        now, before: the figure over equally many plays.
        low, high: where 95 % of the changes lie when the stretches are dealt at random.
        p: how often such a deal changes it at least as much.
    """

    now: float
    before: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """Now less before."""
        return self.now - self.before

    @property
    def beyond_chance(self) -> bool:
        """True where chance would rarely give as much."""
        return self.p <= LEVEL


def shuffled_changes(
    units: NDArray[np.int64], measure: Callable[[Places], NDArray[np.float64]], seed: int = 0
) -> tuple[Change, ...]:
    """The change of every figure from the first half of some plays to the second.

    In each shuffle the stretches are put in another order and cut in the middle; the one that is cut has a part on
    either side, as the real one has.

    Args:
        units: (2m,) the stretch of each play, in time order.
        measure: (K,) figures of plays at these places.
        seed: the same seed gives the same shuffles.
    """
    size = len(units)
    half = size // 2
    places = np.arange(2 * half, dtype=np.int64)
    before, now = measure(places[:half]), measure(places[half:])
    stretches = np.split(places, np.flatnonzero(np.diff(units[: 2 * half])) + 1)
    rng = np.random.default_rng(seed)
    dealt = np.empty((SHUFFLES, len(now)), np.float64)
    for shuffle in range(SHUFFLES):
        order = np.concatenate([stretches[number] for number in rng.permutation(len(stretches))])
        dealt[shuffle] = measure(order[half:]) - measure(order[:half])
    return tuple(_change(now[k], before[k], dealt[:, k], observed=1) for k in range(len(now)))


def exact_gini_change(artist: Places, artists: int) -> Change:
    """The change of the Gini index over artists from the first half of some plays to the second, over all deals of ten blocks.

    Args:
        artist: (2m,) artist of each play in order, m = ``BLOCKS_A_SIDE * BLOCK_PLAYS``; negative where it does not count.
        artists: how many there are, unplayed ones too.

    Raises:
        ValueError: there is another number of plays.
    """
    blocks = 2 * BLOCKS_A_SIDE
    if len(artist) != blocks * BLOCK_PLAYS:
        raise ValueError(f"needs {blocks * BLOCK_PLAYS} plays, not {len(artist)}")
    known, code = np.unique(artist, return_inverse=True)
    counts = np.zeros((blocks, len(known)), np.int64)
    np.add.at(counts, (np.arange(len(artist)) // BLOCK_PLAYS, code.reshape(-1)), 1)
    counts = counts[:, known >= 0]
    deals = np.array(list(combinations(range(blocks), BLOCKS_A_SIDE)), np.int64)
    now = counts[deals].sum(axis=1)
    changes = ginis(now, artists) - ginis(counts.sum(axis=0) - now, artists)
    sides = ginis(np.stack([counts[:BLOCKS_A_SIDE].sum(axis=0), counts[BLOCKS_A_SIDE:].sum(axis=0)]), artists)
    # The real deal is one of all of them, so it is counted among them already.
    return _change(float(sides[1]), float(sides[0]), changes, observed=0)


def ginis(counts: NDArray[np.integer], artists: int) -> NDArray[np.float64]:
    """(s,) the Gini index of each row of (s, k) counts, with as many zeros added as make ``artists`` of them.

    As :func:`recommender.ranking.diversity.gini`; 0.0 where all are zero.
    """
    kept = counts.shape[1]
    places = 2.0 * np.arange(artists - kept + 1, artists + 1) - artists - 1
    total = counts.sum(axis=1)
    weighted = np.sort(counts, axis=1) @ places
    return np.where(total > 0, np.maximum(0.0, weighted / np.maximum(1, artists * total)), 0.0)


def _change(now: float, before: float, dealt: NDArray[np.float64], observed: int) -> Change:
    """The change among those of random deals; ``observed`` is 1 where the real one is not among them."""
    rounding = 1e-12
    extreme = int(np.count_nonzero(np.abs(dealt) >= abs(now - before) - rounding))
    low, high = np.quantile(dealt, [LEVEL / 2, 1 - LEVEL / 2])
    return Change(float(now), float(before), float(low), float(high), (extreme + observed) / (len(dealt) + observed))


@dataclass(frozen=True, slots=True)
class ChangeWord:
    """Narrower, wider or about the same.

    Attributes:
        word: "narrower", "wider" or "as varied".
        start: the beginning of a sentence, to be followed by what it is compared with.
    """

    word: str
    start: str


NARROWER = ChangeWord("narrower", "Narrower than")
WIDER = ChangeWord("wider", "Wider than")
SAME = ChangeWord("as varied", "About as varied as")


def verdict_of(gini: Change) -> ChangeWord:
    """The meaning of a change of the Gini index; within chance it means nothing."""
    if not gini.beyond_chance:
        return SAME
    return NARROWER if gini.difference > 0 else WIDER


def half_of(counts: NDArray[np.int64]) -> int:
    """The fewest artists that make half of the plays.

    Args:
        counts: (a,) plays of each.
    """
    if not counts.any():
        return 0
    cumulative = np.cumsum(np.sort(counts)[::-1])
    return int(np.searchsorted(cumulative, cumulative[-1] / 2)) + 1


def artists_make_half(counts: NDArray[np.int64]) -> str:
    """The fewest artists that make half, as in "5 artists made half"."""
    count = half_of(counts)
    return f"{count:,} {'artist' if count == 1 else 'artists'} made half"


def panel_sentence(pool: Pool, plays: NDArray[np.int64], dial: int) -> str:
    """A sentence on the last plays of a station beside those before them; empty while there are too few.

    Args:
        pool: what the station may play.
        plays: (m,) track indices of all its plays, oldest first.
        dial: where the station's dial stands.
    """
    if len(plays) < FEWEST_PLAYS:
        return ""
    last = plays[-RECENT_PLAYS:]
    made = f"{artists_make_half(_counts(pool.artist[last]))} of your last {len(last)} plays"
    if len(plays) < 2 * WINDOW:
        return f"{made}."
    code = np.maximum(pool.artist, -1) + 1
    place = _numbered(code, pool.eligible)
    verdict = verdict_of(exact_gini_change(place[code[plays[-2 * WINDOW :]]], int(place.max(initial=-1)) + 1))
    said = f"{verdict.start} the {WINDOW} plays before: {made}"
    return f"{said}; > widens it." if verdict is NARROWER and dial < WIDEST_DIAL else f"{said}."


def _numbered(code: NDArray[np.int64], eligible: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(c,) number of each artist code (n, from 0) among those with an ``eligible`` (n,) track; -1 for the others."""
    there = np.zeros(int(code.max(initial=0)) + 1, np.bool_)
    there[code[eligible]] = True
    return np.where(there, np.cumsum(there) - 1, -1)


def _counts(artist: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) plays of each artist that was played; all unknown ones count as one."""
    return np.unique(np.maximum(artist, -1), return_counts=True)[1]
