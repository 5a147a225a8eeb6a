"""Diversity beside the queue: as it is, its course over the last plays, and as it will be after the queue."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from player.listening.diversity_words import panel_sentence
from player.listening.log import ListeningState
from player.listening.queue import RankedQueue
from player.listening.scoring import StationScorer
from player.listening.view import Measure
from recommender.diversity import DiversityReport, Pool, outlook, report

TREND_POINTS = 24
"""How many plays back a sparkline goes."""


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """How a diversity measure is named and shown."""

    key: str
    name: str
    higher_is_more_diverse: bool

    def of(self, figures: DiversityReport) -> float:
        """Its value in a report."""
        return float(getattr(figures, self.key))


MEASURES = (
    MeasureKind("gini", "Gini", higher_is_more_diverse=False),
    MeasureKind("artist_entropy", "artist entropy", higher_is_more_diverse=True),
    MeasureKind("intra_list_distance", "distance", higher_is_more_diverse=True),
    MeasureKind("coverage", "coverage", higher_is_more_diverse=True),
    MeasureKind("never_played", "never played", higher_is_more_diverse=False),
    MeasureKind("repeat_rate", "repeats", higher_is_more_diverse=False),
)


class DiversityCourse:
    """A station's diversity; reports on plays that are past are kept, so each event costs one or two.

    Args:
        scorer: the station's.
    """

    def __init__(self, scorer: StationScorer) -> None:
        self._scorer = scorer
        self.sentence = ""
        """What the last plays look like beside those before them; empty while there are too few."""
        self._past: deque[DiversityReport] = deque(maxlen=TREND_POINTS)
        self._plays: list[int] = []

    def measure(self, queue: RankedQueue, state: ListeningState) -> tuple[Measure, ...]:
        """The measures now and after the queue; the course ends with the present."""
        collection = self._scorer.collection
        pool = Pool(collection.space.vectors, collection.catalogue.artist, queue.open)
        plays = self._station_plays(state)
        self._follow(pool, plays)
        self.sentence = panel_sentence(pool, np.array(plays, np.int64), self._scorer.station.dial)
        look = outlook(pool, np.array(plays, np.int64), np.array(queue.track_rows, np.int64))
        return tuple(
            Measure(
                name=kind.name,
                key=kind.key,
                value=kind.of(look.now),
                after_queue=kind.of(look.after),
                trend=(*(kind.of(past) for past in self._past), kind.of(look.now)) if plays else (),
                higher_is_more_diverse=kind.higher_is_more_diverse,
            )
            for kind in MEASURES
        )

    def _station_plays(self, state: ListeningState) -> list[int]:
        index, own = self._scorer.collection.index, self._scorer.station.id
        return [index[track] for station, track in state.plays if station == own and track in index]

    def _follow(self, pool: Pool, plays: list[int]) -> None:
        """Keep the reports after each of the last plays but the present one."""
        if plays[: len(self._plays)] != self._plays:
            self._past.clear()
            self._plays = []
        first = max(len(self._plays), len(plays) - TREND_POINTS, 1)
        for end in range(first, len(plays)):
            self._past.append(report(pool, np.array(plays[:end], np.int64)))
        self._plays = plays
