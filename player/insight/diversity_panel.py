"""Diversity beside the queue: as it is, its course over the last plays, and as it will be after the queue."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from player.feedback.events import ListeningState
from player.insight.diversity_change import panel_sentence
from player.stations.snapshot import Measure
from player.stations.station_queue import RankedQueue
from player.stations.station_scoring import StationScorer
from recommender.ranking.diversity import DiversityReport, Pool, outlook, report

TREND_POINTS = 24
"""Plays that a sparkline goes back."""


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """Name, direction and, where the panel shows it, the two ends of a diversity measure in words."""

    key: str
    name: str
    higher_is_more_diverse: bool
    ends: tuple[str, str] | None = None

    def of(self, figures: DiversityReport) -> float:
        """Its value in a report."""
        return float(getattr(figures, self.key))


MEASURES = (
    MeasureKind("gini", "Gini index", higher_is_more_diverse=False, ends=("few artists", "many artists")),
    MeasureKind("artist_entropy", "artist entropy", higher_is_more_diverse=True),
    MeasureKind("intra_list_distance", "distance", higher_is_more_diverse=True, ends=("alike", "different")),
    MeasureKind("coverage", "coverage", higher_is_more_diverse=True, ends=("same corner", "all over")),
    MeasureKind("never_played", "never played", higher_is_more_diverse=False),
    MeasureKind("repeat_rate", "repeats", higher_is_more_diverse=False, ends=("repeats", "new tracks")),
)


class DiversityCourse:
    """A station's diversity; reports on plays that are past are kept, so each event costs one or two.

    Args:
        scorer: the station's.
    """

    def __init__(self, scorer: StationScorer) -> None:
        self._scorer = scorer
        self.sentence = ""
        """A sentence on the last plays beside those before them; empty while there are too few."""
        self._past: deque[DiversityReport] = deque(maxlen=TREND_POINTS)
        self._followed: NDArray[np.int64] = np.empty(0, np.int64)
        """The plays that the course knows of."""

    def measure(self, queue: RankedQueue, state: ListeningState) -> tuple[Measure, ...]:
        """The measures now and after the queue; the course ends with the present."""
        collection = self._scorer.collection
        pool = Pool(collection.space.vectors, collection.catalogue.artist, queue.open)
        plays = self._scorer.plays.of(state)
        self._follow(pool, plays)
        self.sentence = panel_sentence(pool, plays, self._scorer.station.dial)
        look = outlook(pool, plays, np.array(queue.track_rows, np.int64))
        return tuple(
            Measure(
                name=kind.name,
                key=kind.key,
                value=kind.of(look.now),
                after_queue=kind.of(look.after),
                trend=(*(kind.of(past) for past in self._past), kind.of(look.now)) if len(plays) else (),
                higher_is_more_diverse=kind.higher_is_more_diverse,
                ends=kind.ends,
            )
            for kind in MEASURES
        )

    def _follow(self, pool: Pool, plays: NDArray[np.int64]) -> None:
        """Keep the reports after each of the last plays but the present one."""
        known = len(self._followed)
        if not np.array_equal(plays[:known], self._followed):
            self._past.clear()
            known = 0
        for end in range(max(known, len(plays) - TREND_POINTS, 1), len(plays)):
            self._past.append(report(pool, plays[:end]))
        self._followed = plays
