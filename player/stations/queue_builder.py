"""A station's programme: what is pinned, what has to follow on the last track, then what its mode and the ranking choose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from player.config import StationSettings
from player.feedback.events import ListeningState
from player.library.search import Heard, asks_what_was_heard, heard_nothing
from player.stations.collection import Collection
from player.stations.modes import AlbumMode, Mode, Moment, Offer, StationMode
from player.stations.pins import Pins
from player.stations.snapshot import FOLLOWS, QueueRow
from player.stations.station_queue import (
    Listening,
    RankedQueue,
    effect_of_dial,
    rank_station,
    ranked_queue,
    station_request,
)
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo
from player.stations.trial_arms import TrialArms
from recommender.ranking.rank import Placer, Ranking

PINNED = "pinned by you"


@dataclass(frozen=True, slots=True)
class ProgrammeQueue:
    """A queue as the programme has it.

    Attributes:
        ranked: the ranking; what is there by order, not by choice, is pinned in it.
        offer: what the mode made of the state.
        following: rows that are there because they follow on another.
        within: (n,) bool, the rows open to the station, of which its mode may play some only.
    """

    ranked: RankedQueue
    offer: Offer
    following: frozenset[int]
    within: NDArray[np.bool_]

    def after_first(self) -> "ProgrammeQueue":
        """What is left when the first place is playing."""
        return replace(self, ranked=self.ranked.after_first())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the listener: about the station, the rules that gave way, and its mode."""
        return (*self.ranked.notes, self.offer.note) if self.offer.note else self.ranked.notes

    def worded(self, rows: Iterable[QueueRow], index: Mapping[int, int], pins: Pins) -> tuple[QueueRow, ...]:
        """The rows with their reasons as the listener reads them, and the pins marked.

        Args:
            rows: as on a plain station.
            index: track id → row of the collection.
            pins: what the listener put at the front.
        """
        return tuple(
            replace(row, reason=PINNED, pinned=True)
            if row.track.id in pins
            else replace(row, reason=self.reason(index[row.track.id], row.reason))
            for row in rows
        )

    def reason(self, row: int, reason: str) -> str:
        """Why a row is there, given why it would be on a plain station."""
        return FOLLOWS if row in self.following else self.offer.words(row, reason)


