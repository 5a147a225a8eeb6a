"""A station that is tuned in: its queue as last ranked, the place that is prepared, and the next ranking from the state of things."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from player.config import StationSettings
from player.feedback.event_history import EventHistory
from player.feedback.events import ListeningState
from player.feedback.served import Served
from player.insight.diversity_panel import DiversityCourse
from player.library.tracks import TrackRow
from player.stations.modes import Mode
from player.stations.pins import NO_PINS, Pins
from player.stations.queue_builder import PINNED, Programme, ProgrammeQueue, dial_words, last_heard
from player.stations.reasons import RowReasons, reasoned_rows
from player.stations.snapshot import Measure, QueueRow
from player.stations.station_queue import Listening, RankedQueue, served
from player.stations.station_scoring import StationScorer
from player.stations.stations import StationInfo
from player.stations.trial_arms import TrialArms

QUEUE_ROWS = 25
"""How many upcoming tracks are ranked: a screen's worth."""
FEWEST_TRACKS = 2 * (QUEUE_ROWS + 1)
"""In a station with fewer, a track comes back (after half of them, see ``rules.Spacing``) within the queue shown, once it
was heard; one that is only queued does not, so it matters whether the first place is queued or playing."""


@dataclass(frozen=True, slots=True)
class NextTrack:
    """The track that a station plays next, and what to log about it."""

    track: TrackRow
    reason: str
    served: Served | None
    """None where nothing was chosen: it was pinned, or follows on another."""
    pinned: bool = False
    """The listener chose it."""


@dataclass(frozen=True, slots=True)
class Present:
    """What a ranking starts from.

    Attributes:
        history: the log.
        unplayable: ids of tracks that could not be played of late.
        pins: what the listener put at the front.
    """

    history: EventHistory
    unplayable: frozenset[int] = frozenset()
    pins: Pins = NO_PINS

    @property
    def state(self) -> ListeningState:
        """What follows from the log."""
        return self.history.state


@dataclass(frozen=True, slots=True)
class Prepared:
    """The first place of the queue, a promise: it plays next as it was drawn and shown, whatever is learned meanwhile.

    Only a rule or a verdict on what plays lets it go.

    Attributes:
        track_id: its track.
        reason: why it was drawn; None since the listener muted a reason: then its reason is told anew.
        last_played: when its track was over last, as of the draw; once it was heard again elsewhere, it is not due any more.
        ranked: the ranking that drew it.
        place: where in it.
        scorer: the one it was ranked with; a library read anew has another.
    """

    track_id: int
    reason: str | None
    last_played: float | None
    ranked: RankedQueue
    place: int
    scorer: StationScorer

    def served(self, trial: TrialArms | None) -> Served:
        """What to log when it is served: first of its list, whatever was playing when it was drawn.

        Args:
            trial: the one that runs; for one that is over, which its arm drew it in, it counts no more.
        """
        drawn = replace(served(self.ranked, self.scorer, self.place), rank=1)
        goes_on = trial is not None and trial.trial.id == drawn.trial_id
        return drawn if goes_on else replace(drawn, trial_id=None, pair=None)


