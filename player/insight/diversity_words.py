"""Diversity in a sentence: how few artists make half of the plays, and whether that is another picture than before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.insight.permutation_test import BLOCK_PLAYS, BLOCKS_A_SIDE, Change, exact_gini_change
from recommender.ranking.diversity import RECENT_PLAYS, Pool

FEWEST_PLAYS = 20
"""Fewer are one evening; half of them says nothing."""
WINDOW = BLOCK_PLAYS * BLOCKS_A_SIDE
"""Plays of "now" and of "before": as many as the panel's figures look at, which a test holds."""
WIDEST_DIAL = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """Narrower, wider or about the same.

    Attributes:
        word: "narrower", "wider" or "as varied".
        start: the beginning of a sentence, to be followed by what it is compared with.
    """

    word: str
    start: str


NARROWER = Verdict("narrower", "Narrower than")
WIDER = Verdict("wider", "Wider than")
SAME = Verdict("as varied", "About as varied as")


def verdict_of(gini: Change) -> Verdict:
    """What a change of the Gini index means; within chance it means nothing."""
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
    """What the last plays of a station look like beside those before them; empty while there are too few.

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
