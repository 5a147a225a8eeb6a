"""Hard rules: which tracks may take a place at all, and what gives way when none may.

Two kinds. *Standing* rules are masks over the catalogue that hold for the whole queue: "never" and "thumbed down here"
hold whatever happens; "resting" (not now) gives way only where the music would otherwise stop. *Sliding* rules look
back over the last places, heard and queued alike: the gap before a track comes back is never more than half the
station's tracks, so it always leaves some; the spacings of albums and artists shrink step by step where they leave none.
So what gives way is, in this order: album spacing, artist spacing, and then, only to keep the music going, the relaxable
standing rules.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray


class RuleName(StrEnum):
    """What a rule is called, in reports and in sentences."""

    NEVER = "never"
    THUMBED_DOWN = "thumbed down here"
    RESTING = "resting"
    ALBUM_SPACING = "album spacing"
    ARTIST_SPACING = "artist spacing"


WHAT_MAY_HAPPEN = {
    RuleName.ALBUM_SPACING: "albums may follow themselves",
    RuleName.ARTIST_SPACING: "artists may follow each other",
    RuleName.RESTING: "resting tracks come back",
}
"""What a rule's giving way means, as the end of a sentence; never and thumbed down give no way."""
FEW_TRACKS = 25
"""Up to a screenful the sentence says how many tracks there are; in a larger station it is artists that are few."""


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
        album: an album is not heard again within this many places; where artists are spaced this matters for artists with
            little else, and for albums of many artists.
        track: a track is not heard again within this many places, or within half as many as the station has open
            tracks where that is less: otherwise a station of thirty tracks would have nothing left to choose from. Versions
            of one song are one track here.
        most: the share of the station's tracks that is meant by "half".
    """

    artist: int = 2
    track: int = 100
    album: int = 4
    most: float = 0.5


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
        album: (n,) likewise for albums; albums are not spaced without it.
        guests: further artists of tracks, by index.
        versions: other versions of the same song, by index.
    """

    def __init__(
        self,
        candidates: NDArray[np.bool_],
        rules: Sequence[Rule],
        artist: NDArray[np.int64],
        spacing: Spacing,
        album: NDArray[np.int64] | None = None,
        guests: Mapping[int, tuple[int, ...]] = MappingProxyType({}),
        versions: Mapping[int, tuple[int, ...]] = MappingProxyType({}),
    ) -> None:
        self._candidates = candidates
        self._rules = tuple(rules)
        self._artists = _Groups(artist, guests)
        self._albums = None if album is None else _Groups(album, {})
        self._spacing = spacing if album is not None else replace(spacing, album=0)
        self._pools = tuple(self._standing_pools())
        self._gaps = [min(spacing.track, int(np.count_nonzero(pool) * spacing.most)) for pool, _ in self._pools]
        self._versions = versions

    @property
    def ever_open(self) -> NDArray[np.bool_]:
        """(n,) bool: the tracks that can be eligible at all, with everything relaxed that can be."""
        return self._pools[-1][0]

    def _standing_pools(self) -> Iterator[tuple[NDArray[np.bool_], tuple[RuleName, ...]]]:
        """The tracks left by the standing rules, first under all, then with one more relaxed each time."""
        order = [rule for rule in self._rules if rule.relaxable]
        for count in range(len(order) + 1):
            held = [rule for rule in self._rules if rule not in order[:count]]
            yield open_tracks(self._candidates, held), tuple(rule.name for rule in order[:count])

    def admits(self, track: int) -> bool:
        """Whether a track is kept out by no standing rule; the station's candidates do not matter."""
        return not any(rule.blocks[track] for rule in self._rules)

    def eligible(self, heard: Sequence[int], queued: Sequence[int]) -> Eligibility:
        """Who may take the place after ``heard`` and ``queued`` (track indices, oldest first).

        A queued track is never eligible again. The mask is all false when nothing is left.
        """
        history = [*heard, *queued]
        for (standing, relaxed), gap in zip(self._pools if not queued else self._pools[:1], self._gaps, strict=False):
            pool = standing.copy()
            pool[list(queued)] = False
            if not pool.any():
                continue
            if gap > 0:  # at most half of the standing tracks: some are always left
                pool[history[-gap:]] = False
                self._clear_versions(pool, history[-gap:])
            mask, more = self._spaced(pool, history)
            return Eligibility(mask, (*more, *relaxed))
        return Eligibility(np.zeros_like(self._candidates), ())

    def _clear_versions(self, pool: NDArray[np.bool_], history: Sequence[int]) -> None:
        """Take other versions of what was heard off the pool, unless they are all that is left."""
        others = [other for track in history for other in self._versions.get(track, ())]
        kept = pool[others]
        pool[others] = False
        if others and not pool.any():
            pool[others] = kept

    def _spaced(
        self, pool: NDArray[np.bool_], history: Sequence[int]
    ) -> tuple[NDArray[np.bool_], tuple[RuleName, ...]]:
        """``pool``, which is not empty, without the albums and artists of the last places, and the spacings that shrank."""
        for step in self._steps():
            mask = pool.copy()
            self._artists.clear(mask, history, step.artist)
            if self._albums is not None:
                self._albums.clear(mask, history, step.album)
            if mask.any():
                shrunk = (
                    (RuleName.ALBUM_SPACING, step.album < self._spacing.album),
                    (RuleName.ARTIST_SPACING, step.artist < self._spacing.artist),
                )
                return mask, tuple(name for name, is_so in shrunk if is_so)
        return pool, ()

    def _steps(self) -> Iterator[Spacing]:
        """The spacings in the order in which they give way: albums' down to 0, then artists'."""
        for album in range(self._spacing.album, -1, -1):
            yield replace(self._spacing, album=album)
        for artist in range(self._spacing.artist - 1, -1, -1):
            yield replace(self._spacing, album=0, artist=artist)

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


