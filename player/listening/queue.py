"""A station's queue: scores and rules become rows with reasons, moves and propensities, and the measures beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.config import StationSettings
from player.listening.collection import Collection
from player.listening.interactions import LabelledEvent
from player.listening.log import ListeningState, Served
from player.listening.scoring import Scores, StationScorer, label_words
from player.listening.view import Measure, MoveKind, QueueRow
from recommender.diversity import DiversityReport, Pool, outlook
from recommender.explain import Evidence, Placing, explain
from recommender.moves import moves
from recommender.ranking import Ranking, Request, Settings, commit, rank
from recommender.rules import Rule, open_tracks, standing_rules
from recommender.temperature import temperature_for_breadth

ARM = "live"
"""The name of the one way of choosing there is."""
SECONDS_PER_DAY = 86400.0
LOOK_BACK = 200
"""How many last plays the rules see: more than their longest gap."""
LONGEST_SEED = 24
"""Characters of a seed's name in a reason."""
TREND_POINTS = 24
"""How many earlier values a sparkline shows."""


@dataclass(frozen=True, slots=True)
class RankedQueue:
    """A queue as ranked, and all that is needed to log its places when they are served."""

    request: Request
    ranking: Ranking
    scores: Scores
    watermark: int
    model_version: str

    @property
    def track_rows(self) -> tuple[int, ...]:
        """The tracks' rows in the collection, in order."""
        return self.ranking.tracks

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
    request = Request(
        scores=scores.total,
        candidates=candidates,
        rules=rules,
        recent=_recent(state, collection, listening.playing),
        first_slot=state.slots.get(station.id, 0) + (listening.playing is not None),
        places=places,
        noise_seed=station.noise_seed,
        settings=Settings(
            temperature=temperature_for_breadth(scores.total[open_tracks(candidates, rules)], settings.breadth),
            diversity=settings.diversity,
        ),
    )
    ranking = rank(collection.catalogue, request, commit_first)
    return RankedQueue(request, ranking, scores, state.watermark, scorer.version)


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


def queue_rows(
    queue: RankedQueue, scorer: StationScorer, state: ListeningState, before: Sequence[int], now: float
) -> tuple[QueueRow, ...]:
    """The rows as the listener sees them.

    Args:
        queue: the ranking.
        scorer: that made its scores.
        state: for when a track was last played.
        before: rows of the queue shown before, without those played or taken off since; empty for a first queue.
        now: seconds since 1970.
    """
    collection = scorer.collection
    centre = queue.scores.parts.centre(queue.request.candidates)
    moved = moves(before, queue.track_rows) if before else None
    rows: list[QueueRow] = []
    for place, ranked in enumerate(queue.ranking.rows):
        track = collection.rows[ranked.track]
        tally = state.tallies.get(track.id)
        last = None if tally is None else tally.last_played
        evidence = Evidence(
            seed=_seed_words(scorer, ranked.track),
            labels=label_words(queue.scores, collection, ranked.track),
            days_since_played=None if last is None else (now - last) / SECONDS_PER_DAY,
        )
        placing = Placing(ranked.track, ranked.diversity_lead, ranked.given_up, ranked.utility_rank)
        move = None if moved is None else moved[place]
        rows.append(
            QueueRow(
                track=track,
                slot=ranked.slot,
                score=ranked.score,
                propensity=ranked.propensity,
                reason=explain(queue.scores.parts, centre, placing, evidence).text,
                move="same" if move is None else _kind(move.places, new=move.new),
                moved_by=0 if move is None else abs(move.places),
            )
        )
    return tuple(rows)


def _seed_words(scorer: StationScorer, row: int) -> str:
    """The nearest seed and what the track is: ``Classical: instrumental, jazz``."""
    tags = ", ".join(scorer.collection.tags_of(row))
    seed = scorer.nearest_seed(row)
    if len(seed) > LONGEST_SEED:
        seed = seed[: LONGEST_SEED - 1].rstrip() + "…"
    return f"{seed}: {tags}" if seed and tags else seed or tags


def _kind(places: int, *, new: bool) -> MoveKind:
    if new:
        return "new"
    return "same" if places == 0 else "up" if places > 0 else "down"


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


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """How a diversity measure is named and shown."""

    name: str
    label: str
    higher_is_more_diverse: bool

    def of(self, report: DiversityReport) -> float:
        """Its value in a report."""
        return float(getattr(report, self.name))


MEASURES = (
    MeasureKind("gini", "Gini", higher_is_more_diverse=False),
    MeasureKind("artist_entropy", "artist entropy", higher_is_more_diverse=True),
    MeasureKind("intra_list_distance", "distance", higher_is_more_diverse=True),
    MeasureKind("coverage", "coverage", higher_is_more_diverse=True),
    MeasureKind("never_played", "never played", higher_is_more_diverse=True),
    MeasureKind("repeat_rate", "repeats", higher_is_more_diverse=False),
)


def measure_diversity(queue: RankedQueue, scorer: StationScorer, state: ListeningState) -> tuple[Measure, ...]:
    """Diversity of the station's recent plays, its course over them, and as it will be after the queue."""
    collection = scorer.collection
    pool = Pool(collection.space.vectors, collection.catalogue.artist, queue.request.candidates)
    plays = np.array(
        [
            collection.index[track]
            for station, track in state.plays
            if station == scorer.station.id and track in collection.index
        ],
        np.int64,
    )
    upcoming = np.array(queue.track_rows, np.int64)
    look = outlook(pool, plays, upcoming)
    trend = [outlook(pool, plays[:end], upcoming[:0]).now for end in _trend_ends(len(plays))]
    return tuple(
        Measure(
            name=kind.label,
            key=kind.name,
            value=kind.of(look.now),
            after_queue=kind.of(look.after),
            trend=tuple(kind.of(report) for report in trend),
            higher_is_more_diverse=kind.higher_is_more_diverse,
        )
        for kind in MEASURES
    )


def _trend_ends(plays: int) -> list[int]:
    """After which numbers of plays the course is sampled: evenly, the present last."""
    if plays == 0:
        return []
    points = min(plays, TREND_POINTS)
    return sorted({round(plays * (point + 1) / points) for point in range(points)})
