"""One run of the player, which the parts of the controller share: its lock, its transactions, its log, what it shows."""

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from player.config import Paths, Settings
from player.feedback.event_history import EventHistory
from player.feedback.event_recorder import EventRecorder
from player.feedback.events import LoggedEvent, NewEvent, now_us
from player.feedback.hygiene import load_hygiene
from player.library.loudness import Level, Levels
from player.library.tracks import TrackRow
from player.playback.current_track import Current, Playback
from player.playback.library_snapshot import read_library
from player.playback.silence import TRANSITIONS, Reason, SoundChange
from player.playback.sleep_timer import SleepTimer
from player.stations.modes import ModeName
from player.stations.pins import Pins, load_pins, save_pins
from player.stations.resume import ResumePoint, save_resume_point
from player.stations.seeds import describe_seeds
from player.stations.snapshot import NowPlaying, Snapshot, StationRow
from player.stations.stations import StationInfo, Stations
from player.storage.database import Database
from player.storage.event_kinds import Action, Kind, Origin

if TYPE_CHECKING:
    from player.playback.active_station import ActiveStation

ENDINGS = frozenset({Kind.FINISH, Kind.SKIP, Kind.STOP})
"""Events that end a play; they say how much of it was heard."""
ALBUM_MODE: ModeName = "albums"
REMEMBERED = 200
"""Tracks that "previous" can go back through."""
SAVE_SECONDS = 5.0
"""How far the music may run ahead of the place that is kept."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The end of a track that is still to be recorded, and what follows it."""

    ending: NewEvent
    then: Callable[[], None]