class _Groups:
    """Tracks by artist or album; those of a group are looked up once.

    Args:
        codes: (n,) of the groups, negative where unknown.
        more: further groups of tracks, by index.
    """

    def __init__(self, codes: NDArray[np.int64], more: Mapping[int, tuple[int, ...]]) -> None:
        self._codes, self._more = codes, more
        self._members: dict[int, NDArray[np.int64]] = {}

    def clear(self, mask: NDArray[np.bool_], history: Sequence[int], places: int) -> None:
        """Take the groups of the last ``places`` of a history off the mask (n,)."""
        if places <= 0:
            return
        for code in {
            code for heard in history[-places:] for code in (int(self._codes[heard]), *self._more.get(heard, ()))
        }:
            if code >= 0:
                if code not in self._members:
                    others = [track for track, codes in self._more.items() if code in codes]
                    self._members[code] = np.append(np.flatnonzero(self._codes == code), np.array(others, np.int64))
                mask[self._members[code]] = False


def relaxed_sentence(relaxed: Sequence[RuleName], tracks: int) -> str:
    """What the listener is told when rules gave way, such as "Only 3 tracks can play here now: artists may follow each other".

    Args:
        relaxed: the rules, in the order in which they gave way.
        tracks: how many the station has open.

    Returns:
        One sentence; empty when nothing gave way.
    """
    implied = RuleName.ALBUM_SPACING if RuleName.ARTIST_SPACING in relaxed else None
    happening = [WHAT_MAY_HAPPEN[name] for name in relaxed if name in WHAT_MAY_HAPPEN and name is not implied]
    if not happening:
        return ""
    if tracks == 0:
        return f"Nothing else is left: {_listed(happening)}."
    if tracks > FEW_TRACKS:
        return f"Too little to choose from here: {_listed(happening)}."
    return f"Only {tracks} {'track' if tracks == 1 else 'tracks'} can play here now: {_listed(happening)}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
