"""The log in memory: every event, the state derived from it, and what it says about taste, kept up event by event.

Adding an event in order costs microseconds, and an undo what it takes to go over the log once and derive anew what is about
its track and its moment; an event from the past derives everything anew. All ways lead to the same state, which a test holds
against each other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from player.feedback.event_store import EventStore
from player.feedback.events import (
    ENDED,
    MICROSECONDS,
    THUMBS,
    ListeningState,
    LoggedEvent,
    Precedence,
    standing,
    undone_by,
    uses_a_slot,
)
from player.feedback.hygiene import load_hygiene
from player.feedback.labels import GrowingLabels, LabelledEvent, Labels
from player.feedback.signals import (
    AWAY_SECONDS,
    BURST_GAP_SECONDS,
    BURST_SKIPS,
    PLAYERS,
    SPEAKS_ELSEWHERE,
    browsing_skips,
    played_share,
    signal_of,
    weighed,
)
from player.feedback.unlearned_times import NOTHING_FORGOTTEN, Hygiene
from player.library.search import TrackIndex
from player.library.sound_tags import SoundTags, load_sound_tags
from player.library.tracks import TrackRow
from player.storage.database import Database
from player.storage.event_kinds import Kind, Origin

ONE_BY_ONE = 50
"""So many events at once are written into the columns as they come. Of more, each thumb that replaces one would copy all the
columns, and making them anew once is quicker."""
FEW_UNDOS = 10
"""So many undos at once are followed one by one; of more, each of which goes over the log, everything is derived anew."""
BURST_US = round(BURST_SKIPS * BURST_GAP_SECONDS * MICROSECONDS)
"""How far apart the first and the last of the skips lie that are looked at together."""
REACH_US = 2 * BURST_US
"""How far from a skip that is taken back others may lie that counted as browsing because of it: in the look of a skip which
lies within :data:`BURST_US` of both."""


class Labeller:
    """Says what events mean for taste, one after the other: it knows when plays began and which skips came in a burst.

    Args:
        durations: track id → seconds, for the share played.
        silent: true for events that are to say nothing.
    """

    def __init__(
        self, durations: Mapping[int, float], silent: Callable[[LoggedEvent], bool] = NOTHING_FORGOTTEN.silent
    ) -> None:
        self._durations = durations
        self._silent = silent
        self._skips: list[LoggedEvent] = []
        self._begun: dict[tuple[int, Origin], float] = {}

    def label(self, event: LoggedEvent) -> list[LabelledEvent]:
        """What the newest event says, if anything, and what skips before it say anew, now that it shows them as browsing."""
        said = self._said(event, browsing=False, returned=self._returned(event))
        if event.kind == Kind.SKIP and event.action not in SPEAKS_ELSEWHERE:
            # A thumb down ends its track too, but three of them are three judgements, no browsing.
            for skip in self._burst(event):
                said += self._said(skip, browsing=True)
        return said

    def forget(self, event: LoggedEvent, others: Iterable[LoggedEvent]) -> None:
        """Know nothing of an event that was labelled.

        Args:
            event: the event.
            others: those that stand without it and are about its track, in time order.
        """
        self._skips = [skip for skip in self._skips if skip.id != event.id]
        self._begun.pop((event.track_id, event.origin), None)
        for other in others:
            if (other.track_id, other.origin) == (event.track_id, event.origin):
                self._returned(other)

    def _returned(self, event: LoggedEvent) -> bool:
        """Whether this ends a play that took hours longer than what was heard of it: paused, or quit and gone on with."""
        if event.origin not in PLAYERS:
            return False
        key = (event.track_id, event.origin)
        if event.kind in {Kind.START, Kind.REPLAY}:
            self._begun[key] = event.seconds
        elif key in self._begun and uses_a_slot(event):
            return event.seconds - self._begun.pop(key) - (event.position or 0.0) > AWAY_SECONDS
        return False

    def _said(self, event: LoggedEvent, *, browsing: bool, returned: bool = False) -> list[LabelledEvent]:
        duration = self._durations.get(event.track_id, 0.0)
        signal = signal_of(
            event.kind,
            position=event.position,
            duration=duration,
            action=event.action,
            browsing=browsing,
            heard=event.heard,
            returned=returned,
        )
        share = played_share(event.kind, event.position, duration, event.heard)
        return (
            []
            if signal is None or self._silent(event)
            else [LabelledEvent(event, weighed(signal, event.origin), share)]
        )

    def _burst(self, event: LoggedEvent) -> list[LoggedEvent]:
        """The skips that were browsing, as far as this one shows it: a third in quick succession shows it of two others."""
        reach = BURST_SKIPS * BURST_GAP_SECONDS
        self._skips = [skip for skip in self._skips if event.seconds - skip.seconds <= reach]
        self._skips.append(event)
        flags = browsing_skips([(skip.seconds, skip.origin) for skip in self._skips])
        return [skip for skip, flag in zip(self._skips, flags, strict=True) if flag]


class EventHistory:
    """Everything that happened, and what follows from it.

    Args:
        events: the log so far.
        durations: track id → seconds, for the share played.
    """

    def __init__(self, events: Iterable[LoggedEvent], durations: Mapping[int, float]) -> None:
        self._events = list(events)
        self._durations = durations
        self._hygiene = NOTHING_FORGOTTEN
        self._labeller = Labeller(durations)
        self.state = ListeningState()
        self._labelled: dict[int, LabelledEvent] = {}
        self._columns: GrowingLabels | None = None
        """The same in time order, as columns; absent from a change of the past until somebody asks."""
        self._thumbs: dict[tuple[int | None, int], LoggedEvent] = {}
        self._in_time: list[LoggedEvent] = []
        """Those that stand, by their times."""
        self.undone: set[int] = set()
        """Ids of the events that were taken back."""
        self._rebuild()

    @property
    def watermark(self) -> int:
        """The id of the last event known."""
        return self.state.watermark

    @property
    def labels(self) -> Labels:
        """What says something about taste, in time order, as of now; the same object until something changes.

        Of several thumbs for one track on one station only the last says anything, and none does once cleared: a
        listener who changed their mind has one mind.
        """
        if self._columns is None:
            self._columns = GrowingLabels(sorted(self._labelled.values(), key=lambda item: item.event.moment))
        return self._columns.now()

    def all(self) -> Sequence[LoggedEvent]:
        """Every event, in the order in which they were told; not to be changed."""
        return self._events

    def find(self, event_id: int) -> LoggedEvent | None:
        """The event of that id."""
        place = bisect_left(self._events, event_id, key=lambda event: event.id)
        found = self._events[place : place + 1]
        return found[0] if found and found[0].id == event_id else None

    def label_of(self, event_id: int) -> LabelledEvent | None:
        """What an event says about taste now, if anything."""
        return self._labelled.get(event_id)

    def about(self, track_id: int) -> list[LoggedEvent]:
        """Every event about a track in the order of the log, those taken back and undos included."""
        return [event for event in self._events if event.track_id == track_id]

    def told_after(self, event_id: int) -> tuple[list[LoggedEvent], Labeller]:
        """The events after that one in the order they were told, undone ones too, and a labeller to go through them with."""
        first = bisect_right(self._events, event_id, key=lambda event: event.id)
        return self._events[first:], Labeller(self._durations, self._hygiene.silent)

    def standing_of(self, kind: Kind) -> list[LoggedEvent]:
        """The events of a kind that were not taken back, oldest first."""
        return [event for event in self._events if event.kind == kind and event.id not in self.undone]

    def renew(self, durations: Mapping[int, float]) -> None:
        """Take up new durations after the library changed."""
        self._durations = durations
        self._rebuild()

    @property
    def hygiene(self) -> Hygiene:
        """What nothing is learned from."""
        return self._hygiene

    def keep_clean(self, hygiene: Hygiene) -> bool:
        """Learn nothing from these times and tracks; whether that is news."""
        if hygiene == self._hygiene:
            return False
        self._hygiene = hygiene
        self._rebuild()
        return True

    def add(self, events: Iterable[LoggedEvent]) -> bool:
        """Take up events just logged, here or by another process; those known already are passed over.

        Returns:
            Whether there was any new one.
        """
        new = [event for event in events if event.id > self.state.watermark]
        if self._changes_the_past(new):
            # Once for all of them: an import brings events of years ago by the thousand.
            self._events += new
            self._rebuild()
            return True
        if len(new) > ONE_BY_ONE:
            self._columns = None
        for event in new:
            self._events.append(event)
            self._count_slot(event)
            if event.kind == Kind.UNDO:
                self._take_back(event.undoes_id)
            elif event.id not in self.undone and not self._hygiene.forgotten(event):
                self._follow(event)
        return bool(new)

    def forget_after(self, watermark: int) -> None:
        """Give up the events above an id: they never came onto the disk."""
        self._events = [event for event in self._events if event.id <= watermark]
        self._rebuild()

    def _changes_the_past(self, new: Iterable[LoggedEvent]) -> bool:
        """Whether one of these happened before one that is known, or more of them take others back than go one by one."""
        newest, undos = self._in_time[-1].time_us if self._in_time else 0, 0
        for event in new:
            if event.kind == Kind.UNDO:
                undos += 1
            elif event.time_us < newest:
                return True
            else:
                newest = event.time_us
        return undos > FEW_UNDOS

    def _rebuild(self) -> None:
        self.state, self._columns = ListeningState(off_stations=self._hygiene.off_stations), None
        self._labelled, self._thumbs, self._labeller = {}, {}, Labeller(self._durations, self._hygiene.silent)
        self.undone, self._in_time = undone_by(self._events), []
        for event in self._events:
            self._count_slot(event)
        for event in standing(self._events, self.undone):
            if not self._hygiene.forgotten(event):
                self._follow(event)
        self.state.watermark = max((event.id for event in self._events), default=0)

    def _count_slot(self, event: LoggedEvent) -> None:
        """A used slot stays used even when its event is undone, so that the noise of later slots stays too."""
        self.state.watermark = max(self.state.watermark, event.id)
        if event.station_id is not None and uses_a_slot(event):
            self.state.slots[event.station_id] += 1

    def _follow(self, event: LoggedEvent) -> None:
        """Let one standing event, the newest so far, have its effect."""
        self._in_time.append(event)
        self.state.apply(event)
        if event.kind in THUMBS and not self._replace_thumb(event):
            return
        for item in self._labeller.label(event):
            self._keep(item)

    def _take_back(self, event_id: int | None) -> None:
        """Let an event that had its effect have had none."""
        if event_id is None or event_id in self.undone:
            return
        self.undone.add(event_id)
        event = self.find(event_id)
        if event is None or event.kind == Kind.UNDO or self._hygiene.forgotten(event):
            return
        place = bisect_left(self._in_time, event.moment, key=_moment)
        del self._in_time[place]
        about = [other for other in self._in_time if other.track_id == event.track_id or other.kind == Kind.LESS]
        later = sum(other.kind in ENDED and other.origin != Origin.IMPORT for other in self._in_time[place:])
        plays = len(self.state.plays) - 1 - later
        self.state.take_back(event, about, plays)
        own = [other for other in about if other.track_id == event.track_id]
        self._labeller.forget(event, own)
        self._put(event.id, None)
        if event.kind in THUMBS:
            self._restore_thumb(event, own)
        else:
            self._relabel(self._affected(event, own))

    def _restore_thumb(self, event: LoggedEvent, own: Iterable[LoggedEvent]) -> None:
        """Let the thumb hold again, if there is one, that held before this one was given."""
        key = (event.station_id, event.track_id)
        self._thumbs.pop(key, None)
        thumbs = [other for other in own if other.kind in THUMBS and other.station_id == event.station_id]
        if thumbs:
            self._thumbs[key] = last = max(thumbs, key=_precedence)
            said = Labeller(self._durations, self._hygiene.silent).label(last)
            self._put(last.id, said[0] if said else None)

    def _affected(self, event: LoggedEvent, own: Iterable[LoggedEvent]) -> list[LoggedEvent]:
        """The events whose label an event taken back had a say in: skips near a skip, and the next end of a play it began or ended."""
        affected: list[LoggedEvent] = []
        if event.kind == Kind.SKIP:
            affected += [other for other in self._near(event) if other.kind == Kind.SKIP]
        if event.origin not in PLAYERS or not (event.kind in {Kind.START, Kind.REPLAY} or uses_a_slot(event)):
            return affected
        ends = (other for other in own if other.origin == event.origin and uses_a_slot(other))
        return [*affected, *islice((other for other in ends if other.moment > event.moment), 1)]

    def _near(self, event: LoggedEvent) -> list[LoggedEvent]:
        """The events that stand within :data:`REACH_US` of one."""
        first = bisect_left(self._in_time, event.time_us - REACH_US, key=_time)
        return self._in_time[first : bisect_right(self._in_time, event.time_us + REACH_US, key=_time)]

    def _relabel(self, affected: Sequence[LoggedEvent]) -> None:
        """Label these events anew, from all that has a say in it: events near them, and about their tracks."""
        if not affected:
            return
        tracks = {event.track_id for event in affected}
        near = {other.moment: other for event in affected for other in self._near(event)}
        near |= {other.moment: other for other in self._in_time if other.track_id in tracks}
        labeller, said = Labeller(self._durations, self._hygiene.silent), dict[int, LabelledEvent]()
        for _, event in sorted(near.items()):
            said |= {item.event.id: item for item in labeller.label(event)}
        for event in affected:
            self._put(event.id, said.get(event.id))

    def _put(self, event_id: int, item: LabelledEvent | None) -> None:
        """Let an event of the past say this from now on, or nothing."""
        before = self._labelled.pop(event_id, None)
        if item is not None:
            self._labelled[event_id] = item
        if self._columns is None or before == item:
            return
        if item is None:
            self._columns.remove(event_id)
        elif before is None:
            self._columns.insert(item)
        else:
            self._columns.replace(item)

    def _replace_thumb(self, event: LoggedEvent) -> bool:
        """Let a thumb take the place of the one before it; whether it does, as one told later may hold already."""
        key = (event.station_id, event.track_id)
        standing = self._thumbs.get(key, event)
        if standing.precedence > event.precedence:
            return False
        before = self._labelled.pop(standing.id, None)
        if before is not None and self._columns is not None:
            self._columns.remove(before.event.id)
        self._thumbs[key] = event
        return True

    def _keep(self, item: LabelledEvent) -> None:
        """Note what an event says, for the first time or anew."""
        before = self._labelled.get(item.event.id)
        if self._columns is not None and before != item:
            if before is None:
                self._columns.append(item)
            else:
                self._columns.replace(item)
        self._labelled[item.event.id] = item


def _precedence(event: LoggedEvent) -> Precedence:
    return event.precedence


def _moment(event: LoggedEvent) -> tuple[int, int]:
    return event.moment


def _time(event: LoggedEvent) -> int:
    return event.time_us


def load_history(database: Database, rows: Iterable[TrackRow]) -> EventHistory:
    """The whole log, without what nothing is to be learned from; ``rows`` give the durations that turn skips into labels."""
    rows = list(rows)
    history = EventHistory(EventStore(database, Origin.CLI).read(), {row.id: row.duration for row in rows})

    def tags() -> SoundTags:
        with database.reader() as session:
            return load_sound_tags(session, [row.id for row in rows])

    history.keep_clean(load_hygiene(database, TrackIndex(database, rows, tags), history.state))
    return history
