"""A station's queue: scores and rules become places with propensities, and what is logged when one is served."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from player.config import StationSettings
from player.listening.collection import Collection
from player.listening.interactions import LabelledEvent
from player.listening.log import ListeningState, Served
from player.listening.scoring import StationScorer
from recommender.live import LiveScores
from recommender.ranking import Ranking, Request, Settings, commit, rank
from recommender.rules import Rule, open_tracks, standing_rules
from recommender.temperature import temperature_for_breadth

ARM = "live"
"""The name of the one way of choosing there is."""
LOOK_BACK = 200
"""How many last plays the rules see: more than their longest gap."""


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

    @property
    def track_rows(self) -> tuple[int, ...]:
        """The tracks' rows in the collection, in order."""
        return self.ranking.tracks

    def after_first(self) -> "RankedQueue":
        """The queue that is left when its first place is playing: the very same places, one nearer."""
        return replace(self, ranking=replace(self.ranking, rows=self.ranking.rows[1:]))

    @property
    def shortfall(self) -> str:
        """Why the queue is shorter than asked; empty when it is not."""
        return self.ranking.shortfall or ""


@dataclass(frozen=True, slots=True)
class Listening:
    """What a ranking is made from, beside the station.

    Attributes:
        state: derived from the whole log.
        labelled: what the log says about taste, in time order.
        now: seconds since 1970.
        playing: row of the track that is playing; it counts as the last one heard and uses up a slot.
        unplayable: ids of tracks that could not be played of late.
    """

    state: ListeningState
    labelled: Sequence[LabelledEvent]
    now: float
    playing: int | None = None
    unplayable: frozenset[int] = frozenset()


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
    collection, station, state = scorer.collection, scorer.station, listening.state
    scores = scorer.score(listening.labelled, listening.now)
    rules = _rules(state, collection, station.id, listening.now)
    candidates = collection.playable & ~_mask(collection, listening.unplayable)
    open_now = open_tracks(candidates, rules)
    request = Request(
        scores=scores.total,
        candidates=candidates,
        rules=rules,
        recent=_recent(state, collection, listening.playing),
        first_slot=state.slots.get(station.id, 0) + (listening.playing is not None),
        places=places,
        noise_seed=station.noise_seed,
        settings=Settings(
            temperature=temperature_for_breadth(scores.total[open_now], settings.breadth),
            diversity=settings.diversity,
        ),
    )
    ranking = rank(collection.catalogue, request, commit_first)
    return RankedQueue(request, ranking, open_now, scores, state.watermark, scorer.version)


def _recent(state: ListeningState, collection: Collection, playing: int | None) -> tuple[int, ...]:
    """Rows of what was heard last on any station, oldest first: an ear has one memory."""
    heard = [collection.index[track] for _, track in state.plays[-LOOK_BACK:] if track in collection.index]
    return tuple(heard) if playing is None else (*heard, playing)


def _rules(state: ListeningState, collection: Collection, station_id: int, now: float) -> tuple[Rule, ...]:
    down = [track for track, value in state.thumbs.get(station_id, {}).items() if value < 0]
    resting = [track for track, until in state.resting_until.items() if until > now]
    return standing_rules(_mask(collection, state.never), _mask(collection, down), _mask(collection, resting))


def _mask(collection: Collection, track_ids: Iterable[int]) -> NDArray[np.bool_]:
    mask = np.zeros(len(collection), np.bool_)
    rows = [collection.index[track] for track in track_ids if track in collection.index]
    mask[rows] = True
    return mask


def served(queue: RankedQueue, scorer: StationScorer, place: int) -> Served:
    """What to log when a place of the queue is served."""
    catalogue = scorer.collection.catalogue
    made = commit(catalogue, queue.request, queue.ranking, place)
    return Served(
        station_id=scorer.station.id,
        track_id=int(catalogue.ids[made.track]),
        watermark=queue.watermark,
        slot=made.slot,
        rank=made.rank,
        score=made.score,
        propensity=made.propensity,
        model_version=queue.model_version,
        arm=ARM,
        temperature=made.temperature,
        eligible_count=made.eligible_count,
        log_partition=made.log_partition,
        eligible_ids=catalogue.ids[made.tracks].tolist(),
        eligible_utilities=made.utilities.tolist(),
    )