class Programme:
    """A station in its mode.

    Args:
        scorer: the station's.
        mode: how it plays.
        trial: the two arms that choose in its place, while it plays as a plain station.
    """

    def __init__(self, scorer: StationScorer, mode: Mode, trial: TrialArms | None = None) -> None:
        self._scorer = scorer
        self._mode = mode
        self._trial = trial
        self._only = open_rows(scorer.station, scorer.collection)
        works = scorer.collection.works
        self._works = works if works.members and not isinstance(mode, AlbumMode) else None
        self._changing = any(seed.kind == "query" and asks_what_was_heard(seed.value) for seed in scorer.station.seeds)

    def after(self, row: int) -> tuple[int, ...]:
        """The rows that have to follow on a row."""
        return self._mode.after(row) or (() if self._works is None else self._works.after(row))

    def rank(
        self,
        listening: Listening,
        settings: StationSettings,
        places: int,
        *,
        thread: int | None = None,
        commit_first: int = 0,
    ) -> ProgrammeQueue:
        """Rank the queue.

        Args:
            listening: the state of things; what it pins keeps the front.
            settings: breadth and diversity.
            places: how many rows.
            thread: the row that is playing or was last; what has to follow on it comes behind the pins.
            commit_first: how many of the ranked places get their propensity at once.
        """
        if self._changing:
            self._only = open_rows(self._scorer.station, self._scorer.collection, listening.state.heard)
        if type(self._mode) is StationMode and (self._works is None or self._trial is not None):
            alone = replace(listening, candidates=self._only)
            if self._trial is not None:
                ranked = self._trial.rank(alone, settings, places, commit_first=commit_first)
            else:
                ranked = rank_station(self._scorer, alone, settings, places, commit_first=commit_first)
            return ProgrammeQueue(ranked, Offer(), frozenset(), ranked.open)
        moment = self._moment(listening, settings)
        offer = self._mode.offer(moment)
        candidates = self._only if offer.candidates is None else offer.candidates
        if self._works is not None:
            # A work begins at its beginning: what comes later in it comes behind that.
            later = [row for work in self._works.members for row in [one for one in work if moment.within[one]][1:]]
            candidates = moment.within.copy() if candidates is None else candidates.copy()
            candidates[later] = False
        own = replace(listening, candidates=candidates, bonus=offer.bonus, spacing=offer.spacing, even=offer.even)
        return self._with_followers(own, settings, places, moment.within, offer, thread, commit_first)

    def _moment(self, listening: Listening, settings: StationSettings) -> Moment:
        """What is open and what is thought of it, before the mode has its say."""
        bare = rank_station(self._scorer, replace(listening, candidates=self._only, pinned=()), settings, 0)
        seeds = self._scorer.station.seeds
        return Moment(self._scorer.collection, listening, bare.open, bare.scores.total, seeds)

    def _with_followers(
        self,
        listening: Listening,
        settings: StationSettings,
        places: int,
        within: NDArray[np.bool_],
        offer: Offer,
        thread: int | None,
        commit_first: int,
    ) -> ProgrammeQueue:
        """Rank, and put behind each place what has to follow on it: the slots then are those served later."""
        rest = () if thread is None else self._followers(thread, within)
        front = tuple(dict.fromkeys((*listening.pinned, *rest)))
        following = set(rest) - set(listening.pinned)
        asked = station_request(self._scorer, replace(listening, pinned=front), settings, places)
        placer = Placer(self._scorer.collection.catalogue, asked.request)
        rows = [placer.pin(track) for track in placer.admitted_pins()]
        while len(rows) < places and (row := placer.peek()) is not None:
            if sum(not one.pinned for one in rows) < commit_first:
                row = replace(row, commitment=placer.commitment(row))
            placer.place(row.track)
            rows.append(row)
            rest = [other for other in self._followers(row.track, within) if other not in placer.queued]
            following.update(rest)
            rows += [placer.pin(other) for other in rest[: places - len(rows)]]
        shortfall = placer.shortfall() if len(rows) < places else None
        ranked = ranked_queue(self._scorer, listening, asked, Ranking(tuple(rows), shortfall))
        return ProgrammeQueue(ranked, offer, frozenset(following), within)

    def _followers(self, row: int, within: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(other for other in self.after(row) if within[other])


def dial_words(scorer: StationScorer, state: ListeningState, ranked: RankedQueue) -> str:
    """What the dial did to the queue, in figures; empty in its middle, and for albums, which come whole."""
    if ranked.neutral is None or scorer.station.mode == "albums":
        return ""
    return effect_of_dial(scorer, state, ranked).sentence


def last_heard(state: ListeningState, station_id: int, index: Mapping[int, int]) -> int | None:
    """The row that a station played last, if any."""
    heard = next((track for station, track in reversed(state.plays) if station == station_id), None)
    return None if heard is None else index.get(heard)


def open_rows(station: StationInfo, collection: Collection, heard: Heard = heard_nothing) -> NDArray[np.bool_] | None:
    """(n,) the rows that a station plays at all, apart from rules; None for all."""
    mask = queried(station, collection, heard)
    banned = [leaning.seed for leaning in station.leanings if leaning.sign == "not"]
    if not banned:
        return mask
    return ~collection.named(banned) if mask is None else mask & ~collection.named(banned)


def queried(station: StationInfo, collection: Collection, heard: Heard = heard_nothing) -> NDArray[np.bool_] | None:
    """(n,) the rows that a station made of searches alone plays; None for others, and while its searches find nothing."""
    if any(seed.kind != "query" for seed in station.seeds):
        return None
    mask = np.zeros(len(collection), np.bool_)
    for seed in station.seeds:
        mask |= collection.meeting(seed.value, heard)
    mask &= collection.playable
    return mask if mask.any() else None
