"""A station's queue: scores and rules become places with propensities, what is logged when one is served, and what the dial did."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from player.config import StationSettings
from player.feedback.events import ListeningState
from player.feedback.labels import Labels
from player.feedback.served import Served, pack_eligible
from player.stations.collection import UNKNOWN, Collection, codes
from player.stations.seeds import describe_seeds
from player.stations.station_scoring import StationScorer
from player.stations.stations import genres_of
from recommender.models.station_scorer import HeadLabels, LiveScores
from recommender.ranking.dial import NEUTRAL, DialEffect, QueueFigures, dial_effect, dialled, queue_figures
from recommender.ranking.diversity import Pool
from recommender.ranking.gumbel import temperature_for_breadth
from recommender.ranking.rank import Ranking, Request, Settings, commit, rank
from recommender.ranking.rules import Rule, Spacing, open_tracks, relaxed_sentence, standing_rules
from recommender.ranking.variety import Mix, Variety, aspect_of_likes

YEARS_AN_ERA = 10
FIRST_YEAR = 1900
"""Earlier years, and those to come, are typing errors more often than not: their era is not known."""
LAST_YEAR = 2100
ROWS_AT_A_TIME = 8192
"""Rows whose tags are compared at once: a large library is never copied whole."""


@dataclass(frozen=True, eq=False)
class _Library:
    """A collection as a key of a cache: the same only as itself."""

    collection: Collection

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Library) and other.collection is self.collection

    def __hash__(self) -> int:
        return id(self.collection)


def liked_mix(collection: Collection, labels: HeadLabels) -> Mix | None:
    """The wanted mix; none before anything was liked.

    Args:
        collection: the library.
        labels: what was liked and disliked, weighed for this station, as the running update sees it.
    """
    likes = labels.label > 0
    if not likes.any():
        return None
    tracks, weights = labels.track[likes], labels.weight[likes]
    aspects = (aspect_of_likes(kinds, tracks, weights) for kinds in _kinds(_Library(collection)))
    return Mix(tuple(aspect for aspect in aspects if aspect is not None))


@lru_cache(maxsize=1)
def _kinds(library: _Library) -> tuple[NDArray[np.int64], ...]:
    """For genre, era and tag, (n,) each track's kind, ``UNKNOWN`` where it is not known."""
    rows = library.collection.rows
    genre = codes(next(iter(genres_of(row)), "") for row in rows)
    era = np.array([_era(row.year) for row in rows], np.int64)
    return genre, era, np.concatenate([np.empty(0, np.int64), *_strongest_tags(library.collection)])


def _era(year: int | None) -> int:
    known = year is not None and FIRST_YEAR <= year < LAST_YEAR
    return (year - FIRST_YEAR) // YEARS_AN_ERA if year is not None and known else UNKNOWN


def _strongest_tags(collection: Collection) -> Iterator[NDArray[np.int64]]:
    """The tag that marks each track most, above the library's mean."""
    tags = collection.vectors.tags
    if not tags.shape[1]:
        yield np.full(len(collection), UNKNOWN, np.int64)
        return
    above_mean = np.exp(-collection.tag_levels)
    for first in range(0, len(tags), ROWS_AT_A_TIME):
        lift = tags[first : first + ROWS_AT_A_TIME] * above_mean
        unknown = np.flatnonzero(~np.isfinite(lift).all(axis=1))
        strongest = np.argmax(lift, axis=1).astype(np.int64)
        strongest[unknown] = UNKNOWN
        yield strongest


ARM = "live"
"""The name of the one way of choosing there is."""
LOOK_BACK = 200
"""How many last plays the rules see: as many as their longest gap, with the dial at its end."""
ALL_SEEDS_GONE = "Nothing this station is based on is in the library any more: it plays from the whole library."


@dataclass(frozen=True, slots=True)
class StationRequest:
    """What a station's ranking asks, before it is ranked.

    Attributes:
        request: at the station's dial.
        neutral: the very same with the dial in its middle; ``request`` itself where it is there.
        open: (n,) the tracks that the station may play now, the last few apart.
        scores: the station's own, without what its mode and its dial add.
        dial: (n,) logits that the dial adds; none where it is in its middle.
    """

    request: Request
    neutral: Request
    open: NDArray[np.bool_]
    scores: LiveScores
    dial: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True)
