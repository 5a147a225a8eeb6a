"""Hard rules: which tracks may take a place at all, and what gives way when none may.

Two kinds. *Standing* rules are masks over the catalogue that hold for the whole queue: "never" and "thumbed down here"
hold whatever happens; "resting" (not now) gives way only where the music would otherwise stop. *Sliding* rules look
back over the last places, heard and queued alike: the gap before a track comes back is never more than half the
station's tracks, so it always leaves some; an artist's spacing shrinks step by step where it leaves none. So what gives
way, and in this order, is artist spacing and then, only to keep the music going, the relaxable standing rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class RuleName(StrEnum):
    """What a rule is called, in reports and in sentences."""

    NEVER = "never"
    THUMBED_DOWN = "thumbed down here"
    RESTING = "resting"
    ARTIST_SPACING = "artist spacing"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A standing rule.

    Attributes:
        name: what to call it.
        blocks: (n,) bool, the tracks it keeps out.
        relaxable: whether it gives way when the queue would otherwise be empty.
    """

    name: RuleName
    blocks: NDArray[np.bool_]
    relaxable: bool = False


def standing_rules(
    never: NDArray[np.bool_], thumbed_down: NDArray[np.bool_], resting: NDArray[np.bool_]
) -> tuple[Rule, ...]:
    """The station's standing rules; each argument is an (n,) mask of the tracks that it keeps out."""
    return (
        Rule(RuleName.NEVER, never),
        Rule(RuleName.THUMBED_DOWN, thumbed_down),
        Rule(RuleName.RESTING, resting, relaxable=True),
    )


def open_tracks(candidates: NDArray[np.bool_], rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """(n,) bool: the ``candidates`` (n,) that no standing rule keeps out."""
    mask = candidates.copy()
    for rule in rules:
        mask &= ~rule.blocks
    return mask


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far the sliding rules look back, in places.

    Attributes:
        artist: an artist is not heard again within this many places.
        track: a track is not heard again within this many places, or within half as many as the station has open
            tracks where that is less: otherwise a station of thirty tracks would have nothing left to choose from.
    """

    artist: int = 2
    track: int = 100


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may take a place: ``mask`` (n,) bool, and the rules that had to give way, in the order they did."""

    mask: NDArray[np.bool_]
    relaxed: tuple[RuleName, ...]


class Gate:
    """Applies the rules of one ranking, place by place.

    Args:
        candidates: (n,) bool, the tracks the station may play at all (they exist, their files are there).
        rules: the standing rules; relaxable ones give way in this order.
        artist: (n,) integers, equal for tracks by the same artist, negative where unknown (never spaced).
        spacing: how far the sliding rules look back.
    """

    def __init__(
        self,
        candidates: NDArray[np.bool_],
        rules: Sequence[Rule],
        artist: NDArray[np.int64],
        spacing: Spacing,
    ) -> None:
        self._candidates = candidates
        self._rules = tuple(rules)
        self._artist = artist
        self._spacing = spacing
        self._pools = tuple(self._standing_pools())

    def _standing_pools(self) -> Iterator[tuple[NDArray[np.bool_], tuple[RuleName, ...]]]:
        """The tracks left by the standing rules, first under all, then with one more relaxed each time."""
        order = [rule for rule in self._rules if rule.relaxable]
        for count in range(len(order) + 1):
            held = [rule for rule in self._rules if rule not in order[:count]]
            yield open_tracks(self._candidates, held), tuple(rule.name for rule in order[:count])

    def admits(self, track: int) -> bool:
        """Whether a track is kept out by no standing rule."""
        return bool(self._pools[0][0][track])

    def eligible(self, heard: Sequence[int], queued: Sequence[int]) -> Eligibility:
        """Who may take the place after ``heard`` and ``queued`` (track indices, oldest first).

        A queued track is never eligible again. The mask is all false when nothing is left.
        """
        pools = self._pools if not queued else self._pools[:1]
        history = [*heard, *queued]
        for standing, relaxed in pools:
            pool = standing.copy()
            pool[list(queued)] = False
            if not pool.any():
                continue
            pool = self._rested(pool, standing, history)
            for artist in range(self._spacing.artist, -1, -1):
                mask = self._spaced(pool, history, artist)
                if mask.any():
                    more = (RuleName.ARTIST_SPACING,) if artist < self._spacing.artist else ()
                    return Eligibility(mask, (*more, *relaxed))
        return Eligibility(np.zeros_like(self._candidates), ())

    def _rested(
        self, pool: NDArray[np.bool_], standing: NDArray[np.bool_], history: Sequence[int]
    ) -> NDArray[np.bool_]:
        """``pool`` without the last tracks; not empty, as at most half of the ``standing`` tracks are taken from it."""
        gap = min(self._spacing.track, int(np.count_nonzero(standing)) // 2)
        mask = pool.copy()
        if gap > 0:
            mask[list(history[-gap:])] = False
        return mask

    def _spaced(self, pool: NDArray[np.bool_], history: Sequence[int], places: int) -> NDArray[np.bool_]:
        """``pool`` without the artists of the last ``places`` places."""
        mask = pool.copy()
        if places > 0:
            for code in {int(self._artist[heard]) for heard in history[-places:]}:
                if code >= 0:
                    mask &= self._artist != code
        return mask

    def shortfall(self, queued: Sequence[int]) -> str:
        """One sentence that says why no further track can be queued."""
        total = int(np.count_nonzero(self._candidates))
        if total == 0:
            return "This station has no tracks to choose from."
        left = self._candidates.copy()
        left[list(queued)] = False
        parts = [f"{len(queued)} queued"] if queued else []
        for rule in self._rules:
            blocked = int(np.count_nonzero(left & rule.blocks))
            left &= ~rule.blocks
            if blocked:
                parts.append(f"{blocked} {rule.name}")
        return f"Nothing more to queue: of {total} tracks, {', '.join(parts)}."
