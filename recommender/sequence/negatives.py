"""Negative targets: a share of them the listener's own dislikes, redrawn for every position and epoch.

Mei, Bembom & Ehmann 2024, section 3: ``p_hard`` is the probability that a negative target is real negative feedback
instead of a random track. Real negatives come from the station of the target, else from any station of the listener;
where there is none the draw is random, and so it does not count towards the share that was possible.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from recommender.configuration import Negatives
from recommender.events import EventLog

REDRAWS = 8
"""Rounds in which random draws that hit a liked track are drawn again, before the rest is listed out."""


class NegativeKind(IntEnum):
    """Where a negative target came from."""

    NONE = 0
    """The catalogue holds no other track than the target."""
    RANDOM = 1
    STATION = 2
    """The listener's real negative on the same station."""
    LISTENER = 3
    """The listener's real negative on another station."""


@dataclass(frozen=True, slots=True)
class NegativeCounts:
    """Where negative targets came from.

    Attributes:
        positions: that were given a negative.
        eligible: of these, those that have a real one.
        station: of these, those that got one of the same station.
        listener: those that got one of another station.
    """

    positions: int = 0
    eligible: int = 0
    station: int = 0
    listener: int = 0

    def __add__(self, other: "NegativeCounts") -> "NegativeCounts":
        return NegativeCounts(
            self.positions + other.positions,
            self.eligible + other.eligible,
            self.station + other.station,
            self.listener + other.listener,
        )

    @property
    def realised_share(self) -> float | None:
        """Share of real negatives among the eligible positions, ``p_hard`` in expectation; None when none was eligible."""
        return (self.station + self.listener) / self.eligible if self.eligible else None

    @property
    def share_of_all(self) -> float | None:
        """Share of real negatives among all positions; None without a position."""
        return (self.station + self.listener) / self.positions if self.positions else None


@dataclass(frozen=True, slots=True)
class NegativeDraw:
    """One negative for each position.

    Attributes:
        track: (P,) the negative track.
        kind: (P,) int8 :class:`NegativeKind`.
        eligible: (P,) bool, whether a real negative existed for the position.
    """

    track: NDArray[np.int64]
    kind: NDArray[np.int8]
    eligible: NDArray[np.bool_]

    @property
    def counts(self) -> NegativeCounts:
        """The draw in numbers."""
        return NegativeCounts(
            positions=len(self.kind),
            eligible=int(np.count_nonzero(self.eligible)),
            station=int(np.count_nonzero(self.kind == NegativeKind.STATION)),
            listener=int(np.count_nonzero(self.kind == NegativeKind.LISTENER)),
        )

    @property
    def realised_share(self) -> float | None:
        """Share of the eligible positions that got a real negative; None when none was eligible."""
        return self.counts.realised_share