class RankedQueue:
    """A queue as ranked, and all that is needed to log its places when they are served."""

    request: Request
    ranking: Ranking
    open: NDArray[np.bool_]
    """(n,) the tracks that the station may play now, the last few apart."""
    scores: LiveScores
    watermark: int
    model_version: str
    arms: "tuple[RowArm | None, ...]" = ()
    """In a trial: who chose each row, None for a pinned one; without a trial there are none."""

    neutral: Request | None = None
    """What would have been ranked with the dial in its middle; None where it is there."""
    dial: NDArray[np.float64] | None = None
    """(n,) logits that the dial added to the scores; none where it is in its middle."""
    remarks: tuple[str, ...] = ()
    """Sentences about the station itself, such as that its seeds are gone."""

    def arm(self, place: int) -> "RowArm | None":
        """Who chose a row in a trial; None without one, and for a pinned row."""
        return self.arms[place] if self.arms else None

    @property
    def track_rows(self) -> tuple[int, ...]:
        """The tracks' rows in the collection, in order."""
        return self.ranking.tracks

    @property
    def pool(self) -> int:
        """How many tracks the station and its mode choose from now."""
        return int(np.count_nonzero(self.open & self.request.candidates))

    def after_first(self) -> "RankedQueue":
        """The queue that is left when its first place is playing: the very same places, one nearer."""
        return replace(self, ranking=replace(self.ranking, rows=self.ranking.rows[1:]), arms=self.arms[1:])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the screen: what is odd about the station, and which rules gave way."""
        relaxed = relaxed_sentence(self.ranking.relaxed, int(np.count_nonzero(self.open)))
        return (*self.remarks, relaxed) if relaxed else self.remarks

    @property
    def shortfall(self) -> str:
        """Why the queue is shorter than asked; empty when it is not."""
        return self.ranking.shortfall or ""


@dataclass(frozen=True, slots=True)
class RowArm:
    """The arm of a trial that chose a row.

    Attributes:
        name: of the arm.
        trial_id: of the trial.
        pair: the pair of slots that the row belongs to.
        queue: what the arm ranks by: its request, scores and version.
        scorer: that made them.
    """

    name: str
    trial_id: int
    pair: int
    queue: RankedQueue
    scorer: StationScorer


@dataclass(frozen=True, slots=True)
class Listening:
    """What a ranking is made from, beside the station.

    Attributes:
        state: derived from the whole log.
        labels: what the log says about taste, in time order.
        now: seconds since 1970.
        playing: row of the track that is playing; it counts as the last one heard and uses up a slot.
        unplayable: ids of tracks that could not be played of late.
        pinned: rows of the collection that keep the front, in this order, whatever the mode; they get no propensity,
            and one that a standing rule forbids or whose file is gone is dropped.
        candidates: (n,) bool, the rows that the station's mode plays at all; every row when absent.
        bonus: (n,) logits that the station's mode adds to the scores; none when absent.
        spacing: the mode's own; the usual one when absent.
        even: the mode draws from the candidates evenly, whatever the scores.
    """

    state: ListeningState
    labels: Labels
    now: float
    playing: int | None = None
    unplayable: frozenset[int] = frozenset()
    pinned: tuple[int, ...] = ()
    candidates: NDArray[np.bool_] | None = None
    bonus: NDArray[np.float64] | None = None
    spacing: Spacing | None = None
    even: bool = False


def rank_station(
    scorer: StationScorer, listening: Listening, settings: StationSettings, places: int, *, commit_first: int = 0
) -> RankedQueue:
    """Rank a station's upcoming queue.

    Args:
        scorer: the station's.
        listening: the state of things.
        settings: breadth and diversity.
        places: how many rows.
        commit_first: how many places get their propensity at once, because they are all being served.
    """
    asked = station_request(scorer, listening, settings, places)
    return ranked_queue(scorer, listening, asked, rank(scorer.collection.catalogue, asked.request, commit_first))


def ranked_queue(scorer: StationScorer, listening: Listening, asked: StationRequest, ranking: Ranking) -> RankedQueue:
    """A ranking with all that is needed to log its places; ``asked`` is what was ranked."""
    return RankedQueue(
        request=asked.request,
        ranking=ranking,
        open=asked.open,
        scores=asked.scores,
        watermark=listening.state.watermark,
        model_version=scorer.version,
        neutral=None if asked.dial is None else asked.neutral,
        dial=asked.dial,
        remarks=_remarks(scorer),
    )


def station_request(
    scorer: StationScorer, listening: Listening, settings: StationSettings, places: int
) -> StationRequest:
    """What a station's upcoming queue is ranked by.

    Args:
        scorer: the station's.
        listening: the state of things.
        settings: breadth, diversity and calibration, before the station's dial.
        places: how many rows.
    """
    collection, station, state = scorer.collection, scorer.station, listening.state
    scores = scorer.score(listening.labels, listening.now, state.muted.get(station.id, frozenset()))
    rules = _rules(state, collection, station.id, listening.now)
    playable = collection.playable & ~_mask(collection, listening.unplayable)
    by_itself = playable & ~_mask(collection, state.off_stations(station.id, listening.now))
    candidates = by_itself if listening.candidates is None else by_itself & listening.candidates
    open_now = open_tracks(candidates, rules)
    logits = scores.total if listening.bonus is None else scores.total + listening.bonus
    neutral = Request(
        scores=logits,
        candidates=candidates,
        rules=rules,
        recent=_recent(state, collection, listening.playing),
        pinned=tuple(row for row in listening.pinned if playable[row]),
        first_slot=state.slots.get(station.id, 0) + (listening.playing is not None),
        places=places,
        noise_seed=station.noise_seed,
        settings=Settings(
            temperature=temperature_for_breadth(logits[open_now], settings.breadth),
            diversity=settings.diversity,
            variety=Variety(settings.variety),
            calibration=settings.calibration,
            spacing=listening.spacing or Spacing(),
        ),
        mix=liked_mix(collection, scores.labels) if settings.calibration > 0 else None,
    )
    if listening.even:
        even = replace(
            neutral,
            scores=np.zeros(len(collection)),
            recent=_recent(state, collection, listening.playing, candidates),
            settings=Settings(
                1.0,
                diversity=0.0,
                calibration=0.0,
                artist_penalty=0.0,
                album_penalty=0.0,
                spacing=neutral.settings.spacing,
            ),
            mix=None,
        )
        return StationRequest(even, even, open_now, scores, None)
    if station.dial == NEUTRAL:
        return StationRequest(neutral, neutral, open_now, scores, None)
    turned = dialled(station.dial, settings.breadth, settings.diversity, Spacing().track)
    added = turned.logits(scorer.times_played.of(state))
    request = replace(
        neutral,
        scores=logits + added,
        settings=replace(
            neutral.settings,
            temperature=temperature_for_breadth((logits + added)[open_now], turned.breadth),
            diversity=turned.diversity,
            spacing=replace(neutral.settings.spacing, track=turned.track_gap),
        ),
    )
    return StationRequest(request, neutral, open_now, scores, added)


def _remarks(scorer: StationScorer) -> tuple[str, ...]:
    """What is odd about the station itself."""
    lost = scorer.lost_seeds
    if not lost:
        return ()
    if len(lost) == len(scorer.seeds):
        return (ALL_SEEDS_GONE,)
    words, are = describe_seeds(lost, scorer.collection.rows), "is" if len(lost) == 1 else "are"
    return (
        f"{words[:1].upper()}{words[1:]} {are} not in the library any more: the station plays on with the rest it is based on.",
    )


def _recent(
    state: ListeningState, collection: Collection, playing: int | None, among: NDArray[np.bool_] | None = None
) -> tuple[int, ...]:
    """Rows of what was heard last on any station, oldest first: an ear has one memory.

    Of those in ``among`` (n,) where it is given, each once, as far back as the log goes.
    """
    if among is None:
        heard = [collection.index[track] for _, track in state.plays[-LOOK_BACK:] if track in collection.index]
        return tuple(heard) if playing is None else (*heard, playing)
    last = dict.fromkeys([] if playing is None else [playing])
    last |= dict.fromkeys(collection.index[track] for _, track in reversed(state.plays) if track in collection.index)
    return tuple(row for row in reversed(last) if among[row])


def _rules(state: ListeningState, collection: Collection, station_id: int, now: float) -> tuple[Rule, ...]:
    down = [track for track, value in state.thumbs_on(station_id).items() if value < 0]
    resting = [track for track, until in state.resting_until.items() if until > now]
    return standing_rules(_mask(collection, state.never), _mask(collection, down), _mask(collection, resting))


def _mask(collection: Collection, track_ids: Iterable[int]) -> NDArray[np.bool_]:
    mask = np.zeros(len(collection), np.bool_)
    rows = [collection.index[track] for track in track_ids if track in collection.index]
    mask[rows] = True
    return mask


def served(queue: RankedQueue, scorer: StationScorer, place: int) -> Served:
    """What to log when a place of the queue is served."""
    catalogue, arm = scorer.collection.catalogue, queue.arm(place)
    own = queue if arm is None else arm.queue
    made = commit(catalogue, own.request, queue.ranking, place)
    return Served(
        station_id=scorer.station.id,
        track_id=int(catalogue.ids[made.track]),
        watermark=queue.watermark,
        slot=made.slot,
        rank=made.rank,
        score=made.score,
        propensity=made.propensity,
        model_version=own.model_version,
        arm=ARM if arm is None else arm.name,
        temperature=made.temperature,
        eligible_count=made.eligible_count,
        log_partition=made.log_partition,
        eligible=pack_eligible(catalogue.ids[made.tracks], made.utilities),
        trial_id=None if arm is None else arm.trial_id,
        pair=None if arm is None else arm.pair,
    )


def effect_of_dial(scorer: StationScorer, state: ListeningState, queue: RankedQueue) -> DialEffect:
    """What the dial did; costs one more ranking (no scoring) where the dial is turned, and next to nothing where it is not.

    Args:
        scorer: the station's.
        state: derived from the whole log.
        queue: as ranked, at the station's dial.
    """
    figures = _Figures(scorer, state, queue)
    if queue.neutral is None:
        return dial_effect(scorer.station.dial, figures.of(queue.track_rows))
    neutral = rank(scorer.collection.catalogue, queue.neutral).tracks
    return dial_effect(scorer.station.dial, figures.of(queue.track_rows), figures.of(neutral[: len(queue.track_rows)]))


class _Figures:
    """Figures of several queues of one state."""

    def __init__(self, scorer: StationScorer, state: ListeningState, queue: RankedQueue) -> None:
        collection = scorer.collection
        self._pool = Pool(collection.space.vectors, collection.catalogue.artist, queue.open)
        self._played = scorer.times_played.of(state) > 0
        self._plays = scorer.plays.of(state)

    def of(self, tracks: tuple[int, ...]) -> QueueFigures:
        return queue_figures(self._pool, self._plays, self._played, np.array(tracks, np.int64))