class PlayerSession:
    """One run of the player.

    Whoever calls a method that records or shows something is in a :meth:`command`, or holds the ``lock``. What is
    remembered here, in the playback, the recorder and the station that is on is replaced, never changed in place: a copy of
    the references is enough to go back to.

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
        self.recorder = EventRecorder(database, origin)
        self.stations = Stations(database)
        self.playback = Playback(gapless=settings.audio.gapless, crossfade=settings.audio.crossfade)
        self.levels = Levels(database)
        self.playback.level_of = self.level_of
        self.known = read_library(database, paths)
        self.tuned: ActiveStation | None = None
        self.pins = load_pins(database, None)
        """What the listener put at the front of the queue that is on."""
        self.chosen: tuple[TrackRow, ...] = ()
        """What is still to be played of the music that was named at the start, while no station is on."""
        self.then: int | None = None
        """The station that goes on after it."""
        self.named = False
        """Music was named at the start, so nothing else plays unasked when it is over."""
        self.came_from: list[int] = []
        """The stations that were on before, the last one last."""
        self.take_back: Callable[[], str] | None = None
        """Undoes what was deleted or changed last and is no feedback, and says so; none once feedback came after it."""
        self.played: list[int] = []
        """What was heard here, oldest first."""
        self.unplayable: frozenset[int] = frozenset()
        """Tracks that could not be played in this run."""
        self.sleep_timer = SleepTimer()
        self.bands: Sequence[float] = ()
        """The spectrum of what is heard, while it is watched."""
        self.snapshot = Snapshot(revision=0, notice=notice)
        """As a command has it so far."""
        self.shown = self.snapshot
        """As everybody may see it: nothing in it is still to be written."""
        self._saved = ResumePoint()
        self._on_logged = on_logged
        self.unfinished: Unfinished | None = None
        """The end of a track that is still to be recorded."""
        self._troubles: Mapping[Reason, str] = {}
        """What was said about a silence that the listener did not ask for."""
        self._subscribers: list[Callable[[], None]] = []
        self._in_command = False
        self._later: tuple[Callable[[], None], ...] = ()

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

    # --- commands --------------------------------------------------------------------------------------------------

    @contextmanager
    def command(self) -> Generator[None]:
        """One thing that is done: the only one at a time, in one durable transaction, acknowledged when that is on disk.

        Events, decisions, pins and the place to go on from are written together. Only then is the sound told, and the screen.
        After an error nothing was written, and everything is as it was. Within another command it is part of that one.
        """
        with self.lock:
            if self._in_command:
                yield
                return
            before, watermark = self._memory(), self.history.watermark
            self._in_command = True
            self.playback.hold()
            try:
                with self.database.transaction():
                    yield
                    if self.recorder.fresh:
                        self._save(self.place())
            except BaseException:
                self._go_back(before, watermark)
                raise
            self._in_command = False
            self._acknowledge()

    def after_command(self, call: Callable[[], None]) -> None:
        """Do something that the acknowledgement need not wait for."""
        self._later = (*self._later, call)

    def _memory(self) -> list[tuple[object, dict[str, Any]]]:
        parts: list[object] = [self, self.playback, self.recorder]
        if self.tuned is not None:
            parts += [self.tuned, self.tuned.scorer]
        return [(part, dict(vars(part))) for part in parts]

    def _go_back(self, before: list[tuple[object, dict[str, Any]]], watermark: int) -> None:
        for part, values in before:
            vars(part).update(values)
        if self.history.watermark != watermark:
            self.history.forget_after(watermark)

    def _acknowledge(self) -> None:
        recorded, self.recorder.fresh = self.recorder.fresh, ()
        later, self._later = self._later, ()
        self.playback.release()
        if self._on_logged is not None:
            for event in recorded:
                self._on_logged(event)
        if self.snapshot is not self.shown:
            self._publish()
        for call in later:
            call()

    # --- showing ---------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the snapshot changed."""
        self._subscribers.append(callback)

    def happened(self, change: SoundChange, sentence: str = "") -> None:
        """Note what became of the sound.

        Args:
            change: what happened.
            sentence: about the silence that it brings; on show as long as that lasts, unless there is other news.
        """
        before = self._trouble
        self.playback.happened(change)
        if sentence:
            self._troubles = {**self._troubles, **dict.fromkeys(TRANSITIONS[change][0], sentence)}
        stale = self.snapshot.notice == before != self._trouble
        self.show(notice=sentence or (self._trouble if stale else self.snapshot.notice))

    @property
    def _trouble(self) -> str:
        reasons = self.playback.silence.reasons
        return next((sentence for reason, sentence in self._troubles.items() if reason in reasons), "")

    def show(self, **changes: object) -> None:
        """Put changes of the snapshot on show, at the end of the command where there is one."""
        if changes.get("notice") == "":
            changes["notice"] = self._trouble
        now = self.current
        view = None
        if now is not None:
            thumb = self.thumb_of(now.track.id)
            view = NowPlaying(now.track, now.position, now.duration, now.playing, thumb, now.reason)
        private = self.history.hygiene.private
        changes["private"] = "" if private is None else private.left(now_us())
        sleep = self.sleep_timer.shown(time.monotonic())
        self.snapshot = replace(self.snapshot, now=view, sleep=sleep, **changes)
        if not self._in_command:
            self._publish()

    def _publish(self) -> None:
        self.snapshot = self.shown = replace(self.snapshot, revision=self.shown.revision + 1)
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

    def set_sleep_timer(self, timer: SleepTimer) -> None:
        """Set the sleep timer, or off; the music is as loud as before until it fades."""
        self.sleep_timer = timer
        self.playback.fade(1.0)
        self.playback.end_with_track(ending=timer.ends_with_track)
        self.show(notice=timer.words)

    def level_of(self, track: TrackRow) -> Level:
        """The level at which a track is played after what plays now, or instead of it."""
        now = [] if self.current is None else [self.current.track.id]
        near = [*self.played[-1:], *now, *(chosen.id for chosen in self.chosen[:2])]
        album_mode = self.station is not None and self.station.mode == ALBUM_MODE
        others = [other for other in near if other != track.id]
        return self.levels.level(track.id, self.settings.audio, others, album_mode=album_mode)

    def keep_clean(self) -> bool:
        """Take up what nothing is to be learned from; whether that is news."""
        return self.history.keep_clean(load_hygiene(self.database, self.known.collection.finder, self.history.state))

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

    def tell(self, *events: NewEvent) -> None:
        """Record what the listener told, so that it can be taken back."""
        self.take_back = None
        self.recorder.tell(self.history, events)

    def record(self, *events: NewEvent) -> None:
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

    # --- the place to go on from -----------------------------------------------------------------------------------

    def place(self) -> ResumePoint:
        """Where the listener is."""
        now, station = self.current, self.station
        point = ResumePoint(
            station_id=None if station is None else station.id,
            volume=self.snapshot.volume,
            muted=self.snapshot.muted,
            balance=self.snapshot.balance,
        )
        if now is None:
            return point
        return replace(
            point,
            track_id=now.track.id,
            position=now.position,
            playing=self.playback.silence.wanted,
            decision_id=now.decision_id,
            reason=now.reason,
        )

    def keep_place(self) -> None:
        """Write down where the listener is, when that is news; called now and then while music plays."""
        with self.lock:
            point, saved = self.place(), self._saved
        moved = replace(point, position=0.0) != replace(saved, position=0.0)
        if moved or abs(point.position - saved.position) >= SAVE_SECONDS:
            self._save(point)

    def _save(self, point: ResumePoint) -> None:
        save_resume_point(self.database, point)
        self._saved = point
