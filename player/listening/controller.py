"""The controller: one listener, one station at a time; what is pressed becomes events, events become the queue.

The screen and the headless player use it alike. All methods may be called from any thread; each takes the lock,
records what happened durably, and only then changes what is shown.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from player.audio import messages as audio
from player.audio.client import AudioClient
from player.config import Paths, Settings
from player.errors import PlayerError
from player.library.rows import TrackRow
from player.library.wishes import WishKeeper
from player.listening.background import Background, JobName
from player.listening.diary import Diary
from player.listening.journal import Journal
from player.listening.knowledge import Knowledge, read_knowledge
from player.listening.library_map import Colour, Colouring
from player.listening.log import LoggedEvent, NewEvent
from player.listening.playback import Current, Playback, SoundLoan
from player.listening.resume import ResumePoint, load_resume_point, save_resume_point
from player.listening.scoring import StationScorer
from player.listening.similar import SimilarTrack, similar_tracks
from player.listening.stations import Seed, StationInfo, Stations, describe_seeds
from player.listening.survey_session import SurveySession, plan_of
from player.listening.terminal_map import MapMaker, MapView, colour_map
from player.listening.tuned import TunedStation
from player.listening.view import NowPlaying, Snapshot, StationRow, output_words
from player.storage.database import Database

SAVE_SECONDS = 5.0
"""How far the music may run ahead of the place that is kept."""
RESTART_SECONDS = 3.0
"""Pressing "previous" later than this starts the track again; before, it goes back one."""
FAILURES_IN_A_ROW = 5
"""So many tracks that cannot be played, one after the other, are no accident: stop and say so."""
REMEMBERED = 200
"""Tracks that "previous" can go back through."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What to begin with."""

    music: str | None = None
    """A folder to scan in the background."""
    station_id: int | None = None
    """A station to play, instead of going on where the listener stopped."""
    notice: str = ""
    """A first sentence on the screen."""