class ActiveStation:
    """The station on air.

    Args:
        scorer: of the station over the library as it is now.
        settings: breadth and diversity.
        mode: how the station plays.
        before: the same station as it was tuned in before its library was read anew.
    """

    def __init__(
        self,
        scorer: StationScorer,
        settings: StationSettings,
        mode: Mode,
        before: "ActiveStation | None" = None,
    ) -> None:
        self.scorer = scorer
        self.rows: tuple[QueueRow, ...] = () if before is None else before.rows
        self.shortfall = ""
        self.note = ""
        """What the mode, or the station's seeds, have to say for themselves."""
        self.diversity: tuple[Measure, ...] = ()
        self.diversity_sentence = ""
        """What the last plays look like beside those before them; empty while there are too few."""
        self.rerank_ms = 0.0
        self.ranked: RankedQueue | None = None
        """The last ranking, all its places included."""
        self._served: tuple[RankedQueue, int] | None = None
        """The ranking, and the place in it, that was served last."""
        self.trial: TrialArms | None = None
        """The two arms that choose here, while a trial runs."""
        self._settings = settings
        self._mode = mode
        self._programme = Programme(scorer, mode)
        self._course = DiversityCourse(scorer)
        same_mode = before is not None and before.station.mode == scorer.station.mode
        self.prepared: Prepared | None = before.prepared if before is not None and same_mode else None
        """The next place, once it is drawn."""
        self.thread: int | None = None if before is None else before.thread
        """The track that was last served here or chosen by hand, pins apart: what the mode goes on from."""

    @property
    def station(self) -> StationInfo:
        """Which one it is."""
        return self.scorer.station

    def settle(self, station: StationInfo, mode: Mode) -> None:
        """Go on with another dial or mode of the same station."""
        if station.mode != self.station.mode:
            self.prepared = self.thread = None
        self.scorer.station = station
        self._mode = mode
        if self.trial is not None:
            self.trial.turn_to(station)
        self._programme = Programme(self.scorer, mode, self.trial)

    def enter(self, trial: TrialArms | None) -> None:
        """Let the arms of a trial choose from now on, or the station itself again; the first place stays as it was drawn."""
        if trial is None and self.trial is None:
            return
        self.trial = trial
        self._programme = Programme(self.scorer, self._mode, trial)

    def release(self) -> None:
        """Let the first place go: what plays was judged so that the next is to be drawn anew."""
        self.prepared = None

    @property
    def promised(self) -> TrackRow | None:
        """The track that is to play next, once it was drawn and shown; none where the listener or an order put it there."""
        return self.rows[0].track if self.prepared is not None and self.rows else None

    def follow(self, track_id: int) -> None:
        """Go on from a track that the listener chose, where the mode goes on from tracks."""
        self.thread = track_id

    def forget(self) -> None:
        """Explain everything by the next ranking: other reasons count from now on."""
        self._served = None
        if self.prepared is not None:
            self.prepared = replace(self.prepared, reason=None)

    def standing(self, row: int, playing: int | None) -> tuple[RankedQueue, int]:
        """The ranking that gave a track its place, and how many places from its front are playing or over.

        Args:
            row: of the track; one without a place stands in the last ranking.
            playing: row of what plays, if anything.
        """
        if row == playing and self._served is not None and self._served[0].track_rows[self._served[1]] == row:
            return self._served[0], self._served[1] + 1
        held = self.prepared
        explained = held is not None and held.reason is not None and held.scorer is self.scorer
        if held is not None and explained and held.ranked.track_rows[held.place] == row:
            return held.ranked, held.place
        assert self.ranked is not None, "rank before explaining"
        return self.ranked, int(playing is not None and self.ranked.track_rows[:1] == (playing,))

    def rerank(self, present: Present, playing: int | None) -> None:
        """Rank what comes after the track that is ``playing`` (an id, if any); the prepared place stays."""
        started = time.perf_counter()
        queue = self._rank(present, playing, QUEUE_ROWS)
        self._show(queue, self._reasons(queue, present), present, playing)
        self._prepare(queue, 0, present.state)
        self.rerank_ms = (time.perf_counter() - started) * 1000

    def choose(self, present: Present) -> NextTrack | None:
        """Rank, take the first place, and leave the rest as the queue; None when there is nothing to play.

        In all but small stations the rest needs no ranking of its own: with the first place playing it would come out
        the same.
        """
        started = time.perf_counter()
        queue = self._rank(present, None, QUEUE_ROWS + 1)
        reasons = self._reasons(queue, present)
        choice = self._first(queue, reasons, present)
        self._served = None if choice is None else self._drawn(queue, choice)
        if choice is None:
            self.prepared = None
            self._show(queue, reasons, present, None)
        else:
            self._take(choice, present, queue, reasons)
        self.rerank_ms = (time.perf_counter() - started) * 1000
        return choice

    def dial_effect(self, state: ListeningState) -> str:
        """How many tracks are chosen from, and what the dial did to the queue, in figures."""
        if self.ranked is None:
            return ""
        pool = self.ranked.pool
        words = f"chooses from {pool:,} track{'' if pool == 1 else 's'}"
        return ", ".join(filter(None, (words, dial_words(self.scorer, state, self.ranked))))

    def _reasons(self, queue: ProgrammeQueue, present: Present) -> RowReasons:
        return RowReasons(queue.ranked, self.scorer, present.state, time.time())

    def _take(self, choice: NextTrack, present: Present, queue: ProgrammeQueue, reasons: RowReasons) -> None:
        """Leave what comes after a choice as the queue."""
        playing = choice.track.id
        self.prepared = None
        if choice.pinned:
            present = replace(present, pins=present.pins.without(playing))
        else:
            self.thread = playing
        if np.count_nonzero(queue.ranked.open) < FEWEST_TRACKS:
            rest = self._rank(present, playing, QUEUE_ROWS)
            self._show(rest, self._reasons(rest, present), present, playing)
            self._prepare(rest, 0, present.state)
        else:
            self._show(queue.after_first(), reasons.after_first(), present, playing)
            self._prepare(queue, 1, present.state)

    def _first(self, queue: ProgrammeQueue, reasons: RowReasons, present: Present) -> NextTrack | None:
        """The first place of a ranking as a choice."""
        if not queue.ranked.ranking.rows:
            return None
        first = queue.ranked.ranking.rows[0]
        track = self.scorer.collection.rows[first.track]
        if track.id in present.pins:
            return NextTrack(track, PINNED, None, pinned=True)
        if self.prepared is not None and first.pinned and self.prepared.track_id == track.id:
            return NextTrack(track, self.prepared.reason or reasons.of(0), self.prepared.served(self.trial))
        reason = queue.reason(first.track, reasons.of(0))
        return NextTrack(track, reason, None if first.pinned else served(queue.ranked, self.scorer, 0))

    def _drawn(self, queue: ProgrammeQueue, choice: NextTrack) -> tuple[RankedQueue, int]:
        """The ranking, and the place in it, that a choice was drawn at: a held place was drawn by an earlier one."""
        held = self.prepared
        if held is not None and queue.ranked.ranking.rows[0].pinned and held.track_id == choice.track.id:
            return held.ranked, held.place
        return queue.ranked, 0

    def _rank(self, present: Present, playing: int | None, places: int) -> ProgrammeQueue:
        index = self.scorer.collection.index
        row = None if playing is None else index.get(playing)
        pinned = tuple(index[track] for track in present.pins.tracks if track in index and track != playing)
        thread = self._going_on_from(present.state, row)
        if not pinned and (thread is None or not self._programme.after(thread)):
            pinned = self._held(present.state, row)
            # What has to follow comes behind the held place then.
            thread = pinned[0] if pinned else thread
        else:
            self.prepared = None
        listening = Listening(present.state, present.history.labels, time.time(), row, present.unplayable, pinned)
        queue = self._programme.rank(listening, self._settings, places, thread=thread)
        self.ranked = queue.ranked
        return queue

    def _held(self, state: ListeningState, playing: int | None) -> tuple[int, ...]:
        """The row of the prepared place, unless it is playing already or was heard since it was drawn."""
        held, index = self.prepared, self.scorer.collection.index
        if held is None or held.track_id not in index or index[held.track_id] == playing:
            return ()
        return (index[held.track_id],) if _last_played(state, held.track_id) == held.last_played else ()

    def _going_on_from(self, state: ListeningState, playing: int | None) -> int | None:
        """The row to go on from: what was last served here, else what is playing, else what was last heard here."""
        index = self.scorer.collection.index
        if self.thread is not None and self.thread in index:
            return index[self.thread]
        if playing is not None:
            return playing
        return last_heard(state, self.station.id, index)

    def _prepare(self, queue: ProgrammeQueue, place: int, state: ListeningState) -> None:
        """Note the place that comes next; a held one stays as it was drawn, one that nothing was chosen for has none."""
        rows = queue.ranked.ranking.rows
        if place >= len(rows):
            self.prepared = None
            return
        track_id = self.scorer.collection.rows[rows[place].track].id
        if not rows[place].pinned:
            last = _last_played(state, track_id)
            self.prepared = Prepared(track_id, self.rows[0].reason, last, queue.ranked, place, self.scorer)
        elif self.prepared is not None and self.prepared.track_id != track_id:
            self.prepared = None

    def _show(self, queue: ProgrammeQueue, reasons: RowReasons, present: Present, playing: int | None) -> None:
        rows = reasoned_rows(reasons, self._rows_before(playing))
        worded = queue.worded(rows, self.scorer.collection.index, present.pins)
        self.rows = (*(self._as_prepared(row) for row in worded[:1]), *worded[1:])
        self.shortfall = queue.ranked.shortfall
        self.note = " ".join(queue.notes)
        self.diversity = self._course.measure(replace(queue.ranked, open=queue.within), present.state)
        self.diversity_sentence = self._course.sentence

    def _as_prepared(self, row: QueueRow) -> QueueRow:
        """The prepared place keeps the reason that it was drawn for."""
        held = self.prepared
        known = held is not None and held.track_id == row.track.id and not row.pinned
        return replace(row, reason=held.reason) if held is not None and known and held.reason is not None else row

    def _rows_before(self, playing: int | None) -> Sequence[int]:
        """The queue shown before, as rows of the collection as it is now, without what is playing."""
        index = self.scorer.collection.index
        return [index[row.track.id] for row in self.rows if row.track.id in index and row.track.id != playing]


def _last_played(state: ListeningState, track_id: int) -> float | None:
    tally = state.tallies.get(track_id)
    return None if tally is None else tally.last_played
