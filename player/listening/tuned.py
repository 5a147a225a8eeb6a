"""A station that is tuned in: its queue as last ranked, and the next ranking from the state of things."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from player.config import StationSettings
from player.library.rows import TrackRow
from player.listening.journal import Journal
from player.listening.log import Served
from player.listening.measures import DiversityCourse
from player.listening.queue import Listening, RankedQueue, rank_station, served
from player.listening.reasons import Reasons, queue_rows
from player.listening.scoring import StationScorer
from player.listening.stations import StationInfo
from player.listening.view import Measure, QueueRow

QUEUE_ROWS = 25
"""How many upcoming tracks are ranked: a screen's worth."""
FEWEST_TRACKS = 2 * (QUEUE_ROWS + 1)
"""In a station with fewer, a track comes back (after half of them, see ``rules.Spacing``) within the queue shown, once it
was heard; one that is only queued does not, so it matters whether the first place is queued or playing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The track that a station plays next, and what to log about it."""

    track: TrackRow
    reason: str
    served: Served


class TunedStation:
    """The station on air.

    Args:
        scorer: of the station over the library as it is now.
        settings: breadth and diversity.
        rows: the queue shown before, for a station whose library was read anew.
    """

    def __init__(self, scorer: StationScorer, settings: StationSettings, rows: tuple[QueueRow, ...] = ()) -> None:
        self.scorer = scorer
        self.rows = rows
        self.shortfall = ""
        self.diversity: tuple[Measure, ...] = ()
        self.rerank_ms = 0.0
        self._settings = settings
        self._course = DiversityCourse(scorer)

    @property
    def station(self) -> StationInfo:
        """Which one it is."""
        return self.scorer.station

    def rerank(self, journal: Journal, unplayable: frozenset[int], playing: int | None) -> None:
        """Rank what comes after the track that is ``playing`` (an id, if any)."""
        started = time.perf_counter()
        self._show(self._rank(journal, unplayable, playing, QUEUE_ROWS), journal, playing)
        self.rerank_ms = (time.perf_counter() - started) * 1000

    def choose(self, journal: Journal, unplayable: frozenset[int]) -> Choice | None:
        """Rank, take the first place, and leave the rest as the queue; None when there is nothing to play.

        In all but small stations the rest needs no ranking of its own: with the first place playing it would come out
        the same.
        """
        started = time.perf_counter()
        queue = self._rank(journal, unplayable, None, QUEUE_ROWS + 1)
        choice = None
        if queue.ranking.rows:
            first = queue.ranking.rows[0]
            reason = Reasons(queue, self.scorer, journal.state, time.time()).of(first)
            track = self.scorer.collection.rows[first.track]
            choice = Choice(track, reason, served(queue, self.scorer, 0))
            small = np.count_nonzero(queue.open) < FEWEST_TRACKS
            queue = self._rank(journal, unplayable, track.id, QUEUE_ROWS) if small else queue.after_first()
        self._show(queue, journal, None if choice is None else choice.track.id)
        self.rerank_ms = (time.perf_counter() - started) * 1000
        return choice

    def _rank(self, journal: Journal, unplayable: frozenset[int], playing: int | None, places: int) -> RankedQueue:
        row = None if playing is None else self.scorer.collection.index.get(playing)
        listening = Listening(journal.state, journal.labelled, time.time(), row, unplayable)
        return rank_station(self.scorer, listening, self._settings, places)

    def _show(self, queue: RankedQueue, journal: Journal, playing: int | None) -> None:
        before = self._rows_before(playing)
        self.rows = queue_rows(queue, self.scorer, journal.state, before, time.time())
        self.shortfall = queue.shortfall
        self.diversity = self._course.measure(queue, journal.state)

    def _rows_before(self, playing: int | None) -> Sequence[int]:
        """The queue shown before, as rows of the collection as it is now, without what is playing."""
        index = self.scorer.collection.index
        return [index[row.track.id] for row in self.rows if row.track.id in index and row.track.id != playing]