class Controller:
    """Plays stations and learns.

    Args:
        database: the listener's data.
        paths: where models and logs lie.
        settings: the listener's settings.
        origin: "tui" or "headless"; it is written into every event.
        opening: what to begin with.
        on_logged: called with every event this controller records, after it is on disk.
    """

    def __init__(
        self,
        database: Database,
        paths: Paths,
        settings: Settings,
        *,
        origin: str,
        opening: Opening | None = None,
        on_logged: Callable[[LoggedEvent], None] | None = None,
    ) -> None:
        self._database = database
        self._paths = paths
        self._settings = settings
        self._opening = opening or Opening()
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[], None]] = []
        self._diary = Diary(database, origin, on_logged)
        self._stations = Stations(database)
        self._wishes = WishKeeper(database)
        self._playback = Playback()
        self._tuned: TunedStation | None = None
        self._played: list[int] = []
        self._unplayable: frozenset[int] = frozenset()
        self._failures = 0
        self._saved = ResumePoint()
        self._snapshot = Snapshot(revision=0, notice=self._opening.notice)
        self._known = read_knowledge(database, paths)
        self._take(self._known)
        self._background = Background(database, paths, self._from_outside, self._job_changed, self._keep_place)
        self._map = MapMaker(paths.data, paths.log_file, self._map_changed)

    # --- what is shown ---------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What there is to show now; never waits."""
        return self._snapshot

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call back, from any thread, whenever the snapshot changed."""
        self._subscribers.append(callback)

    def catalogue(self) -> list[TrackRow]:
        """The tracks that can be played, as :meth:`search` indexes them."""
        return self._known.playable

    def search(self, query: str) -> list[int]:
        """Indices into :meth:`catalogue` of the tracks that match."""
        return self._known.index.search(query)

    def seed_suggestions(self, text: str) -> list[tuple[str, str, int]]:
        """(kind, value, tracks) of seeds whose name contains the text."""
        return self._known.seeds.search(text)

    def similar(self, track_id: int, count: int) -> list[SimilarTrack]:
        """The playable tracks that sound most like a track.

        Raises:
            PlayerError: the track is unknown or was not listened to yet.
        """
        return similar_tracks(self._known.collection, track_id, count)

    def make_map(self) -> None:
        """Place the library's tracks on a map; :meth:`map_view` follows how far it is."""
        self._map.ask(self._known.collection)

    def map_view(self) -> MapView:
        """The map as it stands; never waits."""
        return self._map.view

    def map_colours(self, tracks: Sequence[TrackRow], colour: Colour) -> Colouring:
        """Groups or values of the tracks; thumbs and scores are those of the station that is on.

        Raises:
            PlayerError: scores were asked for without a station.
        """
        with self._lock:
            return colour_map(self._known.collection, self._journal, self._tuned, tracks, colour)

    def _map_changed(self) -> None:
        with self._lock:
            self._show()

    def stations(self) -> list[StationRow]:
        """Every station."""
        return [self._station_row(station) for station in self._stations.all()]

    def _show(self, **changes: object) -> None:
        """Put changes on show."""
        now = self._current
        view = None
        if now is not None:
            thumb = self._thumb_of(now.track.id)
            view = NowPlaying(now.track, now.position, now.duration, now.playing, thumb, now.reason)
        self._snapshot = replace(self._snapshot, revision=self._snapshot.revision + 1, now=view, **changes)
        for callback in self._subscribers:
            callback()

    def _station_row(self, station: StationInfo) -> StationRow:
        thumbs = list(self._journal.state.thumbs.get(station.id, {}).values())
        seeds = describe_seeds(station.seeds, self._known.collection.rows)
        return StationRow(station.id, station.name, seeds, thumbs.count(1), thumbs.count(-1))

    def _thumb_of(self, track_id: int) -> int:
        station = self._station
        return 0 if station is None else self._journal.state.thumbs.get(station.id, {}).get(track_id, 0)

    @property
    def _current(self) -> Current | None:
        return self._playback.current

    @property
    def _station(self) -> StationInfo | None:
        return None if self._tuned is None else self._tuned.station

    @property
    def _journal(self) -> Journal:
        return self._known.journal

    # --- opening and closing ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the sound output and go on where the listener stopped, or with the station that was asked for."""
        opening, point = self._opening, load_resume_point(self._database)
        client = AudioClient(
            self._heard,
            engine=self._settings.audio.engine,
            device=self._settings.audio.device,
            log=self._paths.log_file,
        )
        with self._lock:
            self._playback.attach(client)
            self.set_volume(point.volume)
            if opening.station_id is None or opening.station_id == point.station_id:
                self._resume(point)
            if opening.station_id is not None and self._current is None:
                self.open_station(opening.station_id)
        self._background.start(opening.music)

    def close(self) -> None:
        """Keep the place, say that the listener quit, and end the sound."""
        self._background.close()
        self._map.close()
        with self._lock:
            client = self._playback.detach()
        try:
            with self._lock:
                save_resume_point(self._database, self._place())
                if self._current is not None:
                    self._record([self._event("stop", self._current, action="quit")])
        finally:
            if client is not None:
                # Not under the lock: the client's thread may be waiting for it to deliver an event.
                client.close()

    def _resume(self, point: ResumePoint) -> None:
        station = self._find_station(point.station_id)
        if station is None:
            return
        self._open(station)
        track = self._known.playable_track(point.track_id)
        if track is not None:
            position, play = point.position, point.playing
            self._playback.load(track, point.reason, point.decision_id, position=position, play=play)
            words = "Going on where you stopped." if play else "Space goes on where you stopped."
            self._rerank(f"{self._known.problem} {words}".strip())

    def _keep_place(self) -> None:
        """Write down where the listener is, when that is news; called now and then while music plays."""
        with self._lock:
            point = self._place()
        moved = replace(point, position=0.0) != replace(self._saved, position=0.0)
        if moved or abs(point.position - self._saved.position) >= SAVE_SECONDS:
            save_resume_point(self._database, point)
            self._saved = point
        self._keep_wishes()

    def _keep_wishes(self) -> None:
        """Let whoever embeds know what is about to be played, while there is anything to embed."""
        with self._lock:
            if self._tuned is None or self._known.collection.embedded >= len(self._known.playable):
                return
            playing = [] if self._current is None else [self._current.track.id]
            station, upcoming = self._tuned.station.id, [row.track.id for row in self._tuned.rows]
        self._wishes.keep(station, [*playing, *upcoming])

    def _place(self) -> ResumePoint:
        now, station = self._current, self._station
        point = ResumePoint(station_id=None if station is None else station.id, volume=self._snapshot.volume)
        if now is None:
            return point
        return replace(
            point,
            track_id=now.track.id,
            position=now.position,
            playing=now.playing,
            decision_id=now.decision_id,
            reason=now.reason,
        )

    # --- transport -------------------------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Pause or go on; with nothing playing, start the queue."""
        with self._lock:
            if self._current is None:
                self._advance()
            else:
                self._playback.toggle()
                self._show()

    def next(self) -> None:
        """Skip to the next track of the queue."""
        with self._lock:
            if self._current is not None:
                self._tell([self._event("skip", self._current, action="next")])
            self._advance()

    def previous(self) -> None:
        """Start the track again, or, at its very beginning, go back to the one before."""
        with self._lock:
            now = self._current
            if now is None:
                return
            if now.position > RESTART_SECONDS or not self._played:
                self.seek(0.0)
                return
            track = self._playable_track(self._played.pop())
            if track is not None:
                self._record([self._event("skip", now, action="previous")])
                self._play_by_hand(track, "you went back to it", action="previous")

    def seek(self, seconds: float, *, relative: bool = False) -> None:
        """Go to a place of the track, in seconds from its start or, ``relative``, from here."""
        with self._lock:
            now = self._current
            if now is not None:
                self._playback.seek(now.position + seconds if relative else seconds)
                self._show()

    def set_volume(self, volume: float) -> None:
        """Set the loudness, 0…1."""
        with self._lock:
            volume = min(1.0, max(0.0, volume))
            self._playback.set_volume(volume)
            self._show(volume=volume)

    def play_track(self, track_id: int) -> None:
        """Play a track chosen by hand; the station goes on after it."""
        with self._lock:
            track = self._playable_track(track_id)
            if track is None:
                return
            if self._current is not None:
                self._remember(self._current)
                self._tell([self._event("skip", self._current, action="chose")])
            self._play_by_hand(track, "chosen by you", action="chose")

    def _playable_track(self, track_id: int) -> TrackRow | None:
        """The track, or None (and why on show) where its file is missing."""
        track = self._known.playable_track(track_id)
        if track is None:
            self._show(notice="The file of this track is missing; it stays in the history.")
        return track

    def _play_by_hand(self, track: TrackRow, reason: str, *, action: str) -> None:
        chosen = self._playback.load(track, reason)
        self._record([self._event("start", chosen, action=action)])
        self._rerank()

    def _remember(self, current: Current) -> None:
        self._played = [*self._played[-REMEMBERED + 1 :], current.track.id]

    # --- feedback --------------------------------------------------------------------------------------------------

    def thumb(self, value: Literal[1, -1]) -> None:
        """Thumb the playing track up or down on this station; the same thumb again clears it. Down plays the next."""
        with self._lock:
            now = self._current
            if now is None or self._station is None:
                self._show(notice="A thumb needs a playing track and a station.")
            elif self._thumb_of(now.track.id) == value:
                self._tell([self._event("clear", now)])
                self._rerank(f"Cleared the thumb on “{now.track.title}”.")
            elif value > 0:
                self._tell([self._event("up", now)])
                self._rerank(f"Thumbed up “{now.track.title}”.")
            else:
                self._end_with("down", f"Thumbed down “{now.track.title}”: off this station.")

    def thumb_track(self, track_id: int, value: Literal[1, -1]) -> None:
        """Thumb a track of the queue."""
        with self._lock:
            if self._current is not None and self._current.track.id == track_id:
                self.thumb(value)
                return
            kind = "clear" if self._thumb_of(track_id) == value else "up" if value > 0 else "down"
            self._tell([self._about(kind, track_id)])
            words = {"clear": "Cleared the thumb on", "up": "Thumbed up", "down": "Thumbed down"}[kind]
            self._rerank(f"{words} “{self._known.title(track_id)}”.")

    def not_now(self, track_id: int | None = None) -> None:
        """Rest a track (the playing one without an id) for a day."""
        self._put_away("not-now", track_id, "rests till tomorrow")

    def never(self, track_id: int | None = None) -> None:
        """Never play a track (the playing one without an id) again, anywhere."""
        self._put_away("never", track_id, "will not be played again (z takes it back)")

    def _put_away(self, kind: Literal["not-now", "never"], track_id: int | None, words: str) -> None:
        with self._lock:
            now = self._current
            if now is not None and track_id in {None, now.track.id}:
                self._end_with(kind, f"“{now.track.title}” {words}.")
            elif track_id is not None:
                self._tell([self._about(kind, track_id)])
                self._rerank(f"“{self._known.title(track_id)}” {words}.")

    def _end_with(self, kind: Literal["down", "not-now", "never"], notice: str) -> None:
        """Record feedback that ends the playing track, and go on to the next."""
        now = self._current
        assert now is not None
        self._tell([self._event(kind, now), self._event("skip", now, action=kind)])
        self._advance(notice)

    def replay(self) -> None:
        """Hear the playing track again from its start: it must be good."""
        with self._lock:
            now = self._current
            if now is not None:
                self._tell([self._event("replay", now)])
                self._playback.seek(0.0)
                self._rerank(f"Once more: “{now.track.title}”.")

    def undo(self) -> None:
        """Take back the last feedback told here."""
        with self._lock:
            events = self._diary.take_back(self._journal)
            if not events:
                self._show(notice="There is nothing to undo.")
                return
            words = " and ".join(event.kind for event in events)
            self._rerank(f"Took back {words}: “{self._known.title(events[0].track_id)}”.")

    def _event(self, kind: str, now: Current, *, action: str | None = None) -> NewEvent:
        """An event about the playing track."""
        about = self._about(kind, now.track.id)
        return replace(about, position=round(now.position, 3), action=action, decision_id=now.decision_id)

    def _about(self, kind: str, track_id: int) -> NewEvent:
        """An event about a track."""
        station = self._station
        return NewEvent(kind, track_id, None if station is None else station.id)

    def _tell(self, events: Sequence[NewEvent]) -> None:
        self._diary.tell(self._journal, events)

    def _record(self, events: Sequence[NewEvent]) -> None:
        self._diary.record(self._journal, events)

    # --- stations --------------------------------------------------------------------------------------------------

    def open_station(self, station_id: int) -> None:
        """Turn to a station and play it."""
        with self._lock:
            station = self._find_station(station_id)
            if station is None:
                self._show(notice="This station is gone.")
                return
            if self._current is not None:
                self._remember(self._current)
                self._record([self._event("stop", self._current, action="station")])
                self._playback.drop()
            self._open(station)
            self._advance()

    def create_station(self, name: str, seeds: Sequence[tuple[str, str]]) -> StationRow:
        """Make a station from (kind, value) seeds.

        Raises:
            PlayerError: the name is taken or a seed names nothing.
        """
        with self._lock:
            collection = self._known.collection
            wanted = [Seed(kind, value) for kind, value in seeds]
            return self._station_row(self._stations.create(name, wanted, collection.rows, collection.tag_names))

    def _find_station(self, station_id: int | None) -> StationInfo | None:
        return next((info for info in self._stations.all() if info.id == station_id), None)

    def _open(self, station: StationInfo) -> None:
        """Make a station the current one; its queue is still to be ranked, unless it only gets a newer library."""
        rows = self._tuned.rows if self._tuned is not None and self._tuned.station.id == station.id else ()
        scorer = StationScorer(self._known.collection, self._stations.all(), station, self._known.model)
        self._tuned = TunedStation(scorer, self._settings.station, rows)

    # --- the survey ------------------------------------------------------------------------------------------------

    def survey_waits(self) -> bool:
        """Whether nothing is known of this listener's taste yet, so that a survey is worth offering."""
        return not self._journal.labelled

    def survey(self) -> SurveySession:
        """Clips of this library to be liked or not. From its start till its end the sound is its own; the music waits."""
        return SurveySession(
            self._database,
            lambda: plan_of(self._known.collection),
            self._lend_sound,
            volume=self._snapshot.volume,
            output=self._snapshot.output,
            closed=self._survey_closed,
        )

    def _lend_sound(self, heard: Callable[[audio.Event], None]) -> SoundLoan:
        with self._lock:
            return self._playback.lend(heard, self._sound_returned)

    def _sound_returned(self) -> None:
        with self._lock:
            self._playback.take_back()

    def _survey_closed(self, volume: float) -> None:
        with self._lock:
            if not self._playback.attached:
                return
            self.set_volume(volume)
            self._diary.catch_up(self._journal)
            self._rerank()

    # --- jobs and other processes ----------------------------------------------------------------------------------

    def start_job(self, name: JobName) -> None:
        """Scan, embed or retrain in the background."""
        self._background.run(name)

    def pause_job(self) -> None:
        """Pause listening to the library, or go on with it; why something else cannot be paused is shown."""
        if problem := self._background.pause():
            with self._lock:
                self._show(notice=problem)

    def stop_job(self) -> None:
        """Ask the running job to stop and keep what it has."""
        self._background.stop()

    def _job_changed(self) -> None:
        with self._lock:
            self._show(job=self._background.view)

    def _from_outside(self, *, library: bool) -> None:
        """Another process wrote: take up its events, or its tracks, vectors and models too."""
        # Read before the lock is taken: at 100,000 tracks this takes seconds, and the music's events must not wait.
        known = read_knowledge(self._database, self._paths) if library else None
        with self._lock:
            if known is not None:
                self._take(known)
            elif not self._diary.catch_up(self._journal):
                return
            self._rerank("" if known is None else known.problem)

    def _take(self, known: Knowledge) -> None:
        """Go on with what was read, and with what was recorded while it was being read."""
        self._known = known
        self._diary.catch_up(self._journal)
        if self._tuned is not None:
            self._open(self._tuned.station)
        self._snapshot = replace(
            self._snapshot,
            model_version=known.model_version,
            tracks=len(known.playable),
            embedded=known.collection.embedded,
            notice=known.problem or self._snapshot.notice,
        )

    # --- the loop --------------------------------------------------------------------------------------------------

    def _advance(self, notice: str = "") -> None:
        """Serve the first place of the queue, ranked with all that has just been told."""
        tuned = self._tuned
        if tuned is None:
            self._playback.stop()
            self._show(notice=notice or "Choose a station first (s).")
            return
        if self._current is not None:
            self._remember(self._current)
            self._playback.drop()
        choice = tuned.choose(self._journal, self._unplayable)
        if choice is None:
            self._playback.stop()
        else:
            current = self._playback.load(choice.track, choice.reason, self._diary.serve(choice.served))
            self._record([self._event("start", current)])
        self._show_queue(tuned, notice)

    def _rerank(self, notice: str = "") -> None:
        """Rank what is to come and show it."""
        tuned = self._tuned
        if tuned is None:
            self._show(notice=notice or self._snapshot.notice)
            return
        tuned.rerank(self._journal, self._unplayable, None if self._current is None else self._current.track.id)
        self._show_queue(tuned, notice)

    def _show_queue(self, tuned: TunedStation, notice: str) -> None:
        if tuned.rows:
            self._playback.prepare(tuned.rows[0].track)
        self._show(
            station=self._station_row(tuned.station),
            queue=tuned.rows,
            diversity=tuned.diversity,
            model_version=tuned.scorer.version,
            notice=notice or ("" if tuned.rows else tuned.shortfall),
            rerank_ms=tuned.rerank_ms,
        )

    # --- what the audio process says -------------------------------------------------------------------------------

    def _heard(self, event: audio.Event) -> None:
        """Take an event of the audio process, on its client's thread."""
        if (borrower := self._playback.borrower) is not None:
            borrower(event)
        with self._lock:
            if not self._playback.attached and not isinstance(event, audio.Ready):
                return
            try:
                self._follow(event)
            except PlayerError as error:
                # A full disk, say: the sentence is shown, and the thread that brings the events lives on.
                self._show(notice=str(error))

    def _follow(self, event: audio.Event) -> None:
        playback = self._playback
        match event:
            case audio.Ready(engine, device, note):
                # What was said at the opening stays readable beside the note about the device.
                notice = " ".join(filter(None, (self._opening.notice, note))) or self._snapshot.notice
                self._show(output=output_words(engine, device), notice=notice)
            case audio.Position(token) if playback.is_current(token):
                playback.moved(event)
                self._failures = 0
                self._show()
            case audio.Finished(token) if playback.is_current(token):
                self._finished()
            case audio.Failed(token, message) if playback.is_current(token):
                self._failed(message)
            case audio.Damaged(token, message) if playback.is_current(token):
                self._show(notice=message)
            case audio.DeviceLost(message) | audio.GaveUp(message):
                playback.silenced()
                self._show(notice=message)
            case audio.DeviceChanged(device):
                self._show(output=device)
            case audio.Restarted(message):
                self._show(notice=message)
            case _:
                pass

    def _finished(self) -> None:
        self._playback.ended()
        assert self._current is not None
        self._record([self._event("finish", self._current, action="end")])
        self._advance()

    def _failed(self, message: str) -> None:
        now = self._current
        assert now is not None
        self._unplayable |= {now.track.id}
        self._record([self._event("stop", now, action="error")])
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            self._failures = 0
            self._playback.stop()
            self._rerank(f"{message} Several tracks in a row could not be played; see `player doctor`.")
        else:
            self._advance(message)