@dataclass(frozen=True, slots=True)
class _Pools:
    """Sets of tracks under integer keys, all in one sorted array: (key, track) pairs as ``key · tracks + track``."""

    codes: NDArray[np.int64]
    tracks: int

    @staticmethod
    def of(key: NDArray[np.int64], track: NDArray[np.int64], tracks: int) -> "_Pools":
        return _Pools(np.unique(key * tracks + track), tracks)

    def contains(self, key: NDArray[np.int64], track: NDArray[np.int64]) -> NDArray[np.bool_]:
        code = key * self.tracks + track
        place = np.searchsorted(self.codes, code)
        found = np.zeros(len(code), np.bool_)
        inside = place < len(self.codes)
        found[inside] = self.codes[place[inside]] == code[inside]
        return found

    def others(self, key: NDArray[np.int64], track: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many tracks each set holds beside ``track``."""
        start = np.searchsorted(self.codes, key * self.tracks)
        end = np.searchsorted(self.codes, (key + 1) * self.tracks)
        return end - start - self.contains(key, track)

    def draw(self, key: NDArray[np.int64], track: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """One track of each set, uniform over those that are not ``track``; every set must have one."""
        start = np.searchsorted(self.codes, key * self.tracks)
        own = np.searchsorted(self.codes, key * self.tracks + track)
        place = start + rng.integers(self.others(key, track))
        place += self.contains(key, track) & (place >= own)  # step over the target itself
        return self.codes[place] - key * self.tracks


def standing_labels(log: EventLog, key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """The opinion that stands for each (key, track): the latest explicit label, else the latest implicit one.

    Args:
        log: rows in time order; rows without a label say nothing.
        key: (N,) what opinions are kept apart by (a listener, or a listener on a station).

    Returns:
        Rows (K,) of the log that hold the standing opinions, and their labels (K,).
    """
    rows = np.flatnonzero(log.label != 0)
    pair = key[rows] * log.tracks + log.track[rows]
    # Sorted by pair, then implicit before explicit, then time: the last of each pair is the one that stands.
    order = np.lexsort((rows, log.explicit[rows], pair))
    ordered = pair[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    standing = rows[order[last]]
    return standing, log.label[standing]


def _of_kind(log: EventLog, rows: NDArray[np.int64], negatives: Negatives) -> NDArray[np.int64]:
    """Those of the rows that count."""
    if negatives is Negatives.BOTH:
        return rows
    return rows[log.explicit[rows] == (negatives is Negatives.EXPLICIT)]


class NegativeSampler:
    """Draws negatives for a training log; it never sees, and so never draws from, validation or test."""

    def __init__(self, train: EventLog, p_hard: float, negatives: Negatives = Negatives.BOTH) -> None:
        """Index the real negatives.

        Args:
            train: the rows that may be learned from.
            p_hard: 0…1, probability of a real negative at a position that has one.
            negatives: which feedback counts as a real negative: said, shown, or both. What stands is decided by all
                feedback first, so a thumb that overrules a skip does so whichever of them counts.

        Raises:
            ValueError: when ``p_hard`` lies outside 0…1.
        """
        if not 0.0 <= p_hard <= 1.0:
            raise ValueError(f"p_hard is a probability between 0 and 1, not {p_hard:g}")
        self.p_hard = p_hard
        self._tracks = train.tracks
        self._stations = int(train.station.max(initial=-1)) + 1
        by_station, station_label = standing_labels(train, self._station_key(train.listener, train.station))
        by_listener, listener_label = standing_labels(train, train.listener)
        disliked = _of_kind(train, by_station[station_label < 0], negatives)
        self._on_station = _Pools.of(
            self._station_key(train.listener[disliked], train.station[disliked]), train.track[disliked], train.tracks
        )
        disliked = _of_kind(train, by_listener[listener_label < 0], negatives)
        self._anywhere = _Pools.of(train.listener[disliked], train.track[disliked], train.tracks)
        liked = by_listener[listener_label > 0]
        self._liked = _Pools.of(train.listener[liked], train.track[liked], train.tracks)

    def _station_key(self, listener: NDArray[np.int64], station: NDArray[np.int64]) -> NDArray[np.int64]:
        # Feedback given on no station is station -1; nobody said anything on one that the rows do not know.
        return listener * (self._stations + 2) + np.minimum(station, self._stations) + 1

    def draw(
        self,
        listener: NDArray[np.int64],
        station: NDArray[np.int64],
        target: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> NegativeDraw:
        """Draw one negative for each position.

        Args:
            listener: (P,) whose position it is.
            station: (P,) station of the positive target.
            target: (P,) the positive target, which is never its own negative.
            rng: source of chance; the same state gives the same draw.

        Returns:
            The negatives, where they came from, and where a real one was possible.
        """
        station_key = self._station_key(listener, station)
        on_station = self._on_station.others(station_key, target) > 0
        eligible = on_station | (self._anywhere.others(listener, target) > 0)
        hard = eligible & (rng.random(len(target)) < self.p_hard)
        track = self._draw_random(listener, target, rng)
        kind = np.full(len(target), NegativeKind.RANDOM if self._tracks > 1 else NegativeKind.NONE, np.int8)
        here = hard & on_station
        track[here] = self._on_station.draw(station_key[here], target[here], rng)
        kind[here] = NegativeKind.STATION
        elsewhere = hard & ~on_station
        track[elsewhere] = self._anywhere.draw(listener[elsewhere], target[elsewhere], rng)
        kind[elsewhere] = NegativeKind.LISTENER
        return NegativeDraw(track, kind, eligible)

    def _draw_random(
        self, listener: NDArray[np.int64], target: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Uniform over the catalogue without the target and, while they can be avoided, the listener's liked tracks."""
        if self._tracks < 2:  # noqa: PLR2004 - the target alone leaves nothing to draw
            return target.copy()
        track = self._any_but(target, rng)
        for _ in range(REDRAWS):
            again = np.flatnonzero(self._liked.contains(listener, track))
            if len(again) == 0:
                return track
            track[again] = self._any_but(target[again], rng)
        again = np.flatnonzero(self._liked.contains(listener, track))
        for who in np.unique(listener[again]):
            rows = again[listener[again] == who]
            track[rows] = self._not_liked(int(who), target[rows], track[rows], rng)
        return track

    def _not_liked(
        self, listener: int, target: NDArray[np.int64], otherwise: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw from the list of what one listener does not like; where that is the target alone, keep the other."""
        everything = np.arange(self._tracks)
        rest = everything[~self._liked.contains(np.full(self._tracks, listener), everything)]
        if len(rest) == 0:
            return otherwise
        place = np.searchsorted(rest, target)
        own = rest[np.minimum(place, len(rest) - 1)] == target
        others = len(rest) - own
        draw = rng.integers(np.maximum(others, 1))
        draw += own & (draw >= place)
        return np.where(others > 0, rest[np.minimum(draw, len(rest) - 1)], otherwise)

    def _any_but(self, target: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        track = rng.integers(self._tracks - 1, size=len(target))
        return track + (track >= target)


def shared_negatives(
    tracks: int, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Negatives for all positions of a batch at once, drawn evenly and with replacement.

    Args:
        tracks: of the catalogue; one no larger than ``count`` is used whole.
        count: negatives of a batch.
        rng: source of chance.

    Returns:
        Tracks (N,), and how often each was expected to be drawn.

    Raises:
        ValueError: when none are to be drawn.
    """
    if count < 1:
        raise ValueError(f"{count} shared negatives cannot be drawn")
    if tracks <= count:
        return np.arange(tracks), np.ones(tracks, np.float32)
    track = np.minimum((rng.random(count) * tracks).astype(np.int64), tracks - 1)
    return track, np.full(count, count * (1.0 / tracks), np.float32)
