"""What the parts of the controller share: one run of the player, its lock, its log and what it shows."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from player.config import Paths, Settings
from player.feedback.event_history import EventHistory
from player.feedback.event_recorder import EventRecorder
from player.feedback.events import LoggedEvent, NewEvent
from player.library.tracks import TrackRow
from player.playback.current_track import Current, Playback
from player.playback.library_snapshot import read_knowledge
from player.playback.silence import TRANSITIONS, Change, Reason
from player.stations.pins import Pins, load_pins, save_pins
from player.stations.snapshot import NowPlaying, Snapshot, StationRow
from player.stations.stations import StationInfo, Stations, describe_seeds
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind, Origin

if TYPE_CHECKING:
    from player.playback.active_station import TunedStation

ENDINGS = frozenset({Kind.FINISH, Kind.SKIP, Kind.STOP})
"""Events that end a play; they say how much of it was heard."""
REMEMBERED = 200
"""Tracks that "previous" can go back through."""


class Session:
    """One run of the player.

    Whoever calls a method that records or shows something holds the ``lock``.

    Args:
        database: the listener's data.
        paths: where models and logs lie.
        settings: the listener's settings.
        origin: ``TUI`` or ``HEADLESS``; it is written into every event.
        notice: a first sentence on the screen.
        on_logged: called with every event recorded here, after it is on disk.
    """

    def __init__(
        self,
        database: Database,
        paths: Paths,
        settings: Settings,
        *,
        origin: Origin,
        notice: str,
        on_logged: Callable[[LoggedEvent], None] | None,
    ) -> None:
        self.database = database
        self.paths = paths
        self.settings = settings
        self.lock = threading.RLock()
        self.recorder = EventRecorder(database, origin, on_logged)
        self.stations = Stations(database)
        self.playback = Playback()
        self.known = read_knowledge(database, paths)
        self.tuned: TunedStation | None = None
        self.pins = load_pins(database, None)
        """What the listener put at the front of the queue that is on."""
        self.came_from: list[int] = []
        """The stations that were on before, the last one last."""
        self.played: list[int] = []
        """What was heard here, oldest first."""
        self.unplayable: frozenset[int] = frozenset()
        """Tracks that could not be played in this run."""
        self.snapshot = Snapshot(revision=0, notice=notice)
        self._troubles: dict[Reason, str] = {}
        """What was said about a silence that the listener did not ask for."""
        self._subscribers: list[Callable[[], None]] = []

    @property
    def current(self) -> Current | None:
        """The track that is playing or paused."""
        return self.playback.current

    @property
    def station(self) -> StationInfo | None:
        """The station that is on."""
        return None if self.tuned is None else self.tuned.station

    @property
    def history(self) -> EventHistory:
        """The log, and what follows from it."""
        return self.known.history

    # --- showing ---------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the snapshot changed."""
        self._subscribers.append(callback)

    def happened(self, change: Change, sentence: str = "") -> None:
        """Note what became of the sound.

        Args:
            change: what happened.
            sentence: about the silence that it brings; on show as long as that lasts, unless there is other news.
        """
        before = self._trouble
        self.playback.happened(change)
        if sentence:
            self._troubles.update(dict.fromkeys(TRANSITIONS[change][0], sentence))
        stale = self.snapshot.notice == before != self._trouble
        self.show(notice=sentence or (self._trouble if stale else self.snapshot.notice))

    @property
    def _trouble(self) -> str:
        reasons = self.playback.silence.reasons
        return next((sentence for reason, sentence in self._troubles.items() if reason in reasons), "")

    def show(self, **changes: object) -> None:
        """Put changes of the snapshot on show."""
        if changes.get("notice") == "":
            changes["notice"] = self._trouble
        now = self.current
        view = None
        if now is not None:
            thumb = self.thumb_of(now.track.id)
            view = NowPlaying(now.track, now.position, now.duration, now.playing, thumb, now.reason)
        self.snapshot = replace(self.snapshot, revision=self.snapshot.revision + 1, now=view, **changes)
        for callback in self._subscribers:
            callback()

    def station_row(self, station: StationInfo) -> StationRow:
        """A station as the screen lists it."""
        thumbs = list(self.history.state.thumbs.get(station.id, {}).values())
        seeds = describe_seeds(station.seeds, self.known.collection.rows)
        return StationRow(
            station.id, station.name, seeds, thumbs.count(1), thumbs.count(-1), station.mode, station.dial
        )

    def thumb_of(self, track_id: int) -> int:
        """+1, -1 or 0: the track's thumb on the station that is on."""
        station = self.station
        return self.history.state.thumbs_on(None if station is None else station.id).get(track_id, 0)

    def playable_track(self, track_id: int) -> TrackRow | None:
        """The track, or None (and why on show) where its file is missing."""
        track = self.known.playable_track(track_id)
        if track is None:
            self.show(notice="The file of this track is missing; it stays in the history.")
        return track

    # --- recording -------------------------------------------------------------------------------------------------

    def event(self, kind: Kind, now: Current, *, action: Action | None = None) -> NewEvent:
        """An event about the playing track."""
        about = self.about(kind, now.track.id)
        heard = now.heard.short_of(now.position) if kind in ENDINGS else None
        position = round(now.position, 3)
        return replace(about, position=position, action=action, decision_id=now.decision_id, value=heard)

    def about(self, kind: Kind, track_id: int) -> NewEvent:
        """An event about a track."""
        station = self.station
        return NewEvent(kind, track_id, None if station is None else station.id)

    def tell(self, events: Sequence[NewEvent]) -> None:
        """Record what the listener told, so that it can be taken back."""
        self.recorder.tell(self.history, events)

    def record(self, events: Sequence[NewEvent]) -> None:
        """Record what happened."""
        self.recorder.record(self.history, events)

    def pin(self, pins: Pins) -> None:
        """Keep other pins for the queue that is on."""
        if pins != self.pins:
            save_pins(self.database, None if self.station is None else self.station.id, pins)
            self.pins = pins

    def remember(self, current: Current) -> None:
        """Note that a track was heard, for "previous"."""
        self.played = [*self.played[-REMEMBERED + 1 :], current.track.id]
